/**
 * The wolfSSL core for scripts that run what needs it.
 *
 * @module
 */

/**
 * Builds the core where its inputs changed, and says so as it goes; a second or less where they did not. False where it
 * cannot be built (no source to be had, say): TLS through a WebSocket is then Node's, and what tests the core is skipped.
 */
export async function buildCore(): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "scripts/build_wasm.ts"],
    stdout: "inherit",
    stderr: "inherit",
  }).output();
  if (!success) {
    console.error(
      "Without the wolfSSL core, TLS through a WebSocket is Node's here, and tests of the core are skipped.",
    );
  }
  return success;
}
