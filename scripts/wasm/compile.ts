/**
 * Compiles C files on a few workers, keeping the objects by what they were made from.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { compileFlags, SOURCE, TOOLCHAIN } from "./recipe.ts";
import type { SourceTree } from "./source.ts";

/** clang is an 80 MB module in each worker: two are as fast as a small machine gets. */
const WORKERS = 2;

/** What a worker is told and answers. */
export interface CompileJob {
  readonly path: string;
  readonly flags: readonly string[];
}
export interface CompileAnswer {
  readonly path: string;
  readonly object?: Uint8Array;
  readonly error?: string;
}

/** Compiles the paths of a tree to objects, by path; tells of progress through `say`. */
export async function compileAll(
  paths: readonly string[],
  tree: SourceTree,
  cache: string,
  say: (line: string) => void,
): Promise<Map<string, Uint8Array>> {
  await mkdir(cache, { recursive: true });
  const objects = new Map<string, Uint8Array>();
  const missing: string[] = [];
  const cached = new Map(paths.map((path) => [path, join(cache, `${objectKey(path, tree)}.o`)]));
  for (const [path, file] of cached) {
    if (existsSync(file)) objects.set(path, await readFile(file));
    else missing.push(path);
  }
  say(`compile: ${objects.size} of ${paths.length} objects kept from before, ${missing.length} to compile`);
  // The longest first, so that no worker is left alone with it.
  missing.sort((a, b) => (tree.get(b)?.length ?? 0) - (tree.get(a)?.length ?? 0));
  const total = missing.length;
  await compileOnWorkers(missing, tree, async (path, object) => {
    objects.set(path, object);
    await writeFile(cached.get(path) ?? path, object);
    say(`compile: ${objects.size + total - paths.length}/${total} ${path}`);
  });
  return objects;
}

async function compileOnWorkers(
  queue: string[],
  tree: SourceTree,
  done: (path: string, object: Uint8Array) => Promise<void>,
): Promise<void> {
  const workers = Array.from(
    { length: Math.min(WORKERS, queue.length) },
    () => new Worker(new URL("./compile_worker.ts", import.meta.url), { workerData: tree }),
  );
  try {
    await Promise.all(workers.map(async (worker) => {
      for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
        const answer = await ask(worker, { path, flags: compileFlags(path) });
        if (answer.object === undefined) throw new Error(`${path} does not compile:\n${answer.error}`);
        await done(path, answer.object);
      }
    }));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function ask(worker: Worker, job: CompileJob): Promise<CompileAnswer> {
  return new Promise((resolve, reject) => {
    worker.once("message", (answer: CompileAnswer) => {
      worker.off("error", reject);
      resolve(answer);
    });
    worker.once("error", reject);
    worker.postMessage(job);
  });
}

/** All that an object depends on. wolfSSL's headers are fixed by the hash of its tarball; ours are in `core/`. */
function objectKey(path: string, tree: SourceTree): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([TOOLCHAIN.clang, SOURCE.sha256, path, compileFlags(path)]));
  const ours = path.startsWith("core/") ? [...tree.keys()].filter((name) => /^core\/.*\.h$/.test(name)) : [];
  for (const name of ["core/user_settings.h", ...ours.sort(), path]) hash.update(name).update(tree.get(name) ?? "");
  return hash.digest("hex").slice(0, 32);
}
