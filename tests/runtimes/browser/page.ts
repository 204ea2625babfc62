/**
 * The program in a page: asks its server for the task and gives it the report.
 *
 * @module
 */

import * as driver from "../../../mod.ts";
import { runProgram } from "../program.ts";

const task = await (await fetch("/task")).json();
await fetch("/report", { method: "POST", body: JSON.stringify(await runProgram(driver, task)) });
