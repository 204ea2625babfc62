/**
 * Runtimes that are a program: started with the task as an argument, they print the report.
 *
 * @module
 */

import { MAX_OUTPUT, type ProgramOptions, run } from "../../scripts/run.ts";
import type { Report } from "./program.ts";

/** Runs a program whose last line is a report. */
export async function reportOf(
  program: string,
  args: readonly string[],
  options?: ProgramOptions,
): Promise<Report> {
  const output = await run(program, args, options);
  const line = output.trimEnd().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line);
  } catch (cause) {
    throw new Error(`${program} printed no report:\n${output.slice(-MAX_OUTPUT)}`, { cause });
  }
}
