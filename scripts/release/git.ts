/**
 * git, as the release script needs it.
 *
 * @module
 */

/** What a command is given besides its arguments. */
export interface GitOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
}

/** Runs git in a folder; resolves with what it printed, without the last line's end. */
export type Git = (args: readonly string[], options?: GitOptions) => Promise<string>;

/** git in this folder. It rejects with what git has to say where that fails. */
export function gitIn(folder: string): Git {
  return async (args, { env = {}, input } = {}) => {
    const command = new Deno.Command("git", {
      args: ["-C", folder, ...args],
      env: { ...env },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const child = command.spawn();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input);
      await writer.close();
    }
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(`git ${args.join(" ")} failed:\n${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout).trimEnd();
  };
}
