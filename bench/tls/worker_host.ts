/**
 * Runs the Worker in workerd, as Miniflare starts it: `node worker_host.mjs <folder>` takes a task a line and prints an
 * outcome a line.
 *
 * @module
 */

import { Miniflare } from "miniflare";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";

const [, , folder = ""] = process.argv;

async function main(): Promise<void> {
  const miniflare = new Miniflare({
    modulesRoot: folder,
    modules: ["worker.mjs", ...readdirSync(folder).filter((name) => name !== "worker.mjs")].map((name) => ({
      type: name.endsWith(".wasm") ? "CompiledWasm" as const : "ESModule" as const,
      path: join(folder, name),
    })),
    compatibilityDate: "2026-04-01",
    cf: false,
  });
  await miniflare.ready;
  for await (const body of createInterface({ input: process.stdin })) {
    const response = await miniflare.dispatchFetch("http://worker/", { method: "POST", body });
    console.log(await response.text());
  }
  await miniflare.dispose();
}

main();
