/**
 * Objects to one optimised WebAssembly module.
 *
 * @module
 */

import { commands } from "@yowasp/clang";
import binaryen from "binaryen";
import { LINK_FLAGS } from "./recipe.ts";

/** Links the objects and runs binaryen over the result, for size. */
export async function link(objects: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  // In a fixed order, since the linker lays out what it is given first.
  const names = [...objects.keys()].sort();
  const files = Object.fromEntries(
    names.map((name) => [name.replaceAll("/", "_").replace(/\.c$/, ".o"), objects.get(name) ?? new Uint8Array()]),
  );
  let said = "";
  const listen = (bytes: Uint8Array | null) => {
    if (bytes !== null) said += new TextDecoder().decode(bytes);
  };
  const options = { stdout: listen, stderr: listen, fetchProgress: () => {} };
  let linked: unknown;
  try {
    const result = await commands.clang([...LINK_FLAGS, ...Object.keys(files), "-o", "core.wasm"], files, options);
    linked = result?.["core.wasm"];
  } catch (cause) {
    throw new Error(`The objects do not link:\n${said}`, { cause });
  }
  if (!(linked instanceof Uint8Array)) throw new Error(`The objects do not link:\n${said}`);
  return optimise(linked);
}

function optimise(wasm: Uint8Array): Uint8Array {
  const module = binaryen.readBinary(wasm);
  try {
    module.setFeatures(
      binaryen.Features.MutableGlobals | binaryen.Features.BulkMemory | binaryen.Features.SignExt |
        binaryen.Features.NontrappingFPToInt | binaryen.Features.Multivalue | binaryen.Features.ReferenceTypes |
        binaryen.Features.BulkMemoryOpt,
    );
    binaryen.setOptimizeLevel(2);
    binaryen.setShrinkLevel(2);
    module.runPasses(["strip-debug", "strip-producers", "strip-target-features"]);
    module.optimize();
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
