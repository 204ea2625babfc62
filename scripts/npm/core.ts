/**
 * The subpath `./core`: the same package without the engine that it would load lazily, for programs that want no trace of
 * `@pgduplex/wolfssl`, or bring a `tlsEngine` of their own.
 *
 * @module
 */

import { build } from "esbuild";
import { join } from "node:path";
import { LazyImports } from "./lazy_imports.ts";
import { type Exports, stemOf } from "./manifest.ts";
import { BROWSER, bundleOptions, EDGE_LIGHT, ENGINE, type Platform, WORKERD } from "./platforms.ts";

const LEFT_OUT = `left out of pgduplex/core: import pgduplex, or set tlsEngine to an engine`;

/** Wherever there is neither condition: every runtime's parts, in one file. */
const EVERYWHERE: Platform = {
  name: "core",
  always: [
    ...new Set([...BROWSER.always, ...BROWSER.never, ...WORKERD.always, ...WORKERD.never]),
    ...BROWSER.alone,
  ],
  never: [ENGINE],
  alone: [],
  leftOut: LEFT_OUT,
  dependencies: ["events", "ws"],
};

/** Bundles `core.js` of the main entry point for each platform, and gives what `exports` has to say of it. */
export async function bundleCore(outDir: string, entryPoint: string): Promise<Exports> {
  for (const platform of [BROWSER, EDGE_LIGHT, WORKERD]) {
    const { always, never, apart = [] } = platform;
    const withoutEngine = {
      ...platform,
      // One file: who takes the core runs it on a server more often than in a page.
      always: [...always, ...apart],
      apart: [],
      never: [...never, ENGINE],
      leftOut: LEFT_OUT,
    };
    await bundle(withoutEngine, join(outDir, platform.name), "js");
  }
  const folder = join(outDir, EVERYWHERE.name);
  await bundle(EVERYWHERE, folder, "js");
  await bundle(EVERYWHERE, folder, "cjs");
  await Deno.writeTextFile(join(folder, "package.json"), '{\n  "type": "module",\n  "sideEffects": false\n}\n');

  const types = `./esm/${stemOf(entryPoint)}.d.ts`;
  return {
    workerd: { import: { types, default: "./workerd/core.js" } },
    "edge-light": { import: { types, default: "./edge-light/core.js" } },
    browser: { import: { types, default: "./browser/core.js" } },
    import: { types, default: "./core/core.js" },
    require: { types: `./script/${stemOf(entryPoint)}.d.ts`, default: "./core/core.cjs" },
  };

  async function bundle(platform: Platform, outdir: string, suffix: "js" | "cjs"): Promise<void> {
    const options = bundleOptions(platform, new LazyImports(platform));
    await build({
      ...options,
      entryPoints: { core: entryPoint },
      outdir,
      outExtension: { ".js": `.${suffix}` },
      ...suffix === "cjs" ? { format: "cjs", splitting: false } : {},
    });
  }
}
