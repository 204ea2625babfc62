/**
 * An edge function that runs the program: the request is the task, the response the report.
 *
 * @module
 */

import * as driver from "../../../mod.ts";
import { wolfssl } from "../../../wolfssl/mod.ts";
import { runProgram, type Task } from "../program.ts";

const scope = globalThis as unknown as {
  /** What the platform makes of `import core from "….wasm?module"`. */
  readonly core: WebAssembly.Module;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
};

/** What an edge function answers. */
interface FetchEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

scope.addEventListener("fetch", ({ request, respondWith }) => respondWith(answer(request)));

async function answer(request: Request): Promise<Response> {
  const task = await request.json() as Task;
  const config = { ...task.config, tlsEngine: wolfssl({ module: scope.core }) };
  return Response.json(await runProgram(driver, { ...task, config }));
}
