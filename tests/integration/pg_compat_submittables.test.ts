import assert from "node:assert/strict";
import { once } from "node:events";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import pg from "pg";
import { from as copyFrom, to as copyTo } from "pg-copy-streams";
import Cursor from "pg-cursor";
import QueryStream from "pg-query-stream";
import { Client } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectClient, connectOracle, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
const ours = await connectClient(postgres);
const proxied = await connectClient(postgres, { wsProxy: proxy.url, ssl: false });
const theirs = await connectOracle(postgres);
const clients: readonly (readonly [name: string, client: Client])[] = [
  ["our", ours],
  ["our proxied", proxied],
  ["node-postgres's", theirs],
];
after(async () => {
  await Promise.all(clients.map(([, client]) => client.end()));
  await proxy.close({ drainMillis: 0 });
});

const series = (last: number) => `select n, 'row ' || n as text from generate_series(1, ${last}) n`;

/** That nothing of the submittable is left on the connection. */
async function assertUsable(client: Client): Promise<void> {
  assert.deepEqual((await client.query("select $1::int as n", [7])).rows, [{ n: 7 }]);
}

for (const [name, client] of clients) {
  test(`pg-cursor on ${name} client: reads page by page, and to the end`, async () => {
    const cursor = client.query(new Cursor(series(25)));
    const behind = client.query("select 'behind' as place");
    const pages = [await cursor.read(10), await cursor.read(10), await cursor.read(10), await cursor.read(10)];
    assert.deepEqual(pages.map((page) => page.length), [10, 10, 5, 0]);
    assert.deepEqual(pages[2][4], { n: 25, text: "row 25" });
    assert.deepEqual((await behind).rows, [{ place: "behind" }]);
    await assertUsable(client);
  });

  test(`pg-cursor on ${name} client: takes values, row mode and the client's parsers`, async () => {
    client.setTypeParser(1082, (text: string) => `date ${text}`);
    const cursor = client.query(
      new Cursor("select $1::int as n, date '2020-01-02' as day, null as nothing", [3], { rowMode: "array" }),
    );
    assert.deepEqual(await cursor.read(5), [[3, "date 2020-01-02", null]]);
    await cursor.close();
    client.setTypeParser(1082, (text: string) => text);
  });

  test(`pg-cursor on ${name} client: closed before, within and after its rows leaves the connection usable`, async () => {
    for (const reads of [0, 1, 3]) {
      const cursor = client.query(new Cursor(series(25)));
      for (let read = 0; read < reads; read++) await cursor.read(10);
      await cursor.close();
      assert.deepEqual(await cursor.read(10), []);
      await assertUsable(client);
    }
  });

  test(`pg-cursor on ${name} client: an error of the server reaches whoever reads, once for each`, async () => {
    const syntax = client.query(new Cursor("select nonsense"));
    assert.equal((await rejection(syntax.read(1)) as { code: string }).code, "42703");
    assert.equal((await rejection(syntax.read(1)) as { code: string }).code, "42703");
    await assertUsable(client);
    const late = client.query(new Cursor("select 1 / (5 - n) as q from generate_series(1, 9) n"));
    assert.equal((await late.read(3)).length, 3);
    assert.equal((await rejection(late.read(3)) as { code: string }).code, "22012");
    await assertUsable(client);
  });

  test(`pg-cursor on ${name} client: statements without rows end by themselves`, async () => {
    for (const text of ["create temp table if not exists nothing (n int)", "update nothing set n = 1", ""]) {
      const cursor = client.query(new Cursor(text));
      assert.deepEqual(await cursor.read(10), []);
      await assertUsable(client);
    }
  });

  test(`pg-cursor on ${name} client: a cursor and others in a transaction take turns`, async () => {
    await client.query("begin");
    const first = client.query(new Cursor(series(3)));
    assert.equal((await first.read(10)).length, 3);
    const second = client.query(new Cursor(series(3)));
    assert.equal((await second.read(2)).length, 2);
    await second.close();
    await client.query("commit");
    await assertUsable(client);
  });

  test(`pg-query-stream on ${name} client: streams all rows, asking for more only as they are read`, async () => {
    const stream = client.query(new QueryStream(series(1000), [], { batchSize: 10, highWaterMark: 10 }));
    let count = 0;
    for await (const row of stream) {
      assert.equal(row.n, ++count);
      assert.ok(stream.readableLength <= 20, `${stream.readableLength} rows wait at row ${count}`);
    }
    assert.equal(count, 1000);
    await assertUsable(client);
  });

  test(`pg-query-stream on ${name} client: may be left early, and reports the server's error`, async () => {
    let count = 0;
    for await (const _ of client.query(new QueryStream(series(1_000_000)))) if (++count === 5) break;
    await assertUsable(client);
    const failing = client.query(new QueryStream("select 1 / (5 - n) as q from generate_series(1, 9) n"));
    assert.equal((await rejection(failing.toArray()) as { code: string }).code, "22012");
    await assertUsable(client);
  });

  test(`pg-query-stream on ${name} client: whoever waits for one to close finds the connection free`, async () => {
    const failing = client.query(new QueryStream("select nonsense"));
    failing.on("data", () => {});
    // What is destroyed before its turn comes is never ended by anybody.
    const next = await new Promise<QueryStream>((resolve) =>
      failing.once("error", () => resolve(client.query(new QueryStream(series(100))).destroy()))
    );
    if (!next.closed) await once(next, "close");
    await assertUsable(client);
  });

  test(`node-postgres's own Query runs on ${name} client`, async () => {
    const ask = (config: pg.QueryConfig, values?: unknown[]) =>
      new Promise((resolve, reject) =>
        client.query(new pg.Query(config, values, (error, result) => error ? reject(error) : resolve(result.rows)))
      );
    assert.deepEqual(await ask({ text: "select 1 as n" }), [{ n: 1 }]);
    assert.deepEqual(await ask({ text: "select $1::int[] as n", name: "kept" }, [[1, 2]]), [{ n: [1, 2] }]);
    assert.deepEqual(await ask({ text: "select $1::int[] as n", name: "kept" }, [[3]]), [{ n: [3] }]);
    assert.equal((await rejection(ask({ text: "select nonsense" })) as { code: string }).code, "42703");
    assert.equal((await rejection(ask({ text: "select $1::int" }, ["x"])) as { code: string }).code, "22P02");
    await assertUsable(client);
  });
}

// On Deno, pg-copy-streams waits for ever on node-postgres's client.
for (const [name, client] of "Deno" in globalThis ? clients.slice(0, 2) : clients) {
  test(`pg-copy-streams on ${name} client: what is copied in comes out again, more than any buffer holds`, async () => {
    await client.query("create temp table copied (n int, text text)");
    const line = (n: number) => `${n}\t${"x".repeat(50)}\n`;
    const lines = Array.from({ length: 40_000 }, (_, n) => line(n));
    const incoming = client.query(copyFrom("copy copied from stdin"));
    await pipeline(Readable.from(chunksOf(lines, 100)), incoming);
    assert.equal(incoming.rowCount, lines.length);
    const outgoing = client.query(copyTo("copy (select * from copied order by n) to stdout"));
    const chunks: Uint8Array[] = await outgoing.toArray();
    assert.equal(new TextDecoder().decode(await new Blob(chunks as BlobPart[]).arrayBuffer()), lines.join(""));
    await assertUsable(client);
    await client.query("drop table copied");
  });

  test(`pg-copy-streams on ${name} client: errors of the server, in both directions`, async () => {
    await client.query("create temp table narrow (n int)");
    const incoming = client.query(copyFrom("copy narrow from stdin"));
    assert.equal(
      (await rejection(pipeline(Readable.from(["1\n", "two\n"]), incoming)) as { code: string }).code,
      "22P02",
    );
    await assertUsable(client);
    const outgoing = client.query(copyTo("copy (select 1 / (5 - n) from generate_series(1, 9) n) to stdout"));
    assert.equal((await rejection(outgoing.toArray()) as { code: string }).code, "22012");
    await assertUsable(client);
    const nowhere = client.query(copyTo("copy nowhere to stdout"));
    assert.equal((await rejection(nowhere.toArray()) as { code: string }).code, "42P01");
    await assertUsable(client);
    await client.query("drop table narrow");
  });

  test(`a COPY from ${name} client that is given up in the middle is rolled back`, async () => {
    await client.query("create temp table given_up (n int)");
    const incoming = client.query(copyFrom("copy given_up from stdin"));
    incoming.write("1\n");
    incoming.destroy(new Error("enough"));
    assert.match(String(await rejection(once(incoming, "close"))), /COPY from stdin failed: enough/);
    assert.deepEqual((await client.query("select count(*)::int as n from given_up")).rows, [{ n: 0 }]);
    await client.query("drop table given_up");
  });
}

test("a cursor given before the client is connected, or when it is over, is served or told", async () => {
  const early = new Client(connectionUrl(postgres, "scram_user"));
  const cursor = early.query(new Cursor(series(3)));
  const rows = cursor.read(10);
  await early.connect();
  assert.equal((await rows).length, 3);
  await early.end();
  const late = early.query(new Cursor(series(3)));
  assert.equal((await rejection(late.read(1)) as { code: string }).code, "CLIENT_CLOSED");
});

test("a connection that breaks tells the cursor and whoever waits behind it", async () => {
  const client = await connectClient(postgres);
  const cursor = client.query(new Cursor(series(1_000_000)));
  await cursor.read(10);
  const behind = client.query("select 1");
  const waiting = cursor.read(999_990);
  client.connection.stream.destroy();
  assert.match(String(await rejection(waiting)), /Connection terminated unexpectedly/);
  assert.match(String(await rejection(behind)), /Connection terminated unexpectedly/);
  await client.end();
});

test("a stream that its client's own end cuts off stays silent where nobody listens, whenever it is read", async () => {
  for (const connect of [connectClient, connectOracle]) {
    const client = await connect(postgres);
    const events: string[] = [];
    const stream = client.query(new QueryStream(series(1000), [], { highWaterMark: 10 }));
    for (const event of ["end", "close"]) stream.on(event, () => events.push(event));
    await client.end();
    stream.read();
    for (let turns = 0; turns < 3; turns++) await setImmediate(); // pg-cursor takes one to tell the stream
    assert.deepEqual([events, stream.destroyed], [[], true]);
  }
});

test("whoever reads or closes what the client's own end has cut off is told, where node-postgres's waits for ever", async () => {
  const client = await connectClient(postgres);
  const cursor = client.query(new Cursor(series(1000)));
  await cursor.read(10);
  await client.end();
  assert.equal((await rejection(cursor.read(10)) as { code: string }).code, "CONNECTION_CLOSED");
  await cursor.close();
  await cursor.close();

  const other = await connectClient(postgres);
  const stream = other.query(new QueryStream(series(1000), [], { highWaterMark: 10 }));
  const rows = stream[Symbol.asyncIterator]();
  await rows.next();
  await other.end();
  const rest = async () => {
    while (!(await rows.next()).done);
  };
  assert.equal((await rejection(rest()) as { code: string }).code, "CONNECTION_CLOSED");

  const own = await connectClient(postgres);
  const [read, unread] = [own.cursor(series(1000)), own.cursor(series(1000))];
  await read.read(10);
  await own.end();
  await Promise.all([read.close(), unread.close()]);
});

test("what submits itself hears once of the server's death", async () => {
  for (const connect of [connectClient, connectOracle]) {
    const client = await connect(postgres);
    client.on("error", () => {});
    const failures: unknown[] = [];
    client.query({
      submit: (connection: pg.Connection) => connection.query("select pg_terminate_backend(pg_backend_pid())"),
      handleRowDescription: () => {},
      handleDataRow: () => {},
      handleError: ({ code }: { code?: string }) => void failures.push(code),
    });
    await new Promise((resolve) => client.once("end", resolve));
    await client.end();
    assert.deepEqual(failures, ["57P01"]);
  }
});

test("a cursor that outlives query_timeout is told, and the connection is free again", async () => {
  const client = await connectClient(postgres, { query_timeout: 100 });
  const cursor = client.query(new Cursor("select pg_sleep(60)"));
  assert.equal((await rejection(cursor.read(1)) as { code: string }).code, "TIMEOUT_QUERY");
  await assertUsable(client);
  await client.end();
});

for (const [name, connect] of [["ours", connectClient], ["node-postgres's", connectOracle]] as const) {
  test(`a callback beside a cursor hears of query_timeout on ${name} client`, async () => {
    const client = await connect(postgres, { query_timeout: 100 });
    const failures: Error[] = [];
    const cursor = new Cursor("select pg_sleep(60)");
    cursor.on("error", (error) => failures.push(error));
    const error = await new Promise<Error>((resolve) => client.query(cursor, (error) => resolve(error as Error)));
    assert.equal(error.message, "Query read timeout");
    await client.end();
    assert.equal(failures[0].message, "Query read timeout");
  });
}

test("a stream that is closed before its turn comes does not run", async () => {
  const before = ours.query("select pg_sleep(0.1)");
  const stream = ours.query(new QueryStream("select 1"));
  stream.destroy();
  await once(stream, "close");
  await assertUsable(ours);
  await before;
});

test("whoever waits for a cursor to close is told, too, when its connection breaks", async () => {
  const client = await connectClient(postgres);
  const cursor = client.query(new Cursor(series(10)));
  await cursor.read(1);
  const closing = cursor.close();
  client.connection.stream.destroy();
  await closing;
});

test("what a submittable throws fails it alone; one that refuses itself is told so", async () => {
  const failures: Error[] = [];
  const handleError = (error: Error) => void failures.push(error);
  const submit = (connection: pg.Connection) => connection.query("select 1");
  const oops = () => {
    throw new Error("of my own");
  };
  ours.query({ submit, handleDataRow: oops, handleError });
  ours.query({ submit: () => new Error("refused"), handleError });
  ours.query({ submit: oops, handleError });
  await assertUsable(ours);
  assert.deepEqual(failures.map(({ message }) => message).sort(), ["of my own", "of my own", "refused"]);
});

test("a COPY FROM that a submittable has no data for, and messages that it never completes, do not hang", async () => {
  await ours.query("create temp table unfed (n int)");
  const failures: unknown[] = [];
  const handleError = (error: { code?: string }) => void failures.push(error.code);
  ours.query({ submit: (connection: pg.Connection) => connection.query("copy unfed from stdin"), handleError });
  await assertUsable(ours);
  const parse = (connection: pg.Connection) => {
    connection.parse({ name: "", text: "nonsense", types: [] }, true);
    connection.flush();
  };
  ours.query({ submit: parse, handleError });
  await assertUsable(ours);
  assert.deepEqual(failures, ["57014", "42601"]);
});

function* chunksOf(lines: readonly string[], size: number): Iterable<string> {
  for (let at = 0; at < lines.length; at += size) yield lines.slice(at, at + size).join("");
}
