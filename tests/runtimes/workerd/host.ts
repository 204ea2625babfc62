/**
 * Runs the Worker in a folder once, in workerd as Miniflare starts it: `node host.mjs <folder> <task>` prints its report.
 *
 * @module
 */

import process from "node:process";
import { Miniflare } from "miniflare";
import { modulesIn } from "./modules.ts";

const [, , folder = "", task = ""] = process.argv;

const miniflare = new Miniflare({
  modulesRoot: folder,
  modules: modulesIn(folder, "program_worker.mjs"),
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
