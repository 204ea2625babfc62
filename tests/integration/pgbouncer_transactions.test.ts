/** Behind a PgBouncer that pools by transaction: every transaction may meet another server connection. */

import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { type Client, type ClientConfig, type DriverError, Pool } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectClient } from "../fixtures/clients.ts";
import { TRANSACTION_POOL } from "../fixtures/pgbouncer.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { NO_PGBOUNCER, servers } from "../fixtures/servers.ts";

const { pgbouncer, postgres, certificates } = await servers();
const address = pgbouncer ?? postgres;
const skip = pgbouncer ? false : NO_PGBOUNCER;
const url = connectionUrl(address, "scram_user", { database: TRANSACTION_POOL });
const proxy = await startProxy({ allow: [`${address.host}:${address.port}`] });
const admin = await connectClient(postgres);
const table = `pooled_${process.pid}_${Date.now()}`;
await admin.query(`create table ${table} (way text primary key, n int not null)`);
after(async () => {
  await admin.query(`drop table ${table}`);
  await admin.end();
  await proxy.close({ drainMillis: 0 });
});

const WAYS: readonly (readonly [name: string, config: ClientConfig])[] = [
  ["TCP", {}],
  ["WebSocket, in WolfSSL's TLS", {
    wsProxy: `ws://127.0.0.1:${proxy.port}`,
    rootCerts: certificates.ca.cert,
    tlsEngine: "wolfssl",
  }],
];
const CLIENTS = 6;
const ROUNDS = 15;

for (const [way, config] of WAYS) {
  /** The same work of several clients at a time, so that PgBouncer has reason to exchange their servers. */
  const atOnce = async (more: ClientConfig, work: (client: Client, index: number) => Promise<void>) => {
    const pool = new Pool({ connectionString: url, ...config, ...more, max: CLIENTS });
    const one = async (_: unknown, index: number) => {
      const client = await pool.connect();
      try {
        await work(client as unknown as Client, index);
      } finally {
        client.release();
      }
    };
    try {
      await Promise.all(Array.from({ length: CLIENTS }, one));
    } finally {
      await pool.end();
    }
  };

  test(`${way}: queries with values need no server of their own`, { skip }, async () => {
    await atOnce({}, async (client, index) => {
      for (let n = 0; n < ROUNDS; n++) {
        const [one, two] = await Promise.all([
          client.query("select $1::int + $2::int as sum", [index, n]),
          client.query("select $1::text[] as list", [[String(n), null]]),
        ]);
        assert.deepEqual([one.rows, two.rows], [[{ sum: index + n }], [{ list: [String(n), null] }]]);
      }
    });
  });

  test(`${way}: a transaction has one server from its beginning to its end, and counts rightly`, { skip }, async () => {
    await admin.query(`insert into ${table} values ($1, 0)`, [way]);
    await atOnce({}, async (client) => {
      for (let n = 0; n < ROUNDS; n++) {
        await client.transaction(async (transaction) => {
          const pid = async () => (await transaction.query("select pg_backend_pid() as pid")).rows[0].pid;
          const first = await pid();
          await transaction.query(`update ${table} set n = n + 1 where way = $1`, [way]);
          await assert.rejects(
            transaction.transaction((nested) => nested.query("select 1 / 0")),
            { code: "22012" },
          );
          assert.equal(await pid(), first);
        });
      }
    });
    const { rows } = await admin.query(`select n from ${table} where way = $1`, [way]);
    assert.deepEqual(rows, [{ n: CLIENTS * ROUNDS }]);
  });

  test(`${way}: a cache of prepared statements answers rightly, or refuses as harmless, until it gives up`, {
    skip,
  }, async () => {
    await atOnce({ statementCache: 10 }, async (client, index) => {
      let refused = 0;
      for (let n = 0; n < ROUNDS;) {
        try {
          assert.deepEqual((await client.query(`select $1::int + ${index} as sum`, [n])).rows, [{ sum: n + index }]);
          n++;
        } catch (error) {
          if ((error as DriverError).safeToRetry !== true || ++refused > 3) throw error;
        }
      }
    });
  });

  test(`${way}: named queries are PgBouncer's affair, and leave the client usable`, { skip }, async () => {
    await atOnce({}, async (client, index) => {
      for (let n = 0; n < ROUNDS; n++) {
        const query = client.query({ name: `named ${way}`, text: "select $1::int as n", values: [n] });
        const outcome = await query.then(({ rows }) => rows, ({ code }) => code);
        // 26000: the server has no such statement; 42P05: it has one already, of another client.
        if (outcome !== "26000" && outcome !== "42P05") assert.deepEqual(outcome, [{ n }]);
        assert.deepEqual((await client.query("select $1::int as n", [index])).rows, [{ n: index }]);
      }
    });
  });

  test(`${way}: rows are streamed among others' transactions`, { skip }, async () => {
    await atOnce({}, async (client) => {
      let sum = 0;
      for await (
        const { n } of client.stream("select n from generate_series(1, $1::int) n", [500], { batchSize: 20 })
      ) {
        sum += n;
      }
      assert.equal(sum, 125_250);
    });
  });
}
