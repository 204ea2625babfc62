/**
 * Vercel's edge-runtime, on this machine's Node.
 *
 * @module
 */

import type { Plugin } from "esbuild";
import { join } from "node:path";
import { bundle, bundleHost, type BundleOptions } from "../bundle.ts";
import { installFromNpm } from "../install.ts";
import { reportOf } from "../process.ts";
import { type Runtime, Unavailable } from "../runtime.ts";

const VERSION = "4.0.1";

/** Installs edge-runtime; gives its folder, where the host is to be run, and the host. */
export async function edgeHost(): Promise<{ readonly cwd: string; readonly host: string }> {
  const cwd = await installFromNpm("edge-runtime", VERSION);
  return { cwd, host: await bundleHost("edge_runtime/host.ts", ".build/runtimes/edge-runtime") };
}

/** Vercel Edge Functions. */
export const edgeRuntime: Runtime = {
  name: "edge-runtime",
  title: "edge-runtime",
  group: "Vercel Edge (edge-runtime)",
  combinations: [{ transport: "websocket", tls: "wolfssl" }],
  async prepare(stage) {
    const { cwd, host } = await edgeHost();
    const consumer = await stage.consumer();
    if (consumer.wolfssl === undefined) throw new Unavailable("the wolfSSL core is not built: deno task build:wasm");
    const core = join(consumer.wolfssl.folder, "workerd/core.wasm");
    const folder = await bundle(consumer, {
      entryPoints: ["edge_runtime/program_function.ts"],
      folder: "edge-runtime",
      ...EDGE_BUNDLE,
    });
    return {
      version: VERSION,
      run: (_combination, task, signal) => {
        const args = [host, join(folder, "program_function.mjs"), core, JSON.stringify(task)];
        return reportOf("node", args, { cwd, signal });
      },
    };
  },
};

/** As Vercel's bundlers have it: a module of WebAssembly is compiled beforehand, and handed in by the host. */
const wasmModule: Plugin = {
  name: "wasm?module",
  setup(build) {
    build.onResolve({ filter: /\.wasm\?module$/ }, ({ path }) => ({ path, namespace: "wasm-module" }));
    build.onLoad({ filter: /.*/, namespace: "wasm-module" }, () => ({ contents: "export default globalThis.core;" }));
  },
};

/** What bundling for edge functions takes. */
export const EDGE_BUNDLE = {
  format: "iife", // edge functions are scripts
  conditions: ["edge-light"],
  plugins: [wasmModule],
} as const satisfies Partial<BundleOptions>;
