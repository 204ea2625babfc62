/**
 * Builds anew only where something changed, and never twice at a time.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename, join } from "node:path";

const FOLDER = ".build/npm";

/**
 * Builds `output`, a folder, unless it was built of the very same inputs. Another process that is at it is waited for.
 *
 * @param inputs Files and folders
 */
export async function ifChanged(output: string, inputs: readonly string[], build: () => Promise<void>): Promise<void> {
  await Deno.mkdir(FOLDER, { recursive: true });
  using lock = await Deno.open(join(FOLDER, "lock"), { create: true, write: true });
  await lock.lock(true);
  const stamp = join(FOLDER, `${basename(output)}.sha256`);
  const digest = await digestOf(inputs);
  const built = await Deno.readTextFile(stamp).catch(() => undefined);
  if (built === digest && await Deno.stat(join(output, "package.json")).then(() => true, () => false)) {
    console.error(`${output} is up to date`);
    return;
  }
  await Deno.remove(stamp).catch(() => {});
  await build();
  await Deno.writeTextFile(stamp, digest);
}

async function digestOf(inputs: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of (await Promise.all(inputs.map(filesIn))).flat()) {
    const bytes = await Deno.readFile(path);
    hash.update(`${path} ${bytes.length}\n`).update(bytes);
  }
  return hash.digest("hex");
}

async function filesIn(path: string): Promise<string[]> {
  if ((await Deno.stat(path)).isFile) return [path];
  const entries = await Array.fromAsync(Deno.readDir(path));
  const names = entries.map(({ name }) => name).sort();
  return (await Promise.all(names.map((name) => filesIn(`${path}/${name}`)))).flat();
}
