/**
 * `deno task test [--runtime=deno|node|<folder of tests/runtimes>] [--add=<file>] [filter...]`: all tests, on every runtime
 * at hand, against one PostgreSQL and, where installed, one PgBouncer. `--add` counts the outcome of another run with
 * them, which `deno task test:runtimes --results=<file>` has written.
 *
 * @module
 */

import { join } from "node:path";
import { certificates } from "../tests/fixtures/certificates.ts";
import { findPgBouncer } from "../tests/fixtures/pgbouncer.ts";
import { publish, SERVERS_VARIABLE } from "../tests/fixtures/published.ts";
import { startServers } from "../tests/fixtures/servers.ts";
import { temporaryFolder } from "../tests/fixtures/temporary.ts";
import { installPackages, step } from "./progress.ts";
import { nodeVersion, runOnDeno, runOnNode, type RunResult } from "./testing/runs.ts";
import { count, summarize } from "./testing/summary.ts";
import { untilInterrupted } from "./until_interrupted.ts";
import { buildGenerated } from "./wasm_core.ts";

const OLDEST_NODE = [20, 16] as const;

/** Other people's libraries, whose programs run on Node, started from here. */
const ECOSYSTEM = "ecosystem";

async function main(args: readonly string[], resources: AsyncDisposableStack): Promise<number> {
  const runtimes = args.filter((arg) => arg.startsWith("--runtime=")).map((arg) => arg.slice("--runtime=".length));
  const filters = args.filter((arg) => !arg.startsWith("--"));
  const wanted = (runtime: string) => runtimes.length === 0 || runtimes.includes(runtime);
  const plan = await findTests(filters, wanted);
  if (plan.length === 0) {
    console.error(`No test file matches ${args.join(" ") || "tests/"}`);
    return 2;
  }
  await installPackages();
  await buildGenerated();
  if (plan.some(({ runtime }) => runtime !== "deno")) await requireNode();
  const added = args.filter((arg) => arg.startsWith("--add=")).map((arg) => resultsIn(arg.slice("--add=".length)));
  const results = [...(await Promise.all(added)).flat(), ...await runAll(plan, resources)];
  console.log(`\n${summarize(results)}`);
  return count(results, "failed") > 0 ? 1 : 0;
}

interface PlannedRun {
  readonly runtime: string;
  readonly files: readonly string[];
}

async function findTests(filters: readonly string[], wanted: (runtime: string) => boolean): Promise<PlannedRun[]> {
  const matching = async (folder: string) =>
    (await testFiles(folder)).filter((file) => filters.length === 0 || filters.some((part) => file.includes(part)));
  const common = [...await matching("tests/unit"), ...await matching("tests/integration")];
  const plan: PlannedRun[] = [{ runtime: "deno", files: common }, { runtime: "node", files: common }];
  plan.push({ runtime: ECOSYSTEM, files: await matching("tests/ecosystem") });
  for (const runtime of await folders("tests/runtimes")) {
    plan.push({ runtime, files: await matching(`tests/runtimes/${runtime}`) });
  }
  return plan.filter(({ runtime, files }) => wanted(runtime) && files.length > 0);
}

async function runAll(plan: readonly PlannedRun[], resources: AsyncDisposableStack): Promise<RunResult[]> {
  const servers = await step(
    await findPgBouncer() ? "Starting PostgreSQL and PgBouncer" : "Starting PostgreSQL (PgBouncer is not installed)",
    startServers,
  );
  resources.defer(() => servers.stop());
  const folder = temporaryFolder("run");
  resources.defer(() => folder.remove());
  const interruption = new AbortController();
  resources.defer(() => interruption.abort());

  const path = join(folder.path, "servers.json");
  await publish(servers, path);
  const env = { [SERVERS_VARIABLE]: path };
  // workerd takes a private authority from nowhere else.
  const runtimeEnv = { ...env, NODE_EXTRA_CA_CERTS: (await certificates()).ca.certPath };
  const { signal } = interruption;
  const results: RunResult[] = [];
  for (const { runtime, files } of plan) {
    if (signal.aborted) break;
    console.log(`\n── ${runtime}: ${files.length} test files ${"─".repeat(40)}\n`);
    if (runtime === "deno") results.push(await runOnDeno({ files, env, signal }));
    else if (runtime === ECOSYSTEM) results.push(await runOnDeno({ files, env, signal }, runtime));
    else if (runtime === "node") results.push(await runOnNode({ files, env, signal }));
    else results.push(await runOnNode({ files, env: runtimeEnv, signal }, runtime));
  }
  return results;
}

async function resultsIn(path: string): Promise<RunResult[]> {
  const text = await Deno.readTextFile(path).catch(() => undefined);
  if (text !== undefined) return JSON.parse(text);
  return [{ runtime: "added", cases: [{ name: `the other run left no ${path}: it failed`, outcome: "failed" }] }];
}

async function requireNode(): Promise<void> {
  const version = await nodeVersion();
  const [major = 0, minor = 0] = version?.split(".").map(Number) ?? [];
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return;
  throw new Error(
    `The tests also run on Node ${OLDEST_NODE.join(".")} or newer, but ${
      version ? `this is ${version}` : "there is none"
    }.` +
      " Install it, or leave it out with --runtime=deno.",
  );
}

async function testFiles(folder: string): Promise<string[]> {
  const files: string[] = [];
  for (const entry of await entries(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) files.push(...await testFiles(path));
    else if (entry.name.endsWith(".test.ts")) files.push(path);
  }
  return files;
}

async function folders(folder: string): Promise<string[]> {
  return (await entries(folder)).filter((entry) => entry.isDirectory).map(({ name }) => name);
}

async function entries(folder: string): Promise<Deno.DirEntry[]> {
  const found = await Array.fromAsync(Deno.readDir(folder)).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  });
  return found.sort((one, other) => one.name < other.name ? -1 : 1);
}

await untilInterrupted((resources) => main(Deno.args, resources));
