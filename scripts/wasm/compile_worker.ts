/**
 * One clang, in a worker of its own. It is given the whole tree once and then compiles a file per message.
 *
 * @module
 */

import { parentPort, workerData } from "node:worker_threads";
import { commands } from "@yowasp/clang";
import type { CompileAnswer, CompileJob } from "./compile.ts";
import { nest } from "./tree.ts";

const files = nest(workerData as ReadonlyMap<string, Uint8Array>);

parentPort?.on("message", async ({ path, flags }: CompileJob) => {
  parentPort?.postMessage(await compile(path, flags));
});

async function compile(path: string, flags: readonly string[]): Promise<CompileAnswer> {
  let said = "";
  const listen = (bytes: Uint8Array | null) => {
    if (bytes !== null) said += new TextDecoder().decode(bytes);
  };
  try {
    const options = { stdout: listen, stderr: listen, fetchProgress: () => {} };
    const result = await commands.clang(["clang", ...flags, "-c", path, "-o", "object.o"].slice(1), files, options);
    const object = result?.["object.o"];
    return object instanceof Uint8Array ? { path, object } : { path, error: said };
  } catch (error) {
    return { path, error: `${said}\n${error}` };
  }
}
