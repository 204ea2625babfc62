/**
 * Hands the options to dnt, which lives on JSR alone and is therefore loaded only when asked for.
 *
 * @module
 */

import { dirname, relative } from "node:path";
import denoJson from "../../deno.json" with { type: "json" };
import type { BuildOptions } from "./build_options.ts";
import { localPackages } from "./local_packages.ts";
import { versionOf } from "./versions.ts";

const DNT = "jsr:@deno/dnt@0.43.0";
const DEADLINE_MILLIS = 20_000; // an unreachable registry may take longer to say so

/**
 * Builds a package by dnt.
 *
 * @throws {Error} where dnt cannot be loaded within 20 s
 */
export async function buildByDnt(options: BuildOptions): Promise<void> {
  const { build } = await load();
  await Deno.remove(options.outDir, { recursive: true }).catch(() => {});
  await build({ ...options, importMap: await writeImportMap(options.importMap) });
}

async function load(): Promise<{ build(options: BuildOptions): Promise<void> }> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${DEADLINE_MILLIS / 1000} s`)), DEADLINE_MILLIS);
  });
  try {
    // Not a literal, so that nothing but this task asks JSR for it.
    return await Promise.race([import(DNT.toString()), late]);
  } catch (cause) {
    throw new Error(
      `${DNT} cannot be loaded. Where JSR is out of reach, use deno task build:npm, which needs npm alone`,
      {
        cause,
      },
    );
  } finally {
    clearTimeout(timer);
  }
}

/**
 * The imports of deno.json and the packages beside it, seen from where the map lies, but for `events`: for dnt it is the
 * npm package, so that it becomes a dependency.
 */
async function writeImportMap(path: string): Promise<string> {
  const folder = dirname(path);
  const map = {
    imports: {
      ...denoJson.imports,
      ...Object.fromEntries(localPackages().map(([name, path]) => [name, relative(folder, path)])),
      events: `npm:events@^${versionOf("events-package")}`,
    },
  };
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(path, JSON.stringify(map, null, 2));
  return path;
}
