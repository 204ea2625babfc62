/**
 * What people read at the end of a test run: a table, what failed, what was skipped and why, and the closing line.
 *
 * @module
 */

import type { TestCase } from "./junit.ts";
import type { RunResult } from "./runs.ts";

/** The whole summary; its last line is the closing one, such as `12 passed, 0 failed, 1 skipped`. */
export function summarize(results: readonly RunResult[]): string {
  return [table(results), failures(results), skips(results), closingLine(results)].filter(Boolean).join("\n\n");
}

/** How many tests had an outcome, over all runs. */
export function count(results: readonly RunResult[], outcome: TestCase["outcome"]): number {
  return results.reduce((sum, { cases }) => sum + cases.filter((test) => test.outcome === outcome).length, 0);
}

function table(results: readonly RunResult[]): string {
  const width = Math.max("runtime".length, ...results.map(({ runtime }) => runtime.length));
  const row = (name: string, cells: readonly (string | number)[]) =>
    name.padEnd(width) + cells.map((cell) => String(cell).padStart(9)).join("");
  const counts = (result: RunResult) => [
    count([result], "passed"),
    count([result], "failed"),
    count([result], "skipped"),
  ];
  return [
    row("runtime", ["passed", "failed", "skipped"]),
    ...results.map((result) => row(result.runtime, counts(result))),
  ].join("\n");
}

function failures(results: readonly RunResult[]): string {
  const lines = results.flatMap(({ runtime, cases }) =>
    cases.filter(({ outcome }) => outcome === "failed").map(({ name, place }) =>
      `  ${runtime}: ${name}${place ? ` (${place})` : ""}`
    )
  );
  return lines.length === 0 ? "" : ["failed (in full above):", ...lines].join("\n");
}

const NAMES_SHOWN = 3;

/** By their reason. Deno's report leaves it out, but tells the place of the test. */
function skips(results: readonly RunResult[]): string {
  const skipped = results.flatMap(({ runtime, cases }) =>
    cases.filter(({ outcome }) => outcome === "skipped").map(({ name, reason, place }) => ({
      name,
      why: `${runtime}: ${reason ?? `${place ?? "the test"} says why`}`,
    }))
  );
  const lines = Array.from(new Set(skipped.map(({ why }) => why)), (why) => {
    const tests = skipped.filter((test) => test.why === why);
    const names = tests.slice(0, NAMES_SHOWN).map(({ name }) => `    ${name}`);
    if (tests.length > NAMES_SHOWN) names.push(`    and ${tests.length - NAMES_SHOWN} more, named above`);
    return [`  ${tests.length} on ${why}`, ...names].join("\n");
  });
  return lines.length === 0 ? "" : ["skipped:", ...lines].join("\n");
}

function closingLine(results: readonly RunResult[]): string {
  const skipped = count(results, "skipped");
  return `${count(results, "passed")} passed, ${count(results, "failed")} failed` +
    (skipped ? `, ${skipped} skipped` : "");
}
