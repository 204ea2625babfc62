import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import pg from "pg";
import Cursor from "pg-cursor";
import { type DriverError, Pool, type PoolClient, type Queryable } from "../../mod.ts";
import { rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const connectionString = connectionUrl(postgres, "scram_user");
const pool = new Pool({ connectionString, max: 2 });
const table = `beyond_pool_${process.pid}_${Date.now()}`;
await pool.query(`create table ${table} (id int primary key)`);
after(async () => {
  await pool.query(`drop table ${table}`);
  await pool.end();
});

const stored = async () => (await pool.query(`select id from ${table} order by id`)).rows.map(({ id }) => id);

/** All clients are back, as soon as what was given back has arrived. */
async function assertAllBack(): Promise<void> {
  const clients = await Promise.all([pool.connect(), pool.connect()]);
  for (const client of clients) {
    assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
    assert.equal(client.getTransactionStatus(), "I");
    client.release();
  }
  assert.equal(pool.waitingCount, 0);
  assert.equal(pool.totalCount, 2);
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

test("a transaction has a client of its own, and gives it back", async () => {
  const settled = await Promise.allSettled([1, 2, 3, 4].map((id) =>
    pool.transaction(async (transaction) => {
      await transaction.query(`insert into ${table} values ($1)`, [id]);
      if (id === 3) throw new Error("not three");
    }, { isolation: "repeatable read", retries: 1 })
  ));
  assert.deepEqual(settled.map(({ status }) => status), ["fulfilled", "fulfilled", "rejected", "fulfilled"]);
  assert.deepEqual(await stored(), [1, 2, 4]);
  await assertAllBack();
});

test("a transaction whose connection is lost leaves the pool well", async () => {
  const kill = "select pg_terminate_backend(pg_backend_pid())";
  await assert.rejects(pool.transaction((transaction) => transaction.query(kill)), { code: "57P01" });
  await assertAllBack();
});

test("a stream gives its client back at its end, early or not, while others run queries", async () => {
  const series = "select generate_series(1, $1::int) as n";
  const rows = await collect(pool.stream<{ n: number }>(series, [250]));
  assert.equal(rows.length, 250);
  for await (const { n } of pool.stream<{ n: number }>(series, [1000], { batchSize: 10 })) {
    await pool.query("select 1");
    if (n === 30) break;
  }
  await assert.rejects(collect(pool.stream("select nonsense")), { code: "42703" });
  const cursor = pool.cursor(series, [5]);
  assert.equal((await cursor.read(3)).length, 3);
  assert.equal((await cursor.read(3)).length, 2);
  await pool.cursor(series, [5]).close();
  await assertAllBack();
});

test("a stream's rows are parsed by its client's own parsers", async () => {
  const types = { getTypeParser: () => (text: string) => `<${text}>` };
  await using own = new Pool({ connectionString, types });
  assert.deepEqual(await collect(own.stream("select 1 as one")), [{ one: "<1>" }]);
});

test("COPY in both directions", async () => {
  await pool.query(`truncate ${table}`);
  assert.equal(await pool.copyFrom(`copy ${table} from stdin`, [[1], [2]]), 2);
  const copy = pool.copyFrom(`copy ${table} from stdin`);
  const writer = copy.getWriter();
  await writer.write([3]);
  await writer.close();
  assert.equal(await copy.rowCount, 1);
  assert.deepEqual(await collect(pool.copyTo(`copy ${table} to stdout`).rows()), [["1"], ["2"], ["3"]]);
  await assert.rejects(pool.copyFrom(`copy ${table} from stdin`, "x"), { code: "22P02" });
  for await (const _ of pool.copyTo("copy (select generate_series(1, 1000000)) to stdout").rows()) break;
  await assertAllBack();
});

test("a signal ends the wait for a client", async () => {
  const clients = await Promise.all([pool.connect(), pool.connect()]);
  const controller = new AbortController();
  const { signal } = controller;
  const waits: (() => Promise<unknown>)[] = [
    () => pool.transaction(() => {}, { signal }),
    () => collect(pool.stream("select 1", [], { signal })),
    () => pool.cursor("select 1", [], { signal }).read(1),
    () => pool.copyFrom(`copy ${table} from stdin`, "", { signal }),
    () => collect(pool.copyTo(`copy ${table} to stdout`, { signal })),
  ];
  const waiting = waits.map((wait) => rejection(wait()));
  controller.abort();
  for (const error of await Promise.all(waiting)) assert.equal((error as DriverError).code, "ABORTED");
  for (const client of clients) client.release();
  await assertAllBack();
});

test("a stream that is closed before it has a client needs none", async () => {
  const clients = await Promise.all([pool.connect(), pool.connect()]);
  const stream = pool.stream("select 1");
  const reading = stream.next();
  await stream.close();
  assert.deepEqual(await reading, { value: undefined, done: true });
  for (const client of clients) client.release();
  await assertAllBack();
});

test("clients of another library have no streams, which is said", async () => {
  await using foreign = new Pool({ connectionString, Client: pg.Client as never });
  await assert.rejects(collect(foreign.stream("select 1")), { code: "POOL_CLIENT" });
  assert.equal((await foreign.query("select 1 as one")).rows[0].one, 1);
});

test("a function may be given a client, a pool or a transaction alike", async () => {
  const one = async (db: Queryable) => (await db.query<{ one: number }>("select 1 as one")).rows[0].one;
  const client = await pool.connect();
  assert.deepEqual([await one(pool), await one(client), await client.transaction(one)], [1, 1, 1]);
  client.release();
});

const series = "select n from generate_series(1, 100000) n";

/** What a client may be given back with: each opens something, and leaves it open. */
const OPEN: readonly (readonly [what: string, open: (client: PoolClient) => Promise<unknown>])[] = [
  ["a cursor", (client) => client.cursor(series).read(1)],
  ["a cursor of npm pg-cursor", (client) => client.query(new Cursor(series)).read(1)],
  ["rows that are streamed", (client) => client.stream(series).next()],
  ["a COPY in", (client) => client.copyFrom(`copy ${table} from stdin`).getWriter().ready],
  ["a COPY out", (client) => client.copyTo(`copy (${series}) to stdout`).getReader().read()],
];

for (const [what, open] of OPEN) {
  test(`a client that is given back with ${what} still open is closed, and nobody waits behind it`, async () => {
    await using own = new Pool({ connectionString, max: 1 });
    const client = await own.connect();
    await open(client);
    client.release();
    const next = await own.connect();
    assert.notEqual(next, client);
    assert.deepEqual((await next.query("select 1 as one")).rows, [{ one: 1 }]);
    next.release();
    assert.equal(own.totalCount, 1);
  });

  test(`a pool ends although a client was given back with ${what} still open`, async () => {
    const own = new Pool({ connectionString, max: 1 });
    const client = await own.connect();
    await open(client);
    client.release();
    await own.end();
    assert.equal(own.ended, true);
  });
}

test("a client that is given back while it closes what was open is kept, and lent once it is free", async () => {
  await using own = new Pool({ connectionString, max: 1 });
  for (
    const make of [
      (client: PoolClient) => client.cursor(series),
      (client: PoolClient) => client.query(new Cursor(series)),
    ]
  ) {
    const client = await own.connect();
    const cursor = make(client);
    await cursor.read(1);
    const closing = cursor.close();
    client.release();
    assert.equal(own.idleCount, 0);
    const next = await own.connect();
    assert.equal(next, client);
    next.release();
    assert.equal(own.idleCount, 1);
    await closing;
  }
});

test("queries that nobody awaits are no hindrance", async () => {
  await using own = new Pool({ connectionString, max: 1 });
  const client = await own.connect();
  const slow = client.query("select pg_sleep(0.05), 'slow' as said");
  client.release();
  assert.equal(own.idleCount, 1);
  const next = await own.connect();
  assert.equal(next, client);
  assert.deepEqual((await next.query("select 1 as one")).rows, [{ one: 1 }]);
  assert.equal((await slow).rows[0].said, "slow");
  next.release();
});
