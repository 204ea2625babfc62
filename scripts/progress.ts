/**
 * What a script tells while it does what takes long.
 *
 * @module
 */

import { run } from "./run.ts";

/** Says what is being done, and how long it took. */
export async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const encoder = new TextEncoder();
  await Deno.stderr.write(encoder.encode(`${what} ... `));
  try {
    const result = await work();
    await Deno.stderr.write(encoder.encode(`${((performance.now() - started) / 1000).toFixed(1)} s\n`));
    return result;
  } catch (error) {
    await Deno.stderr.write(encoder.encode("failed\n"));
    throw error;
  }
}

/** Brings `node_modules` up to date with deno.json: a minute on a fresh machine, a second afterwards. */
export async function installPackages(): Promise<void> {
  await step("Installing npm packages", () => run(Deno.execPath(), ["install"]));
}
