/**
 * The bundlers that programs reach us through, each set up as little as its users can.
 *
 * @module
 */

import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import assert from "node:assert/strict";
import { builtinModules } from "node:module";
import { rename } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { rollup } from "rollup";
import { build as vite } from "vite";
import webpack from "webpack";
import { projectRoot } from "../fixtures/project.ts";
import { bunProgram, nodeOf } from "../runtimes/node/runtime.ts";
import { run } from "./npm_consumer.ts";

/** Where a bundle is to run. */
export type Target = "browser" | "workerd" | "node";

/** What to bundle: one module and what it imports, to `main.mjs` in a folder. */
export interface Order {
  readonly entry: string;
  readonly outDir: string;
  readonly target: Target;
}

/**
 * A bundler. Fails where it warns. For Workers a WebAssembly file stays a module of its own, `./core.wasm`, as Wrangler and
 * Cloudflare's plugin for Vite have it.
 */
export type Bundler = (order: Order) => Promise<void>;

/** The compatibility date of Workers, which are run without flags. */
export const WORKERD_DATE = "2026-04-01";

/** Wrangler's, and after them its bundler's own. */
const WORKERD_CONDITIONS = ["workerd", "worker", "browser"];

/** What rollup and vite are to do with WebAssembly on Workers. */
const keepWasm = {
  name: "keep wasm",
  enforce: "pre" as const, // before Vite makes something of it
  resolveId: (specifier: string) => WASM.test(specifier) ? { id: WASM_FILE, external: true } : null,
};

const WASM = /\.wasm$/;
const WASM_FILE = "./core.wasm";

/** npm `ws` asks for them and goes without; webpack warns of that wherever it is bundled. */
const OPTIONAL_PARTS_OF_WS = /Can't resolve '(bufferutil|utf-8-validate)' in '.*\bws\b/;

const NODE_BUILTINS = [...builtinModules, /^node:/];

/** Bundlers that bundle for some targets alone. */
export const TARGETS: Readonly<Record<string, readonly Target[]>> = { wrangler: ["workerd"] };

export const BUNDLERS: Readonly<Record<string, Bundler>> = {
  async esbuild({ entry, outDir, target }) {
    const { warnings } = await esbuild({
      entryPoints: [entry],
      outfile: join(outDir, "main.mjs"),
      bundle: true,
      format: "esm",
      platform: target === "node" ? "node" : "browser",
      ...target === "workerd"
        ? {
          conditions: WORKERD_CONDITIONS,
          plugins: [{
            name: keepWasm.name,
            setup: (bundle) => bundle.onResolve({ filter: WASM }, () => ({ path: WASM_FILE, external: true })),
          }],
        }
        : {},
      // CommonJS of dependencies needs Node's require, which ES modules lack.
      ...target === "node" ? { external: ["ws"] } : {},
      logLevel: "silent",
    });
    assert.deepEqual(warnings, []);
  },

  async rollup({ entry, outDir, target }) {
    const warnings: string[] = [];
    const conditions = target === "workerd" ? WORKERD_CONDITIONS : target === "browser" ? ["browser"] : ["node"];
    const bundle = await rollup({
      input: entry,
      plugins: [
        ...target === "workerd" ? [keepWasm] : [],
        nodeResolve({ exportConditions: [...conditions, "module", "import", "default"] }),
      ],
      ...target === "node" ? { external: ["ws", ...NODE_BUILTINS] } : {},
      onwarn: ({ message }) => void warnings.push(message),
    });
    await bundle.write({ dir: outDir, format: "es", entryFileNames: "main.mjs", chunkFileNames: "[name]-[hash].mjs" });
    await bundle.close();
    assert.deepEqual(warnings, []);
  },

  async webpack({ entry, outDir, target }) {
    const compiler = webpack({
      mode: "production",
      entry,
      target: target === "node" ? "node20" : target === "browser" ? ["web", "es2022"] : ["webworker", "es2022"],
      experiments: { outputModule: true },
      output: {
        path: outDir,
        filename: "main.mjs",
        chunkFilename: "[id].mjs",
        module: true,
        library: { type: "module" },
      },
      ...target === "workerd"
        ? {
          resolve: { conditionNames: [...WORKERD_CONDITIONS, "import"] },
          externals: ({ request }: { request?: string }, decide: (error?: undefined, external?: string) => void) =>
            WASM.test(request ?? "") ? decide(undefined, `module ${WASM_FILE}`) : decide(),
        }
        : {},
      performance: false,
    });
    assert.ok(compiler);
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
      compiler.run((error, result) => error ? reject(error) : resolve(result))
    );
    await new Promise((resolve) => compiler.close(resolve));
    const { errors, warnings } = stats?.toJson({ all: false, errors: true, warnings: true }) ?? {};
    const messages = [errors, warnings].flat().map((one) => String(one?.message));
    assert.deepEqual(messages.filter((message) => !OPTIONAL_PARTS_OF_WS.test(message)), []);
  },

  async vite({ entry, outDir, target }) {
    const warnings: string[] = [];
    await vite({
      configFile: false,
      logLevel: "silent",
      root: join(entry, ".."),
      ...target === "workerd" ? { resolve: { conditions: WORKERD_CONDITIONS }, plugins: [keepWasm] } : {},
      ...target === "node" ? { ssr: { noExternal: ["pgduplex"], external: ["ws"] } } : {},
      build: {
        outDir,
        emptyOutDir: false,
        ssr: target === "node",
        target: "es2022",
        ...target === "node" ? {} : { lib: { entry, formats: ["es"], fileName: () => "main.mjs" } },
        rollupOptions: {
          ...target === "node" ? { input: entry, output: { entryFileNames: "main.mjs" } } : {},
          onwarn: ({ message }) => void warnings.push(String(message)),
        },
      },
    });
    assert.deepEqual(warnings, []);
  },

  // What `wrangler deploy` would upload, the WebAssembly module included.
  async wrangler({ entry, outDir }) {
    const program = join(projectRoot(), "node_modules/wrangler/bin/wrangler.js");
    const args = ["deploy", entry, "--dry-run", "--outdir", outDir, "--name", "program"];
    const printed = await run(
      await nodeOf("22.23.3"), // no older one will do for it
      [program, ...args, "--compatibility-date", WORKERD_DATE],
      dirname(entry),
      { CI: "1", WRANGLER_SEND_METRICS: "false", WRANGLER_LOG_PATH: outDir, NO_COLOR: "1" },
    );
    assert.doesNotMatch(printed, /WARNING/);
    await rename(join(outDir, basename(entry).replace(/\.mjs$/, ".js")), join(outDir, "main.mjs"));
  },

  async bun({ entry, outDir, target }) {
    await run(await bunProgram(), [
      ...["build", entry, "--format=esm", "--splitting", `--outdir=${outDir}`],
      `--target=${target === "node" ? "node" : "browser"}`,
      "--entry-naming=main.mjs",
      "--chunk-naming=[name]-[hash].mjs",
      ...target === "workerd" ? ["--conditions=workerd", "--external=*.wasm"] : [],
    ], dirname(entry));
  },
};
