/**
 * Other programs, from scripts.
 *
 * @module
 */

/** How a program is started. */
export interface ProgramOptions {
  readonly cwd?: string | undefined;
  /** Variables besides this process's own. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Kills it. */
  readonly signal?: AbortSignal | undefined;
}

/** How much is shown of what a failed program printed, in characters. */
export const MAX_OUTPUT = 4000;

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
