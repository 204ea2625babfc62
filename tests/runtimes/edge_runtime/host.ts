/**
 * Runs an edge function once, in Vercel's edge-runtime: `node host.mjs <function> <core.wasm> <request> [<environment>]`
 * prints what it answers; the environment is JSON. Run from the folder that has npm `edge-runtime` installed.
 *
 * @module
 */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import process from "node:process";

const [, , path = "", corePath = "", request = "", environment = "{}"] = process.argv;

interface EdgeRuntimePackage {
  readonly EdgeRuntime: new (
    options: { initialCode: string; extend(context: Record<string, unknown>): Record<string, unknown> },
  ) => {
    dispatchFetch(url: string, init: RequestInit): Promise<Response>;
  };
}

const require = createRequire(`${process.cwd()}/`);
const { EdgeRuntime } = require("edge-runtime") as EdgeRuntimePackage;
const core = new WebAssembly.Module(readFileSync(corePath));
/** As Next.js has it in edge functions: it is there, and its functions throw. */
const pretender = {
  env: JSON.parse(environment),
  getBuiltinModule() {
    throw new Error("A Node.js API is used (process.getBuiltinModule) which is not supported in the Edge Runtime.");
  },
};
const runtime = new EdgeRuntime({
  initialCode: readFileSync(path, "utf8"),
  extend: (context) => Object.assign(context, { core, process: pretender }),
});

runtime.dispatchFetch("http://function/", { method: "POST", body: request })
  .then((response) => response.text())
  .then((text) => console.log(text));
