/**
 * Vercel's edge-runtime, on this machine's Node.
 *
 * @module
 */

import type { Plugin } from "esbuild";
import { join } from "node:path";
import { bundle, bundleHost } from "../bundle.ts";
import { installFromNpm } from "../install.ts";
import { reportOf } from "../process.ts";
import { type Runtime, Unavailable } from "../runtime.ts";

const VERSION = "4.0.1";

/** Vercel Edge Functions. */
export const edgeRuntime: Runtime = {
  name: "edge-runtime",
  title: "edge-runtime",
  group: "Vercel Edge (edge-runtime)",
  combinations: [{ transport: "websocket", tls: "wolfssl" }],
  async prepare(stage) {
    const installed = await installFromNpm("edge-runtime", VERSION);
    const consumer = await stage.consumer();
    if (consumer.wolfssl === undefined) throw new Unavailable("the wolfSSL core is not built: deno task build:wasm");
    const core = join(consumer.wolfssl.folder, "workerd/core.wasm");
    const folder = await bundle(consumer, {
      entryPoints: ["edge_runtime/program_function.ts"],
      folder: "edge-runtime",
      format: "iife", // edge functions are scripts
      conditions: ["edge-light"],
      plugins: [wasmModule],
    });
    const host = await bundleHost("edge_runtime/host.ts", ".build/runtimes/edge-runtime");
    return {
      version: VERSION,
      run: (_combination, task, signal) => {
        const args = [host, join(folder, "program_function.mjs"), core, JSON.stringify(task)];
        return reportOf("node", args, { cwd: installed, signal });
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
