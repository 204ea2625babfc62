/**
 * Scripts that own servers: Ctrl-C, an error and the end of the work all release them in order.
 *
 * @module
 */

/**
 * Runs `work`, which leaves on `resources` whatever must be released, and ends the process: with the code that `work`
 * resolves with, 1 after an error, 130 after SIGINT or SIGTERM. A second signal ends it at once.
 */
export async function untilInterrupted(work: (resources: AsyncDisposableStack) => Promise<number>): Promise<never> {
  const resources = new AsyncDisposableStack();
  const interrupted = Promise.withResolvers<number>();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    let asked = false;
    Deno.addSignalListener(signal, () => asked ? Deno.exit(130) : interrupted.resolve((asked = true, 130)));
  }
  let code = 1;
  try {
    code = await Promise.race([work(resources), interrupted.promise]);
    if (code === 130) console.error("\nStopping.");
  } catch (error) {
    console.error(`\n${error instanceof Error ? error.message : error}`);
  } finally {
    await resources.disposeAsync();
  }
  Deno.exit(code);
}
