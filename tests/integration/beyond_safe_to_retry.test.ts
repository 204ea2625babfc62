import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, DriverError, Pool } from "../../mod.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { messages, startFakeServer } from "../fixtures/fake_server.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const connectionString = connectionUrl(postgres, "scram_user");
const client = await connectClient(postgres);
await client.query("create temp table retried (id int primary key)");
await client.query("insert into retried values (1)");
const other = await connectClient(postgres);
after(async () => {
  await client.end();
  await other.end();
});

/** Runs `work` with a client of its own. */
async function withOwn(work: (own: Client) => Promise<unknown>): Promise<void> {
  const own = await connectClient(postgres);
  await work(own).finally(() => own.end());
}

const cases: readonly (readonly [safe: boolean, what: string, code: string, fail: () => Promise<unknown>])[] = [
  [true, "a value without a form", "VALUE_UNENCODABLE", () => client.query("select $1", [Symbol("s")])],
  [true, "a text that cannot be sent", "STRING_CONTAINS_NUL", () => client.query("select '\0'")],
  [
    true,
    "more parameters than there can be",
    "TOO_MANY_PARAMETERS",
    () => client.query("select 1", new Array(65_536).fill(1)),
  ],
  [
    true,
    "a query that was aborted before it was given",
    "ABORTED",
    () => client.query({ text: "select 1", signal: AbortSignal.abort() }),
  ],
  [true, "a query that was aborted while it waited its turn", "ABORTED", async () => {
    const stream = client.stream("select 1 union all select 2", [], { batchSize: 1 });
    await stream.next();
    const controller = new AbortController();
    const waiting = client.query({ text: "insert into retried values (2)", signal: controller.signal });
    controller.abort();
    await waiting.finally(() => stream.close());
  }],
  [true, "a query of a client that has ended", "CLIENT_CLOSED", async () => {
    const ended = new Client(connectionString);
    await ended.end();
    await ended.query("select 1");
  }],
  [
    true,
    "a connection that could not be opened",
    "TRANSPORT_OPEN_FAILED",
    () => new Client({ host: "127.0.0.1", port: 1 }).connect(),
  ],
  [true, "a connect whose time ran out", "TIMEOUT_CONNECT", async () => {
    await using silent = await startFakeServer(async (connection) => void await connection.startup());
    const { host, port } = silent;
    await new Client({ host, port, user: "u", connectionTimeoutMillis: 50 }).connect();
  }],
  [true, "a pool that had no client in time", "POOL_TIMEOUT", async () => {
    // Long enough for a busy machine to connect, which the same deadline bounds.
    await using pool = new Pool({ connectionString, max: 1, connectionTimeoutMillis: 2_000 });
    const taken = await pool.connect();
    await pool.query("select 1").finally(() => taken.release());
  }],
  [
    true,
    "a transaction that was rolled back for a deadlock",
    "40P01",
    () =>
      client.transaction((transaction) =>
        transaction.query("do $$ begin raise exception 'x' using errcode = '40P01'; end $$")
      ),
  ],
  [
    false,
    "the same outside of a transaction of ours",
    "40P01",
    () => client.query("do $$ begin raise exception 'x' using errcode = '40P01'; end $$"),
  ],
  [false, "what the server refused", "23505", () => client.query("insert into retried values (1)")],
  [
    false,
    "a query whose time ran out on its way",
    "TIMEOUT_QUERY",
    () => client.query({ text: "select pg_sleep(60)", query_timeout: 50 }),
  ],
  [false, "a query that was aborted on its way", "ABORTED", async () => {
    // What was cancelled before is over.
    await client.query("select 1");
    const controller = new AbortController();
    const query = client.query({ text: "select pg_sleep(60)", signal: controller.signal });
    other.query("select 1").then(() => controller.abort());
    return query;
  }],
  [
    false,
    "a query whose session was ended",
    "57P01",
    () => withOwn((own) => own.query("select pg_terminate_backend(pg_backend_pid())")),
  ],
  [false, "a query whose connection broke", "CONNECTION_ENDED", async () => {
    await using server = await startFakeServer(async (connection) => {
      await connection.startup();
      connection.send(messages.authenticationOk, messages.backendKeyData, messages.readyForQuery);
      await connection.message();
      connection.end();
    });
    const { host, port } = server;
    const own = new Client({ host, port, user: "u" });
    own.on("error", () => {});
    await own.connect();
    await own.query("insert into anything values (1)").finally(() => own.end());
  }],
];

for (const [safe, what, code, fail] of cases) {
  test(`${safe ? "safe to retry" : "nobody knows whether it may be retried"}: ${what}`, async () => {
    const error = await rejection(fail());
    assert.ok(error instanceof DriverError, String(error));
    assert.deepEqual([error.driverCode, error.safeToRetry], [code, safe]);
  });
}
