/**
 * The program in an Isolated Web App: whoever drives the browser calls it.
 *
 * @module
 */

import * as driver from "../../../mod.ts";
import { runProgram, type Task } from "../program.ts";

Object.assign(globalThis, { runTask: (task: Task) => runProgram(driver, task) });
