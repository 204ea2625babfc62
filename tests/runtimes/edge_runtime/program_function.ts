/**
 * An edge function that runs the program: the request is the task, the response the report.
 *
 * @module
 */

import * as driver from "../../../mod.ts";
import { runProgram, type Task } from "../program.ts";

const scope = globalThis as unknown as {
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
};

/** What an edge function answers. */
interface FetchEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

scope.addEventListener("fetch", ({ request, respondWith }) => respondWith(answer(request)));

async function answer(request: Request): Promise<Response> {
  return Response.json(await runProgram(driver, await request.json() as Task));
}
