/**
 * What of the wolfSSL engine is generated, for scripts that run what needs it.
 *
 * @module
 */

/** The files, which are not committed. */
export const GENERATED = ["wolfssl/core.wasm", "wolfssl/core_wasm.js", "wolfssl/mozilla_roots.js"] as const;

/**
 * Builds the core and the list of public authorities where their inputs changed, and says so as it goes; a second or so
 * where they did not. False where one of them cannot be built (no source to be had, say): without the core, TLS through a
 * WebSocket is Node's, and what tests the core is skipped, as is what needs the list where that is missing.
 */
export async function buildGenerated(): Promise<boolean> {
  const [core, roots] = [await run("scripts/build_wasm.ts"), await run("scripts/build_roots.ts")];
  if (!core) {
    console.error(
      "Without the wolfSSL core, TLS through a WebSocket is Node's here, and tests of the core are skipped.",
    );
  }
  if (!roots) console.error("Without the list of public authorities, tests of it are skipped.");
  return core && roots;
}

async function run(script: string): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", script],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  return success;
}
