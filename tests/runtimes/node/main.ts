/**
 * The program on Node and Bun, as a module of either kind.
 *
 * @module
 */

import process from "node:process";
import * as driver from "../../../mod.ts";
import { runProgram } from "../program.ts";

runProgram(driver, JSON.parse(process.argv[2] ?? "")).then((report) => console.log(JSON.stringify(report)));
