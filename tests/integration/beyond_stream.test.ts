import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, ConfigError, type DriverError, ProtocolError } from "../../mod.ts";
import { RowStream } from "../../src/client/rows/row_stream.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
after(() => client.end());

const SERIES = "select n, 'row ' || n as name from generate_series(1, $1::int) as n";

/** The client serves others, and nothing of the stream is left on it. */
async function assertFree(free: Client = client): Promise<void> {
  const { rows } = await free.query("select count(*)::int as portals from pg_cursors where name <> ''");
  assert.deepEqual(rows, [{ portals: 0 }]);
}

async function collect<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

/** Runs the same both in a transaction, where a portal has a name, and outside, where it has the connection. */
function inAndOutside(name: string, work: (db: Pick<Client, "query" | "stream" | "cursor">) => Promise<void>): void {
  test(`outside of a transaction: ${name}`, async () => {
    await work(client);
    await assertFree();
  });
  test(`in a transaction: ${name}`, async () => {
    await client.transaction((transaction) => work(transaction as unknown as Client)).catch((error: DriverError) => {
      if (error.code !== "TRANSACTION_ROLLED_BACK") throw error;
    });
    await assertFree();
  });
}

for (const [count, batchSize] of [[0, 10], [1, 1], [10, 3], [9, 3], [250, 1_000], [2_500, 1_000], [1_000, 1]]) {
  inAndOutside(`all of ${count} rows come in their order, ${batchSize} at a time`, async (db) => {
    const rows = await collect(db.stream<{ n: number; name: string }>(SERIES, [count], { batchSize }));
    assert.deepEqual(rows.map(({ n }) => n), Array.from({ length: count }, (_, index) => index + 1));
    if (count > 0) assert.deepEqual(rows.at(-1), { n: count, name: `row ${count}` });
  });
}

inAndOutside("leaving the loop early gives the rest up", async (db) => {
  let seen = 0;
  for await (const { n } of db.stream<{ n: number }>(SERIES, [1_000_000], { batchSize: 10 })) {
    assert.equal(n, ++seen);
    if (seen === 25) break;
  }
  assert.equal((await db.query("select 1 as one")).rows[0].one, 1);
});

inAndOutside("a stream of which nothing was read costs nothing", async (db) => {
  const stream = db.stream(SERIES, [3]);
  await stream.close();
  assert.deepEqual(await collect(stream), []);
});

inAndOutside("what the server refuses at once is thrown by the first next", async (db) => {
  await assert.rejects(collect(db.stream("select nonsense")), { code: "42703" });
});

inAndOutside("what the server refuses midway is thrown where it happened", async (db) => {
  const seen: number[] = [];
  const fails = async () => {
    const rows = db.stream<{ n: number; q: number }>("select n, 1/(4-n) as q from generate_series(1, 10) n", [], {
      batchSize: 2,
    });
    for await (const { n } of rows) seen.push(n);
  };
  await assert.rejects(fails(), { code: "22012" });
  assert.deepEqual(seen, [1, 2]);
});

inAndOutside("what a parser throws fails the stream alone", async (db) => {
  const types = { getTypeParser: () => (text: string) => text === "3" ? assert.fail("no threes") : text };
  const config = { text: "select n from generate_series(1, 100) n", types };
  await assert.rejects(collect(db.stream(config, [], { batchSize: 2 })), { message: "no threes" });
  assert.equal((await db.query("select 1 as one")).rows[0].one, 1);
});

inAndOutside("a cursor reads as many as it is asked for, and then none", async (db) => {
  const cursor = db.cursor<{ n: number }>(SERIES, [5]);
  const early = cursor.fields;
  assert.equal(early, undefined);
  assert.deepEqual((await cursor.read(2)).map(({ n }) => n), [1, 2]);
  assert.deepEqual(cursor.fields?.map(({ name }) => name), ["n", "name"]);
  const [three, rest] = await Promise.all([cursor.read(1), cursor.read(10)]);
  assert.deepEqual([three, rest].map((rows) => rows.map(({ n }) => n)), [[3], [4, 5]]);
  assert.deepEqual(await cursor.read(1), []);
  await cursor.close();
});

inAndOutside("a cursor is iterated from where it was read to", async (db) => {
  const cursor = db.cursor<{ n: number }>(SERIES, [250]);
  await cursor.read(20);
  const rest = await collect(cursor);
  assert.deepEqual(rest.map(({ n }) => n), Array.from({ length: 230 }, (_, index) => index + 21));
  assert.deepEqual(await collect(cursor), []);
});

inAndOutside("leaving the iteration of a cursor closes it", async (db) => {
  const cursor = db.cursor<{ n: number }>(SERIES, [1_000_000]);
  for await (const { n } of cursor) if (n === 150) break;
  assert.deepEqual(await cursor.read(1), []);
});

inAndOutside("a cursor that is closed reads no more, also while a read is under way", async (db) => {
  const cursor = db.cursor(SERIES, [1_000_000]);
  await cursor.read(3);
  const reading = cursor.read(100_000);
  await cursor.close();
  await cursor.close();
  assert.deepEqual(await reading, []);
  assert.deepEqual(await cursor.read(1), []);
  assert.equal((await db.query("select 1 as one")).rows[0].one, 1);
});

inAndOutside("rows are as the query asks for", async (db) => {
  const arrays = await collect(db.stream({ text: SERIES, rowMode: "array" }, [2]));
  assert.deepEqual(arrays, [[1, "row 1"], [2, "row 2"]]);
  const binary = await collect(db.stream({ text: "select 1::int8 as big, true as yes", binary: true }));
  assert.deepEqual(binary, [{ big: "1", yes: true }]);
  assert.deepEqual(await collect(db.stream("")), []);
});

inAndOutside("a statement that returns rows of what it changes changes all", async (db) => {
  await db.query("create temp table if not exists streamed (n int)");
  const rows = await collect(db.stream("insert into streamed select generate_series(1, 300) returning n"));
  assert.equal(rows.length, 300);
  const { rows: [{ count }] } = await db.query("select count(*)::int from streamed");
  assert.equal(count, 300);
  await db.query("drop table streamed");
});

inAndOutside("a COPY is no query with rows, and leaves nobody waiting", async (db) => {
  await db.query("create temp table if not exists copied (n int)");
  await assert.rejects(collect(db.stream("copy copied from stdin")), { code: "57014" });
});

inAndOutside("a signal ends what is waited for, and what comes after", async (db) => {
  const controller = new AbortController();
  const stream = db.stream("select pg_sleep(60), n from generate_series(1, 10) n", [], { signal: controller.signal });
  const waiting = stream.next();
  const reason = new Error("enough");
  controller.abort(reason);
  const error = await rejection(waiting) as DriverError;
  assert.equal(error.code, "ABORTED");
  assert.equal(error.cause, reason);
  assert.deepEqual(await stream.next(), { value: undefined, done: true });
});

test("a signal that fires while nobody reads ends the stream at its next read", async () => {
  const controller = new AbortController();
  const stream = client.stream(SERIES, [1_000], { signal: controller.signal, batchSize: 5 });
  await stream.next();
  controller.abort();
  await assert.rejects(collect(stream), { code: "ABORTED" });
  await assertFree();
});

test("in a transaction other queries run between the rows, and several streams at once", async () => {
  await client.transaction(async (transaction) => {
    const products: number[] = [];
    for await (const { n } of transaction.stream<{ n: number }>(SERIES, [5], { batchSize: 2 })) {
      for await (const { m } of transaction.stream<{ m: number }>("select generate_series(1, $1::int) as m", [n])) {
        const { rows } = await transaction.query("select $1::int * $2::int as product", [n, m]);
        products.push(rows[0].product);
      }
    }
    assert.equal(products.length, 15);
    assert.equal(products.at(-1), 25);
  });
});

test("in a transaction that was begun by hand likewise", async () => {
  await client.query("begin");
  for await (const { n } of client.stream<{ n: number }>(SERIES, [500])) {
    if (n % 100 === 0) await client.query("select 1");
  }
  await client.query("commit");
});

test("outside, what comes behind waits until the stream is done", async () => {
  const stream = client.stream<{ n: number }>(SERIES, [5]);
  await stream.next();
  const order: string[] = [];
  const behind = client.query("select 1").then(() => order.push("query"));
  order.push(...(await collect(stream)).map(({ n }) => `row ${n}`));
  await behind;
  assert.deepEqual(order, ["row 2", "row 3", "row 4", "row 5", "query"]);
});

test("a stream may be asked before there is a connection", async () => {
  await using early = new Client(connectionUrl(postgres, "scram_user"));
  const rows = collect(early.stream(SERIES, [3]));
  await early.connect();
  assert.equal((await rows).length, 3);
});

test("a connection that is lost is told to whoever reads", async () => {
  const doomed = await connectClient(postgres);
  const stream = doomed.stream("select pg_terminate_backend(pg_backend_pid()), n from generate_series(1, 10) n");
  await assert.rejects(collect(stream), { code: "57P01" });
  await doomed.end();
});

const refused: readonly (readonly [string, () => unknown, string])[] = [
  ["no rows at once", () => client.stream("select 1", [], { batchSize: 0 }), "STREAM_BATCH_SIZE"],
  ["half a row", () => client.stream("select 1", [], { batchSize: 1.5 }), "STREAM_BATCH_SIZE"],
  ["too many rows", () => client.cursor("select 1").read(2 ** 31), "CURSOR_ROWS"],
  ["no rows to read", () => client.cursor("select 1").read(0), "CURSOR_ROWS"],
  ["no text", () => client.stream({ text: 1 } as never).next(), "QUERY_TEXT"],
  ["a value without a form", () => client.stream("select $1", [() => {}]).next(), "VALUE_UNENCODABLE"],
  ["NUL", () => client.stream("select '\0'").next(), "STRING_CONTAINS_NUL"],
];

for (const [what, ask, code] of refused) {
  test(`refused before anything is sent: ${what}`, async () => {
    const error = await rejection((async () => await ask())());
    assert.ok(error instanceof ConfigError && !(error instanceof ProtocolError), String(error));
    assert.equal(error.code, code);
    assert.equal(error.safeToRetry, true);
    await assertFree();
  });
}

test("large rows are asked for in small batches, so that little is held", async () => {
  const asked: number[] = [];
  let left = 500;
  const source = {
    fields: undefined,
    read: (maxRows: number) => {
      asked.push(maxRows);
      const rows = Array.from({ length: Math.min(maxRows, left) }, () => ({}));
      left -= rows.length;
      return Promise.resolve({ rows, bytes: rows.length * 100_000, more: left > 0 });
    },
    close: () => Promise.resolve(),
  };
  await collect(new RowStream(source));
  assert.equal(asked[0], 100);
  assert.deepEqual(new Set(asked.slice(1)), new Set([10]));
});
