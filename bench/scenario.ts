/**
 * What a scenario is: some work that several drivers do, each in a process of its own.
 *
 * @module
 */

import type { BenchServer } from "./drivers.ts";

/** One thing to measure. */
export interface Scenario {
  readonly title: string;
  /** What one unit of work is. */
  readonly unit: string;
  /** Rounds to run after one that warms up. */
  readonly rounds: number;
  /** `rate`: units per second, more is better. `cost`: milliseconds per unit. `memory`: growth of the process. */
  readonly shows: "rate" | "cost" | "memory";
  /** Who is measured. */
  readonly drivers: readonly string[];
  /** Whom the ratios are to. */
  readonly baseline: string;
  /** Drivers that are left out, with the reason. */
  readonly without?: Readonly<Record<string, string>>;
  /** Makes one of its drivers ready. */
  open(driver: string, server: BenchServer): Promise<ScenarioRun>;
}

/** A driver that is ready for rounds. */
export interface ScenarioRun {
  /** Does one round of the work and returns the number of units. */
  round(): Promise<number>;
  end(): Promise<unknown>;
}

/** A scenario of drivers that are kept in a table. */
export function scenarioOf<Driver>(
  about: Omit<Scenario, "drivers" | "baseline" | "open"> & { readonly baseline?: string },
  drivers: Readonly<Record<string, Driver>>,
  open: (driver: Driver, server: BenchServer) => Promise<ScenarioRun>,
): Scenario {
  const measured = Object.keys(drivers).filter((name) => about.without?.[name] === undefined);
  return { baseline: "pg", ...about, drivers: measured, open: (name, server) => open(drivers[name], server) };
}
