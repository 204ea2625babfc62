/**
 * `node main.mjs <task as JSON>`: runs the program of one library by each way to the database, and prints a report of each
 * as a line of JSON. It must end by itself: a library that has ended its clients leaves nothing behind.
 *
 * @module
 */

import * as driver from "pg";
import { config } from "pgduplex";
import { Stage } from "./stage.mjs";

const { program, ways } = JSON.parse(process.argv[2]);
const { default: run } = await import(`./${program}.mjs`);
for (const way of ways) {
  // What a program can say to clients that a library makes by itself; here to both copies of the package.
  for (const one of [driver.config, config]) Object.assign(one, way.config);
  const stage = new Stage(driver, way);
  const report = { way: way.name, steps: stage.steps, error: undefined };
  try {
    await run(stage);
  } catch (error) {
    report.error = describe(error);
  }
  console.log(JSON.stringify(report));
  if (report.error) process.exit(1); // with clients left open
}

function describe(error) {
  const because = error?.cause ?? error?.original ?? error?.parent;
  return `${error?.stack ?? JSON.stringify(error)}${because ? `\nbecause: ${describe(because)}` : ""}`;
}
