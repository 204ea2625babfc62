/**
 * One clang, in a worker of its own. It is given the whole tree once and then compiles a file per message.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";
import { clang } from "./clang.ts";
import type { CompileAnswer, CompileJob } from "./compile.ts";
import { nest } from "./tree.ts";

const files = nest(workerData as ReadonlyMap<string, Uint8Array>);

parentPort?.on("message", async ({ path, flags }: CompileJob) => {
  parentPort?.postMessage(await compile(path, flags));
});

async function compile(path: string, flags: readonly string[]): Promise<CompileAnswer> {
  try {
    const object = await clang([...flags, "-c", path, "-o", "object.o"], files, "object.o");
    return { path, object };
  } catch (error) {
    return { path, error: error instanceof Error ? error.message : String(error) };
  }
}
