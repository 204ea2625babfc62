/**
 * Node, each version that we promise to run on, and Bun, which runs the same program: with the npm package, as a module
 * of either kind.
 *
 * @module
 */

import { join } from "node:path";
import { bundle } from "../bundle.ts";
import { find, installFromNpm } from "../install.ts";
import { run } from "../../../scripts/run.ts";
import { reportOf } from "../process.ts";
import type { Combination, Runtime } from "../runtime.ts";
import type { Stage } from "../stage.ts";

/** What is tested of each major version; one that the machine has is taken as it is. */
const NODE_VERSIONS = ["20.20.2", "22.23.3", "24.21.0"] as const;
const BUN_VERSION = "1.4.5";

const combinations: readonly Combination[] = (["ESM", "CommonJS"] as const).flatMap((form) => [
  { form, transport: "node", tls: "platform" },
  { form, transport: "node", tls: "wolfssl" },
  { form, transport: "websocket", tls: "platform" },
  { form, transport: "websocket", tls: "wolfssl" },
]);

const majors = NODE_VERSIONS.map(majorOf);

/** Node 20, 22 and 24. */
export const node: readonly Runtime[] = NODE_VERSIONS.map((version) => ({
  name: `node${majorOf(version)}`,
  title: `Node ${majorOf(version)}`,
  group: `Node ${majors.join(", ")} (ESM, CommonJS)`,
  combinations,
  prepare: async (stage) => await programRunner(stage, await nodeOf(version)),
}));

/** Bun. */
export const bun: Runtime = {
  name: "bun",
  title: "Bun",
  group: "Bun (ESM, CommonJS)",
  combinations,
  prepare: async (stage) => await programRunner(stage, await bunProgram()),
};

/** The program. */
export async function bunProgram(): Promise<string> {
  return join(await installFromNpm("bun", BUN_VERSION), "node_modules/.bin/bun");
}

async function programRunner(stage: Stage, program: string) {
  const consumer = await stage.consumer();
  const entryPoints = ["node/main.ts"];
  const folders = {
    ESM: await bundle(consumer, { entryPoints, folder: "esm", format: "esm" }),
    CommonJS: await bundle(consumer, { entryPoints, folder: "cjs", format: "cjs" }),
  };
  return {
    version: await versionOf(program),
    run: ({ form }: Combination, task: unknown, signal: AbortSignal) => {
      const entry = form === "CommonJS" ? join(folders.CommonJS, "main.cjs") : join(folders.ESM, "main.mjs");
      return reportOf(program, [entry, JSON.stringify(task)], { signal, cwd: consumer.folder });
    },
  };
}

/** The machine's own Node where it is of that major version, else npm's. */
export async function nodeOf(version: (typeof NODE_VERSIONS)[number]): Promise<string> {
  const own = await find("node");
  if (own !== undefined && majorOf(await versionOf(own)) === majorOf(version)) return own;
  return join(await installFromNpm("node", version), "node_modules/.bin/node");
}

async function versionOf(program: string): Promise<string> {
  return (await run(program, ["--version"])).trim().replace(/^v/, "");
}

function majorOf(version: string): string {
  return version.split(".")[0] ?? version;
}
