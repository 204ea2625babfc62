import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import {
  Client,
  copyBinary,
  type CopyChunk,
  copyCsv,
  type CopyFormat,
  type CopySource,
  copyText,
  type DriverError,
} from "../../mod.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
const other = await connectClient(postgres);
const table = `beyond_copy_${process.pid}_${Date.now()}`;
await client.query(`create table ${table} (id int primary key, name text)`);
after(async () => {
  await client.query(`drop table ${table}`);
  await client.end();
  await other.end();
});

const fill = `copy ${table} from stdin`;
const read = `copy (select * from ${table} order by id) to stdout`;
const text = (data: string) => new TextEncoder().encode(data);
const stored = async () => (await client.query(`select id, name from ${table} order by id`)).rows;

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function* later<T>(...items: T[]): AsyncGenerator<T> {
  for (const item of items) {
    await Promise.resolve();
    yield item;
  }
}

function streamOf<T>(...items: T[]): ReadableStream<T> {
  return new ReadableStream({
    start(controller) {
      for (const item of items) controller.enqueue(item);
      controller.close();
    },
  });
}

const ROWS = [{ id: 1, name: "one" }, { id: 2, name: null }];
const sources: readonly (readonly [string, () => CopySource])[] = [
  ["a text", () => "1\tone\n2\t\\N\n"],
  ["bytes", () => text("1\tone\n2\t\\N\n")],
  ["rows", () => [[1, "one"], [2, null]]],
  ["pieces of text", () => ["1\to", "ne\n2", "\t\\N\n"]],
  ["rows, text and bytes side by side", () => [text("1\to"), "ne\n", [2, null]]],
  ["an async iterable of rows", () => later([1, "one"], [2, null])],
  ["a stream of bytes", () => streamOf(text("1\tone\n"), text("2\t\\N\n"))],
];

for (const [what, source] of sources) {
  test(`copied in from ${what}`, async () => {
    await client.query(`truncate ${table}`);
    assert.equal(await client.copyFrom(fill, source()), 2);
    assert.deepEqual(await stored(), ROWS);
  });
}

test("a stream without iteration, as some browsers have it, is read by its reader", async () => {
  await client.query(`truncate ${table}`);
  const stream = streamOf(text("1\tone\n2\t\\N\n"));
  const bare = { getReader: () => stream.getReader() } as unknown as ReadableStream<CopyChunk>;
  assert.equal(await client.copyFrom(fill, bare), 2);
});

const NASTY = ["", "\\N", "\\.", "NULL", 'a "quoted" word', "a,b;c\td", "line\nbreak\r\n", "back\\slash", "ü€😀", null];
const formats: readonly (readonly [string, string, CopyFormat])[] = [
  ["text", "", copyText()],
  ["text with options", "(delimiter '|', null 'nil')", copyText({ delimiter: "|", null: "nil" })],
  ["csv", "(format csv)", copyCsv()],
  [
    "csv with options",
    "(format csv, delimiter ';', quote '''', null 'NULL')",
    copyCsv({ delimiter: ";", quote: "'", null: "NULL" }),
  ],
  ["binary", "(format binary)", copyBinary(["int4", "text"])],
];

for (const [what, options, format] of formats) {
  test(`rows go in and come out as they were: ${what}`, async () => {
    await client.query(`truncate ${table}`);
    const rows = NASTY.map((name, id) => [id, name]);
    assert.equal(await client.copyFrom(`${fill} ${options}`, rows, { format }), rows.length);
    assert.deepEqual(await stored(), NASTY.map((name, id) => ({ id, name })));
    const out = await collect(client.copyTo(`${read} ${options}`, { format }).rows());
    assert.deepEqual(out, what === "binary" ? rows : NASTY.map((name, id) => [String(id), name]));
  });
}

test("a text like that of NULL goes in as the text that it is", async () => {
  await client.query(`truncate ${table}`);
  const format = copyText({ null: "nil" });
  await client.copyFrom(`${fill} (null 'nil')`, [[1, "nil"], [2, null]], { format });
  assert.deepEqual(await stored(), [{ id: 1, name: "nil" }, { id: 2, name: null }]);
});

test("csv has a line of names where both sides say so", async () => {
  await client.query(`truncate ${table}`);
  const format = copyCsv({ header: ["id", "name"] });
  assert.equal(await client.copyFrom(`${fill} (format csv, header match)`, [[1, "one"]], { format }), 1);
  const [header] = await collect(client.copyTo(`${read} (format csv, header)`, { format }).rows());
  assert.deepEqual(header, ["id", "name"]);
});

test("a WritableStream takes all, and tells how many rows there were", async () => {
  await client.query(`truncate ${table}`);
  const copy = client.copyFrom(fill);
  await streamOf<CopyChunk>("1\tone\n", [2, null]).pipeTo(copy);
  assert.equal(await copy.rowCount, 2);
  assert.deepEqual(await stored(), ROWS);
});

test("from one server to another, larger than all buffers", async () => {
  await client.query(`truncate ${table}`);
  const source = other.copyTo("copy (select n, repeat('x', 100) from generate_series(1, 30000) n) to stdout");
  const copy = client.copyFrom(fill);
  await source.pipeTo(copy);
  assert.equal(await copy.rowCount, 30_000);
});

test("a stream of bytes has all, in pieces that are worth it", async () => {
  const pieces = await collect(
    client.copyTo("copy (select generate_series(1, 100000)) to stdout") as AsyncIterable<Uint8Array>,
  );
  const lines = new TextDecoder().decode(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer()).trimEnd()
    .split("\n");
  assert.equal(lines.length, 100_000);
  assert.equal(lines.at(-1), "100000");
  assert.ok(pieces.length < 50, `${pieces.length} pieces`);
});

test("who does not read holds the server back, and nobody's memory fills", async () => {
  const copying = await connectClient(postgres);
  const copy = copying.copyTo("copy (select repeat('x', 1000) from generate_series(1, 1000000)) to stdout");
  const reader = copy.getReader();
  await reader.read();
  // The server waits for the client: asked until it says so.
  for (let waiting = false; !waiting;) {
    const { rows } = await other.query("select wait_event from pg_stat_activity where pid = $1", [copying.processID]);
    waiting = rows[0].wait_event === "ClientWrite";
  }
  await reader.cancel();
  assert.equal((await copying.query("select 1 as one")).rows[0].one, 1);
  await copying.end();
});

test("leaving the rows early gives the rest up", async () => {
  for await (const [n] of client.copyTo("copy (select generate_series(1, 10000000)) to stdout").rows()) {
    if (n === "5") break;
  }
  assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
});

test("what the server refuses is told at once, though the source be waited for in vain", async () => {
  async function* stuck() {
    yield "not a number\tx\n".repeat(100_000);
    await new Promise(() => {});
  }
  await assert.rejects(client.copyFrom(fill, stuck()), { code: "22P02" });
  assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
});

test("a source that fails stores nothing, and its error is the one told", async () => {
  await client.query(`truncate ${table}`);
  async function* failing() {
    yield "1\tone\n";
    await Promise.resolve();
    throw new Error("the disk is gone");
  }
  await assert.rejects(client.copyFrom(fill, failing()), { message: "the disk is gone" });
  await assert.rejects(client.copyFrom(fill, [[1, "one"], [2, () => {}]]), { code: "VALUE_UNENCODABLE" });
  await assert.rejects(client.copyFrom(fill, [[1, "one"], 5 as never]), { code: "COPY_CHUNK" });
  assert.deepEqual(await stored(), []);
});

test("an aborted WritableStream stores nothing", async () => {
  await client.query(`truncate ${table}`);
  const copy = client.copyFrom(fill);
  const writer = copy.getWriter();
  await writer.write("1\tone\n");
  await writer.abort(new Error("changed my mind"));
  await assert.rejects(copy.rowCount, { code: "57014", message: /changed my mind/ });
  assert.deepEqual(await stored(), []);
});

test("what the server refuses errors a WritableStream", async () => {
  const copy = client.copyFrom("copy no_such_table from stdin");
  const writer = copy.getWriter();
  await assert.rejects(writer.closed, { code: "42P01" });
  await assert.rejects(writer.write("1\n"), { code: "42P01" });
  await assert.rejects(client.copyFrom("copy no_such_table from stdin", "x"), { code: "42P01" });
  await assert.rejects(collect(client.copyTo("copy no_such_table to stdout").rows()), { code: "42P01" });
});

test("a signal gives a COPY up, in either direction", async () => {
  await client.query(`truncate ${table}`);
  const controller = new AbortController();
  async function* stuck() {
    yield "1\tone\n";
    controller.abort(new Error("enough"));
    await new Promise(() => {});
  }
  const error = await rejection(client.copyFrom(fill, stuck(), { signal: controller.signal })) as DriverError;
  assert.equal(error.code, "ABORTED");
  assert.deepEqual(await stored(), []);

  const second = new AbortController();
  const rows = client.copyTo("copy (select generate_series(1, 10000000)) to stdout", { signal: second.signal }).rows();
  await rows.next();
  second.abort();
  await assert.rejects(collect(rows), { code: "ABORTED" });
  assert.deepEqual(await stored(), []);
});

const wrongly: readonly (readonly [string, () => Promise<unknown>])[] = [
  ["a query copied from", () => client.copyFrom("select 1", "x")],
  ["a query copied to", () => collect(client.copyTo("select 1").rows())],
  ["a COPY out copied from", () => client.copyFrom("copy (select 1) to stdout", "x")],
  ["a COPY in copied to", () => collect(client.copyTo(fill).rows())],
  ["nothing copied from", () => client.copyFrom("", "x")],
];

for (const [what, copy] of wrongly) {
  test(`the wrong direction is said, and the client goes on: ${what}`, async () => {
    const error = await rejection(copy()) as DriverError;
    assert.ok(["COPY_DIRECTION", "57014"].includes(error.code), String(error));
    assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
  });
}

test("within a transaction a COPY belongs to it", async () => {
  await client.query(`truncate ${table}`);
  await assert.rejects(
    client.transaction(async (transaction) => {
      await transaction.copyFrom(fill, [[1, "one"]]);
      assert.equal((await collect(transaction.copyTo(read).rows())).length, 1);
      throw new Error("undo");
    }),
    { message: "undo" },
  );
  assert.deepEqual(await stored(), []);
});

test("other queries wait for its end, and it waits for those before", async () => {
  await client.query(`truncate ${table}`);
  const [before, count, behind] = await Promise.all([
    client.query(`select count(*)::int from ${table}`),
    client.copyFrom(fill, later([1, "one"])),
    client.query(`select count(*)::int from ${table}`),
  ]);
  assert.deepEqual([before.rows[0].count, count, behind.rows[0].count], [0, 1, 1]);
});

test("a connection that is lost is told", async () => {
  const doomed = await connectClient(postgres);
  async function* killing() {
    yield "1\tone\n";
    await other.query("select pg_terminate_backend($1)", [doomed.processID]);
    await new Promise(() => {});
  }
  const error = await rejection(doomed.copyFrom(fill, killing())) as DriverError;
  assert.ok(["57P01", "CONNECTION_ENDED", "TRANSPORT_LOST"].includes(error.driverCode), String(error));
  await doomed.end();
});

test("a client that has ended takes no COPY", async () => {
  const ended = new Client(connectionUrl(postgres, "scram_user"));
  await ended.end();
  await assert.rejects(ended.copyFrom(fill, "x"), { code: "CLIENT_CLOSED" });
  await assert.rejects(collect(ended.copyTo(read).rows()), { code: "CLIENT_CLOSED" });
});
