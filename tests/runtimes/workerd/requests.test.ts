/** What one request of a Worker leaves to the next: a client fails at once and says why, a pool connects anew. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import type { ClientConfig } from "../../../mod.ts";
import { startProxy } from "../../../src/proxy/mod.ts";
import { DATABASE, PASSWORDS } from "../../fixtures/postgres.ts";
import { projectRoot } from "../../fixtures/project.ts";
import { servers } from "../../fixtures/servers.ts";
import type { Order, Outcome } from "./requests_worker.ts";

const timeout = 60_000; // milliseconds after which a case counts as hanging

const { postgres } = await servers();
const direct: ClientConfig = {
  ...{ host: postgres.host, port: postgres.port, database: DATABASE },
  ...{ user: "scram_user", password: PASSWORDS.scram_user, ssl: false },
};
const ROWS = { rows: [{ one: 1 }] };

/** Runs `body` with a Worker, each of whose answers is that of a request of its own. */
async function withWorker(
  way: ClientConfig,
  body: (ask: (what: Order["what"]) => Promise<Outcome>) => Promise<void>,
): Promise<void> {
  const root = projectRoot();
  const { outputFiles } = await build({
    entryPoints: [join(root, "tests/runtimes/workerd/requests_worker.ts")],
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
  try {
    await body(async (what) => {
      const order: Order = { what, config: { ...direct, ...way } };
      const response = await worker.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(order) });
      return await response.json() as Outcome;
    });
  } finally {
    await worker.dispose();
  }
}

const ways: readonly (readonly [name: string, way: () => Promise<ClientConfig & AsyncDisposable>])[] = [
  ["cloudflare:sockets", () => Promise.resolve({ async [Symbol.asyncDispose]() {} })],
  ["a WebSocket", async () => {
    const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
    return { wsProxy: `ws://127.0.0.1:${proxy.port}`, [Symbol.asyncDispose]: () => proxy.close({ drainMillis: 0 }) };
  }],
];

for (const [name, way] of ways) {
  test(`by ${name}, a client of another request fails at once, each time, and can be ended`, { timeout }, async () => {
    await using opened = await way();
    const { wsProxy } = opened;
    await withWorker({ wsProxy }, async (ask) => {
      assert.deepEqual(await ask("connect"), ROWS);
      for (const what of ["query", "query", "stream"] as const) {
        const { error } = await ask(what);
        assert.deepEqual([error?.name, error?.code], ["ClientError", "CLIENT_OTHER_REQUEST"], what);
        assert.match(
          error?.message ?? "",
          /connected in another request.*connect a client in each request, or use a Pool/,
        );
      }
      assert.deepEqual(await ask("end"), {});
      assert.equal((await ask("query")).error?.code, "CLIENT_CLOSED");
      assert.deepEqual(await ask("connect"), ROWS);
    });
  });

  test(`by ${name}, a pool that is kept connects anew in each request`, { timeout }, async () => {
    await using opened = await way();
    const { wsProxy } = opened;
    await withWorker({ wsProxy }, async (ask) => {
      for (const what of ["pool.query", "pool.query", "pool.connect", "pool.connect", "pool.query"] as const) {
        assert.deepEqual(await ask(what), ROWS, what);
      }
    });
  });
}
