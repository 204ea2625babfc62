/**
 * Does rounds in a Worker: a request is a task, the response its outcome.
 *
 * @module
 */

// What the package's own entry for Workers does: the module is imported, since none is compiled at run time.
// @ts-types="./wasm.d.ts"
import module from "../../wolfssl/core.wasm";
import type { Task } from "./orders.ts";
import { performer } from "./perform.ts";

const perform = performer(undefined, { module });

export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(await perform(await request.json() as Task));
  },
};
