/**
 * What both ways of building add to a package: its entries for platforms, its papers, and the last of package.json.
 *
 * @module
 */

import { dirname, join } from "node:path";
import type { BuildOptions } from "./build_options.ts";
import { writeAsPg } from "./as_pg.ts";
import { bundleCore } from "./core.ts";
import { entryFields, type Exports, stemOf } from "./manifest.ts";
import { bundlePlatform, type PlatformEntry } from "./platforms.ts";

/** What is particular to one package. */
export interface Finish {
  /** Entries for platforms, and the conditions of `exports` that lead to each. */
  readonly platforms: readonly (Omit<PlatformEntry, "outDir"> & { readonly conditions: readonly string[] })[];
  /** Files and folders to copy: from the root of the repository, to the package. What is missing is an error. */
  readonly files: Readonly<Record<string, string>>;
  /** Files to write, by their paths in the package. */
  readonly texts?: Readonly<Record<string, string>>;
  /** Subpaths of `exports` besides the entry points. */
  readonly subpaths?: Readonly<Record<string, Exports>>;
  /** Whether there is a subpath `./core`, of the main entry point. */
  readonly core?: boolean;
  /** Whether it stands in for node-postgres. */
  readonly asPg?: boolean;
}

/** Completes the package that was laid out in `outDir`. */
export async function finish(
  { entryPoints, outDir, package: fields }: Pick<BuildOptions, "entryPoints" | "outDir" | "package">,
  { platforms, files, texts = {}, subpaths = {}, core = false, asPg = false }: Finish,
): Promise<void> {
  for (const entry of platforms) await bundlePlatform({ ...entry, outDir });
  for (const [from, to] of Object.entries(files)) await copy(from, join(outDir, to));
  for (const [path, text] of Object.entries(texts)) await Deno.writeTextFile(join(outDir, path), text);
  for (const { path } of entryPoints.filter(({ kind }) => kind === "bin")) {
    for (const folder of ["esm", "script"]) await makeProgram(join(outDir, folder, `${stemOf(path)}.js`));
  }
  const bundled = Object.fromEntries(
    platforms.flatMap(({ conditions, platform, entryPoints: paths }) =>
      conditions.map((condition) => [condition, {
        folder: platform.name,
        entries: entryPoints.filter(({ path }) => paths.includes(path)).map(({ name }) => name),
      }])
    ),
  );
  const more: Readonly<Record<string, Exports>> = core
    ? { "./core": await bundleCore(outDir, entryPoints[0].path) }
    : {};
  const pg = asPg ? await writeAsPg(outDir, entryPoints) : undefined;
  const manifest = {
    ...fields,
    ...entryFields(entryPoints, bundled, { ...more, ...pg?.subpaths, ...subpaths }, pg?.conditions),
    ...pg === undefined ? {} : { main: pg.main },
  };
  await Deno.writeTextFile(join(outDir, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function copy(from: string, to: string): Promise<void> {
  if ((await Deno.stat(from)).isDirectory) {
    for await (const { name } of Deno.readDir(from)) await copy(join(from, name), join(to, name));
  } else {
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.copyFile(from, to);
  }
}

/** One `#!` line, whether or not the emitter put one above the source's own. */
async function makeProgram(path: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, `#!/usr/bin/env node\n${text.replace(/^(#![^\n]*\n)+/, "")}`);
  await Deno.chmod(path, 0o755);
}
