/**
 * Does rounds on Node, Bun and Deno: a task a line, an outcome a line.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import type { Task } from "./orders.ts";
import { performer } from "./perform.ts";

const perform = performer(() => {
  (globalThis as { gc?: () => void }).gc?.();
  const { user, system } = process.cpuUsage();
  return { cpuMillis: (user + system) / 1000, residentBytes: process.memoryUsage().rss };
});

async function main(): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    console.log(JSON.stringify(await perform(JSON.parse(line) as Task)));
  }
  process.exit(0);
}

main();
