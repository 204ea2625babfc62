/**
 * `deno task bench [scenario ...] [--runtime node|deno]`: pgduplex beside its peers, in one run on one machine.
 *
 * Every driver has a process of its own, and their rounds take turns, so that a machine whose speed drifts favours none.
 * Figures are medians; ratios are to node-postgres (`pg`) or what belongs to it, and are what to quote.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpus } from "node:os";
import process from "node:process";
import { createInterface, type Interface } from "node:readline";
import { build } from "esbuild";
import { type Column, renderTable } from "../scripts/table.ts";
import { certificates } from "../tests/fixtures/certificates.ts";
import { DATABASE, PASSWORDS, startPostgres } from "../tests/fixtures/postgres.ts";
import { type BenchServer, drivers } from "./drivers.ts";
import type { Round } from "./measure.ts";
import { PREPARE_SQL } from "./query_scenarios.ts";
import type { Scenario } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";

async function main(): Promise<void> {
  const names = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
  const runtimes = process.argv.includes("--runtime")
    ? [process.argv[process.argv.indexOf("--runtime") + 1]]
    : ["node", "deno"];
  const chosen = names.filter((name) => !runtimes.includes(name));
  const unknown = chosen.find((name) => !(name in scenarios));
  if (unknown !== undefined) {
    throw new Error(`no scenario is called ${unknown}; there are ${Object.keys(scenarios).join(", ")}`);
  }
  console.log(`${cpus().length} x ${cpus()[0].model}`);
  await using postgres = await startPostgres();
  const server: BenchServer = {
    host: "localhost",
    port: postgres.port,
    user: "postgres",
    password: PASSWORDS.postgres,
    database: DATABASE,
    ca: (await certificates()).ca.cert,
  };
  await prepare(server);
  for (const runtime of runtimes) {
    const command = await commandOf(runtime);
    for (const name of chosen.length > 0 ? chosen : Object.keys(scenarios)) {
      console.log(`\n${runtime}: ${scenarios[name].title}`);
      console.log(await compare(command, name, server));
    }
  }
}

async function prepare(server: BenchServer): Promise<void> {
  const connection = await drivers.pgduplex(server, false);
  for (const sql of PREPARE_SQL) await connection.simple(sql);
  await connection.end();
}

/** How to run bench/measure.ts in a runtime. Node 20 has no TypeScript, so it is given a bundle. */
async function commandOf(runtime: string): Promise<string[]> {
  if (runtime === "deno") return [process.execPath, "run", "-A", "--no-check", "bench/measure.ts"];
  if (runtime !== "node") throw new Error(`--runtime is node or deno, not ${runtime}`);
  const outfile = ".build/bench/measure.mjs";
  await build({
    entryPoints: ["bench/measure.ts"],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "error",
  });
  return ["node", outfile];
}

/** All drivers, round by round in turn, as a table. */
async function compare(command: readonly string[], name: string, server: BenchServer): Promise<string> {
  const scenario = scenarios[name];
  const measurers = scenario.drivers.map((driver) => new Measurer(command, driver, name, server));
  const rounds = new Map(measurers.map(({ driver }) => [driver, [] as Round[]]));
  const without: Record<string, string> = { ...scenario.without };
  const measure = async (measurer: Measurer, isWarmUp: boolean) => {
    if (measurer.driver in without) return;
    const round = await measurer.round();
    if (round === undefined) {
      without[measurer.driver] = `did not end a round in ${ROUND_DEADLINE_MILLIS / 1000} s`;
      rounds.delete(measurer.driver);
    } else if (!isWarmUp) rounds.get(measurer.driver)?.push(round);
  };
  if (scenario.shows !== "memory") { for (const measurer of measurers) await measure(measurer, true); }
  for (let round = 0; round < scenario.rounds; round++) {
    for (const measurer of measurers) await measure(measurer, false);
  }
  for (const measurer of measurers) await measurer.end();
  const baselineRounds = rounds.get(scenario.baseline);
  const baseline = baselineRounds && summary(scenario, baselineRounds);
  const rows = [...rounds].map(([driver, list]): Row => ({ driver, own: summary(scenario, list), baseline }));
  const left = Object.entries(without).map(([driver, reason]) => `without ${driver}, which ${reason}`);
  return [renderTable(columns(scenario), rows), ...left].join("\n");
}

/** Far longer than the slowest round takes: whoever is not done by then has stopped. */
const ROUND_DEADLINE_MILLIS = 60_000;

/** The medians of one driver's rounds. */
interface Summary {
  readonly main: number;
  readonly cpuMicros: number;
}

function summary({ shows }: Scenario, rounds: readonly Round[]): Summary {
  const main = (round: Round) =>
    shows === "rate"
      ? round.units / round.wallMillis * 1000
      : shows === "cost"
      ? round.wallMillis / round.units
      : round.grownMiB;
  return {
    main: median(rounds.map(main)),
    cpuMicros: median(rounds.map(({ cpuMillis, units }) => cpuMillis / units * 1000)),
  };
}

interface Row {
  readonly driver: string;
  readonly own: Summary;
  /** Undefined where the driver to compare with has no figures. */
  readonly baseline: Summary | undefined;
}

function columns({ shows, unit, baseline: name }: Scenario): Column<Row>[] {
  const figures = {
    rate: ({ main }: Summary) => Math.round(main).toLocaleString("en"),
    cost: ({ main }: Summary) => main.toFixed(2),
    memory: ({ main }: Summary) => `+${main.toFixed(0)}`,
  };
  const titles = {
    rate: `${unit === "query" ? "queries" : `${unit}s`}/s`,
    cost: `ms/${unit}`,
    memory: "MiB at the most",
  };
  return [
    { title: "", show: ({ driver }) => driver },
    { title: titles[shows], show: ({ own }) => figures[shows](own), right: true },
    { title: `x ${name}`, show: ({ own, baseline }) => ratio(own.main, baseline?.main), right: true },
    { title: `µs CPU/${unit}`, show: ({ own }) => own.cpuMicros.toFixed(2), right: true },
    { title: `x ${name}`, show: ({ own, baseline }) => ratio(own.cpuMicros, baseline?.cpuMicros), right: true },
  ];
}

function ratio(own: number, baseline: number | undefined): string {
  return baseline === undefined ? "" : (own / baseline).toFixed(2);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** One driver's process. */
class Measurer {
  readonly driver: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  constructor(command: readonly string[], driver: string, scenario: string, server: BenchServer) {
    this.driver = driver;
    this.#child = spawn(command[0], [...command.slice(1), driver, scenario, JSON.stringify(server)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const { stdout } = this.#child;
    if (stdout === null) throw new Error("the measuring process has no output");
    this.#lines = createInterface({ input: stdout });
  }

  /** Undefined where the driver did not come back; its process is gone then. */
  async round(): Promise<Round | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const line = new Promise<string | undefined>((resolve, reject) => {
      const onExit = () => reject(new Error(`measuring ${this.driver} ended early`));
      this.#child.once("exit", onExit);
      this.#lines.once("line", (text) => {
        this.#child.off("exit", onExit);
        resolve(text);
      });
      timer = setTimeout(() => {
        this.#child.off("exit", onExit);
        this.#child.kill("SIGKILL");
        resolve(undefined);
      }, ROUND_DEADLINE_MILLIS);
    });
    this.#child.stdin?.write("round\n");
    const text = await line.finally(() => clearTimeout(timer));
    return text === undefined ? undefined : JSON.parse(text) as Round;
  }

  async end(): Promise<void> {
    if (this.#child.killed) return;
    const exited = once(this.#child, "exit");
    this.#child.stdin?.write("end\n");
    await exited;
  }
}

await main();
