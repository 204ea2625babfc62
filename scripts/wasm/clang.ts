/**
 * clang, as the npm package has it: WebAssembly, over files in memory.
 *
 * @module
 */

import { commands, runLLVM } from "@yowasp/clang";
import type { Tree } from "./tree.ts";

// Its 100 MB are read from the package on first use, of which it would otherwise tell line by line.
let loaded: Promise<unknown> | undefined;

/** Runs clang over the files and gives the one called `output`; what clang says goes into the error. */
export async function clang(args: readonly string[], files: Tree, output: string): Promise<Uint8Array> {
  loaded ??= Promise.resolve(runLLVM(undefined, undefined, { fetchProgress: () => {} }));
  await loaded;
  let said = "";
  const listen = (bytes: Uint8Array | null) => {
    if (bytes !== null) said += new TextDecoder().decode(bytes);
  };
  try {
    const result = (await commands.clang([...args], files, { stdout: listen, stderr: listen }))?.[output];
    if (result instanceof Uint8Array) return result;
  } catch (cause) {
    throw new Error(`${said}${cause}`, { cause });
  }
  throw new Error(said);
}
