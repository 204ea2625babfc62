/** What one request of a Worker leaves to the next: a client fails at once and says why, a pool connects anew. */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import type { ClientConfig, PoolConfig } from "../../../mod.ts";
import { startProxy } from "../../../src/proxy/mod.ts";
import { connectClient } from "../../fixtures/clients.ts";
import { startFakeServer } from "../../fixtures/fake_server.ts";
import { DATABASE, PASSWORDS } from "../../fixtures/postgres.ts";
import { servers } from "../../fixtures/servers.ts";
import type { Order, Outcome } from "./requests_worker.ts";
import { startWorker } from "./worker.ts";

const timeout = 60_000; // milliseconds after which a case counts as hanging

const { postgres } = await servers();
const direct: ClientConfig = {
  ...{ host: postgres.host, port: postgres.port, database: DATABASE },
  ...{ user: "scram_user", password: PASSWORDS.scram_user, ssl: false },
};
const ROWS = { rows: [{ one: 1 }] };

const admin = await connectClient(postgres);
after(() => admin.end());

/** Has whoever asks for it wait in the server, until the work is over. */
async function whileHeld(work: (text: string, arrived: (count: number) => Promise<void>) => Promise<void>) {
  const key = Math.floor(Math.random() * 2 ** 31);
  await admin.query("select pg_advisory_lock($1)", [key]);
  const waiting = "select count(*)::int as n from pg_locks where locktype = 'advisory' and objid = $1 and not granted";
  try {
    await work(`select 1 as one from (select pg_advisory_xact_lock_shared(${key})) lock`, async (count) => {
      while ((await admin.query(waiting, [key])).rows[0].n !== count);
    });
  } finally {
    await admin.query("select pg_advisory_unlock($1)", [key]);
  }
}

type Ask = (what: Order["what"], more?: Partial<Order>, signal?: AbortSignal) => Promise<Outcome>;

/** Runs `body` with a Worker, each of whose answers is that of a request of its own. */
async function withWorker(config: PoolConfig, body: (ask: Ask) => Promise<void>): Promise<void> {
  await using worker = await startWorker<Order, Outcome>("requests_worker.ts");
  await body((what, more, signal) => worker.ask({ what, config: { ...direct, ...config }, ...more }, signal));
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

  test(`by ${name}, requests that share a full pool do not wait for each other's clients`, { timeout }, async () => {
    await using opened = await way();
    await withWorker({ wsProxy: opened.wsProxy, max: 1, connectionTimeoutMillis: 20_000 }, async (ask) => {
      let held: Promise<Outcome>[] = [];
      await whileHeld(async (text, arrived) => {
        held = [ask("pool.connect", { text }), ask("pool.query", { text })];
        await arrived(2);
        assert.deepEqual(await ask("pool.query"), ROWS);
        assert.deepEqual(await ask("pool.connect", { times: 2 }), ROWS);
      });
      assert.deepEqual(await Promise.all(held), [ROWS, ROWS]);
    });
  });

  test(`by ${name}, many requests at a time take and give back in turns`, { timeout }, async () => {
    await using opened = await way();
    await withWorker({ wsProxy: opened.wsProxy, max: 1, connectionTimeoutMillis: 20_000 }, async (ask) => {
      let held: Promise<Outcome> | undefined;
      await whileHeld(async (text, arrived) => {
        held = ask("pool.connect", { text });
        await arrived(1);
        // More than a pool keeps the clients of.
        const asked = Array.from(
          { length: 24 },
          (_, n) => ask(n % 2 === 0 ? "pool.query" : "pool.connect", { times: 5 }),
        );
        assert.deepEqual(await Promise.all(asked), Array(24).fill(ROWS));
      });
      assert.deepEqual(await held, ROWS);
    });
  });

  test(`by ${name}, what cancelled requests have taken from a pool does not fill it`, { timeout }, async () => {
    await using opened = await way();
    await withWorker({ wsProxy: opened.wsProxy, max: 1, connectionTimeoutMillis: 20_000 }, async (ask) => {
      await whileHeld(async (text, arrived) => {
        for (const [before, what] of (["pool.connect", "pool.query"] as const).entries()) {
          const client = new AbortController();
          const left = ask(what, { text }, client.signal);
          await arrived(before + 1); // the server does not look for clients that have left while it waits
          client.abort();
          await assert.rejects(left, { name: "AbortError" });
          assert.deepEqual(await ask("pool.query"), ROWS);
        }
      });
    });
  });

  test(`by ${name}, a pool that one request has ended serves no other`, { timeout }, async () => {
    await using opened = await way();
    await withWorker({ wsProxy: opened.wsProxy }, async (ask) => {
      await whileHeld(async (text, arrived) => {
        const held = ask("pool.connect", { text });
        await arrived(1);
        assert.deepEqual(await ask("pool.query"), ROWS);
        assert.deepEqual(await ask("pool.end"), {});
        assert.equal((await ask("pool.query")).error?.code, "POOL_ENDED");
        assert.equal((await ask("pool.end")).error?.code, "POOL_ENDED_TWICE");
        await admin.query("select pg_advisory_unlock_all()");
        assert.equal(
          (await held).error?.code,
          "POOL_ENDED",
          "what it had taken was well; it then asks for another one",
        );
      });
    });
  });
}

test("what cancelled requests were still connecting does not fill a pool", { timeout }, async () => {
  let reached = () => {};
  await using server = await startFakeServer(async (connection) => {
    await connection.startup();
    reached(); // and no answer
    await connection.bytes();
  });
  const { host, port } = server;
  await withWorker({ host, port, max: 1, connectionTimeoutMillis: 20_000 }, async (ask) => {
    for (let request = 1; request <= 3; request++) {
      const client = new AbortController();
      const connecting = new Promise<void>((resolve) => reached = resolve);
      const left = ask(request % 2 === 0 ? "pool.query" : "pool.connect", {}, client.signal);
      await connecting;
      client.abort();
      await assert.rejects(left, { name: "AbortError" });
      assert.equal(server.accepted, request);
    }
  });
});
