/**
 * `deno task test:runtimes [--check] [--results=<file>] [name...]`: the same program on every runtime, by every way from
 * there to a real PostgreSQL. A name is the beginning of a runtime's: `node` is Node of each version.
 *
 * Brings the support table of the README up to date; with `--check` it fails where that would change it. `--results`
 * writes the outcome for `deno task test --add=<file>`, whose closing line then counts it, and prints none.
 *
 * @module
 */

import { RUNTIMES } from "../tests/runtimes/all.ts";
import { type Runner, type Runtime, Unavailable } from "../tests/runtimes/runtime.ts";
import { setStage, type Stage, taskFor } from "../tests/runtimes/stage.ts";
import { installPackages, step } from "./progress.ts";
import { renderHead, renderRow, renderWithout } from "./runtimes/rows.ts";
import { withSupportTable } from "./runtimes/support_table.ts";
import { isGood, judge, type Row, type Skipped, testCases } from "./runtimes/verdict.ts";
import type { RunResult } from "./testing/runs.ts";
import { count, summarize } from "./testing/summary.ts";
import { untilInterrupted } from "./until_interrupted.ts";
import { buildGenerated } from "./wasm_core.ts";

const PROGRAM_DEADLINE_MILLIS = 120_000;

async function main(args: readonly string[], resources: AsyncDisposableStack): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const resultsPath = args.find((arg) => arg.startsWith("--results="))?.slice("--results=".length);
  const runtimes = RUNTIMES.filter(({ name }) => names.length === 0 || names.some((part) => name.startsWith(part)));
  if (runtimes.length === 0) {
    console.error(`There is no runtime ${names.join(", ")}: there are ${RUNTIMES.map(({ name }) => name).join(", ")}`);
    return 2;
  }
  if (resultsPath !== undefined) await Deno.remove(resultsPath).catch(() => {}); // those of an earlier run
  await installPackages();
  await buildGenerated();
  const stage = await step("Starting PostgreSQL and the proxy", () => setStage(resources));
  await step("Packing the npm packages", () => stage.consumer());
  const interruption = new AbortController();
  resources.defer(() => interruption.abort());

  console.log(`\n${renderHead()}`);
  const results: RunResult[] = [];
  const rows: Row[] = [];
  for (const runtime of runtimes) {
    if (interruption.signal.aborted) break;
    const outcome = await runAll(runtime, stage, resources, interruption.signal);
    if ("rows" in outcome) rows.push(...outcome.rows);
    else console.log(renderWithout(outcome));
    results.push({ runtime: runtime.title, cases: casesOf(outcome) });
  }
  results.push(await updateReadme(rows, args.includes("--check")));
  if (resultsPath === undefined) console.log(`\n${summarize(results)}`);
  else await Deno.writeTextFile(resultsPath, JSON.stringify(results));
  return count(results, "failed") > 0 ? 1 : 0;
}

/** What came of a runtime: a row for each way, or why there is none. */
type Outcome = { readonly rows: readonly Row[] } | Skipped | { readonly runtime: Runtime; readonly failure: string };

async function runAll(
  runtime: Runtime,
  stage: Stage,
  resources: AsyncDisposableStack,
  signal: AbortSignal,
): Promise<Outcome> {
  let runner: Runner;
  try {
    runner = await runtime.prepare(stage, resources);
  } catch (error) {
    if (error instanceof Unavailable) return { runtime, reason: error.message };
    return { runtime, failure: wordsOf(error) };
  }
  const rows: Row[] = [];
  for (const combination of runtime.combinations) {
    const startedAt = performance.now();
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(PROGRAM_DEADLINE_MILLIS)]);
    const judged = await runner.run(combination, taskFor(stage, combination), deadline)
      .then((report) => ({ steps: judge(report, combination) }), (error) => ({ steps: [], failure: wordsOf(error) }));
    signal.throwIfAborted(); // whoever interrupted wants no more rows
    const row = { runtime, combination, version: runner.version, millis: performance.now() - startedAt, ...judged };
    console.log(renderRow(row));
    rows.push(row);
  }
  return { rows };
}

function casesOf(outcome: Outcome): RunResult["cases"] {
  if ("rows" in outcome) return outcome.rows.flatMap(testCases);
  if ("reason" in outcome) return [{ name: "the program", outcome: "skipped", reason: outcome.reason }];
  return [{ name: `it could not be prepared: ${outcome.failure}`, outcome: "failed" }];
}

/** Only what is as it is known to be goes into the table: a failure is to be mended and not documented. */
async function updateReadme(rows: readonly Row[], checkOnly: boolean): Promise<RunResult> {
  const readme = await Deno.readTextFile("README.md");
  const updated = withSupportTable(readme, rows.filter(isGood), RUNTIMES);
  const name = "the support table is up to date";
  if (updated === readme) return { runtime: "README", cases: [{ name, outcome: "passed" }] };
  if (checkOnly) {
    const why = "the support table is out of date: run deno task test:runtimes, and commit README.md";
    console.error(`\n${why}`);
    return { runtime: "README", cases: [{ name: why, outcome: "failed" }] };
  }
  await Deno.writeTextFile("README.md", updated);
  console.log("\nThe support table of README.md was brought up to date");
  return { runtime: "README", cases: [{ name, outcome: "passed" }] };
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.name === "TimeoutError" ? `no report within ${PROGRAM_DEADLINE_MILLIS / 1000} s` : error.message;
}

await untilInterrupted((resources) => main(Deno.args, resources));
