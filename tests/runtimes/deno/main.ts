/**
 * The program on Deno, from source, with no permission but to reach the servers.
 *
 * @module
 */

import * as driver from "../../../mod.ts";
import { runProgram } from "../program.ts";

console.log(JSON.stringify(await runProgram(driver, JSON.parse(Deno.args[0] ?? ""))));
