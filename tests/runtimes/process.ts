/**
 * Runtimes that are a program: started with the task as an argument, they print the report.
 *
 * @module
 */

import type { Report } from "./program.ts";

/** How a program is started. */
export interface ProgramOptions {
  readonly cwd?: string | undefined;
  /** Variables besides this process's own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Kills it. */
  readonly signal?: AbortSignal | undefined;
}

const MAX_OUTPUT = 4000; // characters of a failed program's output that are shown

/** Runs a program to its end, and gives what it printed. Fails where the program does. */
export async function run(program: string, args: readonly string[], options: ProgramOptions = {}): Promise<string> {
  const { cwd, env, signal } = options;
  const command = new Deno.Command(program, {
    args: [...args],
    ...cwd === undefined ? {} : { cwd },
    ...env === undefined ? {} : { env: { ...env } },
    ...signal === undefined ? {} : { signal },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, success, stdout, stderr } = await command.output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (success) return output ?? "";
  signal?.throwIfAborted();
  throw new Error(`${program} ended with code ${code}:\n${`${output}${errors}`.slice(-MAX_OUTPUT)}`);
}

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
