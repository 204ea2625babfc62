/**
 * Bundles a runtime's own part of these tests. The driver in it is the npm package as users would get it: what the
 * source imports from `mod.ts` comes from the installed package, by the conditions of the runtime.
 *
 * @module
 */

import { build, type Plugin } from "esbuild";
import { join } from "node:path";
import { projectRoot } from "../fixtures/project.ts";
import type { Consumer } from "../integration/npm_consumer.ts";

/** What to bundle, and for whom. */
export interface BundleOptions {
  /** From `tests/runtimes/`. */
  readonly entryPoints: readonly string[];
  /** Where the bundles go, in the consumer's folder. */
  readonly folder: string;
  readonly format: "esm" | "cjs" | "iife";
  /** How the package is resolved; undefined: the runtime resolves it itself. */
  readonly conditions?: readonly string[] | undefined;
  /** What the bundlers of this runtime do besides. */
  readonly plugins?: readonly Plugin[] | undefined;
}

/** Bundles, and gives the folder of the bundles. */
export async function bundle(consumer: Consumer, options: BundleOptions): Promise<string> {
  const { entryPoints, folder, format, conditions, plugins = [] } = options;
  const outdir = join(consumer.folder, folder);
  await build({
    entryPoints: entryPoints.map((path) => join(projectRoot(), "tests/runtimes", path)),
    outdir,
    entryNames: "[name]",
    outExtension: { ".js": format === "cjs" ? ".cjs" : ".mjs" },
    bundle: true,
    splitting: format === "esm",
    format,
    platform: conditions === undefined ? "node" : "browser",
    conditions: [...conditions ?? []],
    target: "es2022",
    loader: { ".wasm": "copy" },
    plugins: [...plugins, theInstalledPackage(consumer.folder, conditions !== undefined)],
    logLevel: "warning",
  });
  return outdir;
}

/** Bundles a program for Node that hosts a runtime, into a folder below which npm's packages are found; gives its path. */
export async function bundleHost(entryPoint: string, folder: string): Promise<string> {
  const outfile = join(projectRoot(), folder, "host.mjs");
  await build({
    entryPoints: [join(projectRoot(), "tests/runtimes", entryPoint)],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    packages: "external",
    logLevel: "warning",
  });
  return outfile;
}

function theInstalledPackage(resolveDir: string, include: boolean): Plugin {
  return {
    name: "the installed package",
    setup(bundle) {
      bundle.onResolve({ filter: /\/mod\.ts$/ }, ({ path, kind }) => {
        const name = path.endsWith("/wolfssl/mod.ts") ? "@pgduplex/wolfssl" : "pgduplex";
        return include ? bundle.resolve(name, { kind, resolveDir }) : { path: name, external: true };
      });
    },
  };
}
