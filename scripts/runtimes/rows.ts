/**
 * The lines that `deno task test:runtimes` prints, one for each way as soon as it is done.
 *
 * @module
 */

import type { Runtime } from "../../tests/runtimes/runtime.ts";
import { type Row, type Skipped, wayOf } from "./verdict.ts";

const TITLE_WIDTH = 18;
const WAY_WIDTH = 36;

/** The head of the lines. */
export function renderHead(): string {
  return `${"runtime".padEnd(TITLE_WIDTH)}${"way".padEnd(WAY_WIDTH)}  steps        s`;
}

/** A way: what worked, how long it took; below it what is lacking and what failed. */
export function renderRow(row: Row): string {
  const { runtime, combination, version, millis, steps, failure } = row;
  const passed = steps.filter(({ outcome }) => outcome === "passed").length;
  const failed = failure !== undefined || steps.some(({ outcome }) => outcome === "failed");
  const line = runtime.title.padEnd(TITLE_WIDTH) + wayOf(combination).padEnd(WAY_WIDTH) +
    `${failed ? "✗" : "✓"} ${`${passed}/${steps.length}`.padStart(5)} ${
      (millis / 1000).toFixed(1).padStart(8)
    }  ${version}`;
  const remarks = [
    ...combination.note === undefined ? [] : [`note: ${combination.note}`],
    ...steps.filter(({ outcome }) => outcome === "lacking").map(({ step, reason }) => `lacks ${step}: ${reason}`),
    ...steps.filter(({ outcome }) => outcome === "failed").map(({ step, reason }) => `FAILED ${step}: ${reason}`),
    ...failure === undefined ? [] : [`FAILED: ${failure}`],
  ];
  return [line, ...remarks.map((remark) => `    ${remark}`)].join("\n");
}

/** A runtime without a row. */
export function renderWithout(outcome: Skipped | { runtime: Runtime; failure: string }): string {
  const why = "reason" in outcome ? `skipped: ${outcome.reason}` : `FAILED to be prepared: ${outcome.failure}`;
  return outcome.runtime.title.padEnd(TITLE_WIDTH) + why;
}
