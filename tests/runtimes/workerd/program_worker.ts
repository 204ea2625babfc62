/**
 * A Worker that runs the program: the request is the task, the response the report.
 *
 * @module
 */

import * as driver from "../../../mod.ts";
import { runProgram } from "../program.ts";

export default {
  async fetch(request: Request): Promise<Response> {
    return Response.json(await runProgram(driver, await request.json()));
  },
};
