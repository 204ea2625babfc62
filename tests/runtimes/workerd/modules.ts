/**
 * A bundle's modules as Miniflare takes them.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";

/** What is in a folder, WebAssembly included; the first module is the Worker. */
export function modulesIn(folder: string, main: string): { type: "CompiledWasm" | "ESModule"; path: string }[] {
  const names = readdirSync(folder).filter((name) => /\.(m?js|wasm)$/.test(name) && name !== main);
  return [main, ...names].map((name) => ({
    type: name.endsWith(".wasm") ? "CompiledWasm" : "ESModule",
    path: join(folder, name),
  }));
}
