/**
 * `deno task build:jsr`: the package `@pgduplex/wolfssl` as JSR is to have it, in `.build/jsr/`. (The driver is published
 * from the checkout as it is.)
 *
 * A package on JSR is a folder that imports nothing beside it. The engine shares a few modules with the driver, interfaces
 * and errors, so this is a folder with both, laid out as here: the core can be built again in it.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { coreSources } from "./npm/core_sources.ts";
import { importsOf } from "./imports.ts";
import { GENERATED } from "./wasm_core.ts";
import wolfssl from "../wolfssl/deno.json" with { type: "json" };

const FOLDER = ".build/jsr";
const ENTRY = "wolfssl/mod.ts";
/** What goes with the files that are generated. */
const BESIDE_GENERATED = ["wolfssl/core_wasm.d.ts", "wolfssl/mozilla_roots.d.ts", "wolfssl/mozilla_roots.lock.json"];

/** Lays the package out anew, and gives its folder. */
export async function buildJsr(): Promise<string> {
  await Deno.remove(FOLDER, { recursive: true }).catch(() => {});
  const { manifest, files } = await coreSources();
  const { name, version, license } = wolfssl;
  const papers = { "wolfssl/README.md": "README.md", "wolfssl/LICENSE": "LICENSE" };
  for (const path of [...await modulesFrom(ENTRY), ...GENERATED, ...BESIDE_GENERATED, ...files]) await copy(path, path);
  for (const [from, to] of Object.entries(papers)) await copy(from, to);
  // What is built and what lies in .build is ignored by git, and would be left out.
  const publish = { exclude: ["!**/*"] };
  const whole = { name, version, license, exports: `./${ENTRY}`, publish, ...manifest };
  await Deno.writeTextFile(join(FOLDER, "deno.json"), `${JSON.stringify(whole, null, 2)}\n`);
  return FOLDER;
}

/** A module and what it imports, directly or not. */
async function modulesFrom(path: string, found = new Set<string>()): Promise<Set<string>> {
  if (found.has(path) || !path.endsWith(".ts")) return found;
  found.add(path);
  for (const { specifier } of importsOf(await Deno.readTextFile(path))) {
    if (specifier.startsWith(".")) await modulesFrom(join(dirname(path), specifier), found);
  }
  return found;
}

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(join(FOLDER, to)), { recursive: true });
  await Deno.copyFile(from, join(FOLDER, to));
}

if (import.meta.main) console.log(await buildJsr());
