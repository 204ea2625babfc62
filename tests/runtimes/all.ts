/**
 * All runtimes, in the order of the tables.
 *
 * @module
 */

import { chromium, chromiumWorker, firefox } from "./browser/runtime.ts";
import { deno } from "./deno/runtime.ts";
import { directSockets } from "./direct_sockets/runtime.ts";
import { edgeRuntime } from "./edge_runtime/runtime.ts";
import { bun, node } from "./node/runtime.ts";
import type { Runtime } from "./runtime.ts";
import { workerd } from "./workerd/runtime.ts";

/** What `deno task test:runtimes` runs. */
export const RUNTIMES: readonly Runtime[] = [
  deno,
  ...node,
  bun,
  workerd,
  edgeRuntime,
  chromium,
  chromiumWorker,
  firefox,
  directSockets,
];
