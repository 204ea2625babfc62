/**
 * Runs the Worker in a folder once, in workerd as Miniflare starts it: `node host.mjs <folder> <task>` prints its report.
 *
 * @module
 */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { Miniflare } from "miniflare";

const [, , folder = "", task = ""] = process.argv;

const files = readdirSync(folder);
const main = "program_worker.mjs"; // the first module is the Worker
const miniflare = new Miniflare({
  modulesRoot: folder,
  modules: [main, ...files.filter((name) => name !== main)].map((name) => ({
    type: name.endsWith(".wasm") ? "CompiledWasm" as const : "ESModule" as const,
    path: join(folder, name),
  })),
  compatibilityDate: "2026-04-01",
  cf: false,
});

async function report(): Promise<string> {
  try {
    await miniflare.ready;
    const response = await miniflare.dispatchFetch("http://worker/", { method: "POST", body: task });
    return await response.text();
  } finally {
    await miniflare.dispose();
  }
}

report().then((text) => console.log(text));
