/** Clients and pools behind what programs put around them, beside node-postgres's. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import pg from "pg";
import * as ours from "../../mod.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const url = connectionUrl(postgres, "scram_user");
const theirs = pg as unknown as typeof ours;

/** Made when it is first asked for, as applications keep a pool from being made where they are only built. */
function late<T extends object>(make: () => T): T {
  let made: T | undefined;
  return new Proxy({} as T, { get: (_, name) => Reflect.get(made ??= make(), name) });
}

const WRAPPERS: readonly (readonly [name: string, wrap: <T extends object>(make: () => T) => T])[] = [
  ["a Proxy", (make) => new Proxy(make(), {})],
  ["a Proxy with a trap", (make) => new Proxy(make(), { get: (target, name) => Reflect.get(target, name) })],
  ["a Proxy that makes it when it is asked for", late],
  ["an object that inherits from it", (make) => Object.create(make())],
];

/** Those behind which node-postgres keeps what it knows: the others forget what is assigned to them. */
const KEEPING = 2;

for (
  const [whose, { Client, Pool, Query }, wrappers] of [
    ["our", ours, WRAPPERS],
    ["node-postgres's", theirs, WRAPPERS.slice(0, KEEPING)],
  ] as const
) {
  for (const [name, wrap] of wrappers) {
    test(`${whose} client behind ${name}`, async () => {
      const client = wrap(() => new Client(url));
      await client.connect();
      assert.deepEqual((await client.query("select $1::int as n", [1])).rows, [{ n: 1 }]);
      const called = new Promise((resolve) => client.query("select 2 as n", (_, { rows }) => resolve(rows)));
      assert.deepEqual(await called, [{ n: 2 }]);
      await once(client.query(new Query("select 3")), "end");
      assert.equal(client.user, "scram_user");
      assert.equal(client.getTransactionStatus(), "I");
      assert.equal(typeof client.processID, "number");
      assert.equal(client.escapeLiteral("x"), "'x'");
      await client.end();
    });

    test(`${whose} pool behind ${name}`, async () => {
      const pool = wrap(() => new Pool({ connectionString: url, max: 2 }));
      assert.deepEqual((await pool.query("select $1::int as n", [1])).rows, [{ n: 1 }]);
      const client = await pool.connect();
      assert.deepEqual((await client.query("select 2 as n")).rows, [{ n: 2 }]);
      client.release();
      assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [1, 1, 0]);
      const called = new Promise((resolve) => pool.query("select 3 as n", (_, { rows }) => resolve(rows)));
      assert.deepEqual(await called, [{ n: 3 }]);
      await pool.end();
    });
  }
}

for (const [name, wrap] of WRAPPERS) {
  test(`what our client and pool do beyond node-postgres's, behind ${name}`, async () => {
    const pool = wrap(() => new ours.Pool({ connectionString: url, max: 1 }));
    for await (const row of pool.stream("select 1 as n")) assert.deepEqual(row, { n: 1 });
    assert.equal(await pool.transaction(async (transaction) => (await transaction.query("select 1")).rowCount), 1);
    await pool.end();
    const client = wrap(() => new ours.Client(url));
    await client.connect();
    await client.loadTypes();
    assert.equal(await client.transaction(async (transaction) => (await transaction.query("select 1")).rowCount), 1);
    assert.equal(client.parameters.get("client_encoding"), "UTF8");
    assert.equal(client.connectionInfo?.remote, `${postgres.host}:${postgres.port}`);
    await client.end();
  });
}
