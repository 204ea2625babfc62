/**
 * The tables of the TLS benchmarks: a line for each implementation on each runtime, a column for each scenario.
 *
 * @module
 */

import { type Column, renderTable } from "../../scripts/table.ts";
import type { Round } from "./orders.ts";
import { scenarios } from "./scenarios.ts";

/** What came of one contender in one scenario on one runtime. */
export interface Measured {
  readonly runtime: string;
  readonly contender: string;
  readonly scenario: string;
  /** Empty where it failed. */
  readonly rounds: readonly Round[];
  /** Of the one that it is compared with. */
  readonly baseline: readonly Round[];
}

/** How figures of a unit are told. */
interface Telling {
  readonly title: string;
  /** What one round comes to. */
  readonly figure: (round: Round) => number;
  readonly digits: number;
}

const WALL: Readonly<Record<string, Telling>> = {
  handshake: { title: "ms", figure: ({ wallMillis, units }) => wallMillis / units, digits: 2 },
  turn: { title: "µs", figure: ({ wallMillis, units }) => wallMillis / units * 1000, digits: 0 },
  MB: { title: "MB/s", figure: ({ wallMillis, units }) => units / wallMillis * 1000, digits: 0 },
  connection: { title: "KiB", figure: ({ grownBytes, units }) => grownBytes / units / 1024, digits: 0 },
};

const CPU: Readonly<Record<string, Telling>> = {
  handshake: { title: "ms", figure: ({ cpuMillis, units }) => cpuMillis / units, digits: 2 },
  turn: { title: "µs", figure: ({ cpuMillis, units }) => cpuMillis / units * 1000, digits: 0 },
  MB: { title: "ms/MB", figure: ({ cpuMillis, units }) => cpuMillis / units, digits: 2 },
};

const SHORT: Readonly<Record<string, string>> = {
  handshake: "handshake",
  turn: "100 B turn",
  "receive-100": "receive 100 B",
  "receive-1k": "1 KiB",
  "receive-16k": "16 KiB",
  "send-100": "send 100 B",
  "send-1k": "1 KiB",
  "send-16k": "16 KiB",
  idle: "idle",
};

/** Time by the clock, rates, and what an idle connection keeps. */
export function wallTable(measured: readonly Measured[]): string {
  return tableOf(measured, WALL);
}

/** CPU time. */
export function cpuTable(measured: readonly Measured[]): string {
  return tableOf(measured, CPU);
}

interface Line {
  readonly runtime: string;
  readonly contender: string;
  readonly cells: ReadonlyMap<string, string>;
}

function tableOf(measured: readonly Measured[], tellings: Readonly<Record<string, Telling>>): string {
  const shown = Object.keys(scenarios).filter((name) =>
    tellings[scenarios[name].unit] !== undefined && measured.some(({ scenario }) => scenario === name)
  );
  const columns: Column<Line>[] = [
    { title: "", show: ({ runtime }) => runtime },
    { title: "", show: ({ contender }) => contender },
    ...shown.map((name): Column<Line> => ({
      title: `${SHORT[name]}, ${tellings[scenarios[name].unit].title}`,
      show: ({ cells }) => cells.get(name) ?? "–",
      right: true,
    })),
  ];
  return renderTable(columns, linesOf(measured, tellings));
}

function linesOf(measured: readonly Measured[], tellings: Readonly<Record<string, Telling>>): Line[] {
  const lines = new Map<string, { runtime: string; contender: string; cells: Map<string, string> }>();
  for (const one of measured) {
    const { runtime, contender, scenario } = one;
    const key = `${runtime} ${contender}`;
    const line = lines.get(key) ?? { runtime, contender, cells: new Map<string, string>() };
    lines.set(key, line);
    const telling = tellings[scenarios[scenario].unit];
    if (telling !== undefined && one.rounds.length > 0) line.cells.set(scenario, cell(one, telling));
  }
  let last = "";
  return [...lines.values()].map((line) => {
    const runtime = line.runtime === last ? "" : line.runtime;
    last = line.runtime;
    return { ...line, runtime };
  });
}

function cell({ rounds, baseline, scenario }: Measured, { figure, digits }: Telling): string {
  const own = median(rounds.map(figure));
  const text = own.toFixed(own < 1 && digits === 0 ? 1 : digits);
  if (scenarios[scenario].unit === "connection") return text;
  return baseline.length > 0 ? `${text} (${(own / median(baseline.map(figure))).toFixed(2)})` : text;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
