/**
 * A Worker of these tests, in workerd as Miniflare starts it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { projectRoot } from "../../fixtures/project.ts";

/** A running Worker, which is asked by JSON; each question is a request of its own. */
export interface RunningWorker<Order, Answer> extends AsyncDisposable {
  /** @param signal Cancels the request, as a client does that leaves */
  ask(order: Order, signal?: AbortSignal): Promise<Answer>;
}

/** Starts the Worker whose module is in this file of this folder. */
export async function startWorker<Order, Answer>(file: string): Promise<RunningWorker<Order, Answer>> {
  const root = projectRoot();
  const { outputFiles } = await build({
    entryPoints: [join(root, "tests/runtimes/workerd", file)],
    bundle: true,
    format: "esm",
    platform: "neutral",
    alias: { events: join(root, "scripts/npm/event_emitter.ts") },
    external: ["node:*", "ws", "@pgduplex/wolfssl"],
    supported: { using: false },
    write: false,
    logLevel: "warning",
  });
  const contents = outputFiles[0]?.text ?? assert.fail("esbuild gave nothing");
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents }],
    compatibilityDate: "2026-04-01",
    compatibilityFlags: ["nodejs_compat"],
    cf: false,
  });
  await worker.ready;
  return {
    async ask(order, signal) {
      const init = { method: "POST", body: JSON.stringify(order), signal };
      const response = await worker.dispatchFetch("http://worker/", init as Parameters<Miniflare["dispatchFetch"]>[1]);
      return await response.json() as Answer;
    },
    [Symbol.asyncDispose]: () => worker.dispose(),
  };
}
