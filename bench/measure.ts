/**
 * Measures one scenario with one driver in a process of its own, one round for each line that it is sent, so that the
 * drivers' rounds can take turns. Prints one JSON object for each round.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import type { BenchServer } from "./drivers.ts";
import type { Scenario, ScenarioRun } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";

/** What one round cost. */
export interface Round {
  readonly units: number;
  readonly wallMillis: number;
  readonly cpuMillis: number;
  /** The largest growth of the resident set over its size before the round, in MiB; sampled in memory scenarios alone. */
  readonly grownMiB: number;
}

const SAMPLE_MILLIS = 10;

async function main(): Promise<void> {
  const [driverName, scenarioName, serverJson] = process.argv.slice(2);
  const scenario = scenarios[scenarioName];
  const run = await scenario.open(driverName, JSON.parse(serverJson) as BenchServer);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === "end") break;
    console.log(JSON.stringify(await measure(scenario, run)));
  }
  await run.end();
  process.exit(0);
}

async function measure(scenario: Scenario, run: ScenarioRun): Promise<Round> {
  const before = process.memoryUsage().rss;
  let peak = before;
  const sampler = scenario.shows === "memory"
    ? setInterval(() => peak = Math.max(peak, process.memoryUsage().rss), SAMPLE_MILLIS)
    : undefined;
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const units = await run.round();
  const cpu = process.cpuUsage(cpuBefore);
  const wallMillis = performance.now() - startedAt;
  clearInterval(sampler);
  return { units, wallMillis, cpuMillis: (cpu.user + cpu.system) / 1000, grownMiB: (peak - before) / 2 ** 20 };
}

await main();
