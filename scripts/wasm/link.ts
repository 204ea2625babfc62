/**
 * Objects to one optimised WebAssembly module.
 *
 * @module
 */

import binaryen from "binaryen";
import { clang } from "./clang.ts";
import { LINK_FLAGS } from "./recipe.ts";

/** Links the objects and runs binaryen over the result, for size. */
export async function link(objects: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  // In a fixed order, since the linker lays out what it is given first.
  const names = [...objects.keys()].sort();
  const files = Object.fromEntries(
    names.map((name) => [name.replaceAll("/", "_").replace(/\.c$/, ".o"), objects.get(name) ?? new Uint8Array()]),
  );
  const linked = await clang([...LINK_FLAGS, ...Object.keys(files), "-o", "core.wasm"], files, "core.wasm");
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
