/**
 * The subpath `./neon`: the Neon driver's shape, beside the Neon driver itself where that can do the same.
 */

import * as original from "@neondatabase/serverless";
import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { WebSocket } from "ws";
import { config } from "../../mod.ts";
import * as ours from "../../src/neon/neon.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { comparableReport, comparableResult, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const { postgres, certificates } = await servers();
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

const URL_OF_DATABASE = connectionUrl(postgres, "scram_user");
const { neonConfig } = ours;
const DEFAULTS = { ...neonConfig };
/** As a development setup has it. */
const LOCAL = { wsProxy: `127.0.0.1:${proxy.port}/v1`, useSecureWebSocket: false };

beforeEach(() => void Object.assign(neonConfig, DEFAULTS, LOCAL));
after(() => void Object.assign(neonConfig, DEFAULTS));

const isEncrypted = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";

async function encrypted(url: string): Promise<boolean> {
  const client = new ours.Client(url);
  await client.connect();
  try {
    return (await client.query(isEncrypted)).rows[0].ssl;
  } finally {
    await client.end();
  }
}

/** What one driver gives for the same program. */
async function observe({ neonConfig: settings, Pool }: typeof original): Promise<unknown> {
  Object.assign(settings, LOCAL, { pipelineConnect: false, webSocketConstructor: WebSocket });
  // The Neon driver knows no SASLprep, which the other users' passwords need.
  const pool = new Pool({ connectionString: connectionUrl(postgres, "plain_only_user") });
  try {
    const result = comparableResult(await pool.query("select $1::int as number, now() is not null as now", [7]));
    const client = await pool.connect();
    await client.query("begin");
    const error = await rejection(client.query("select 1/0"));
    await client.query("rollback");
    const arrays = await client.query({ text: "select 1, array['a', null], '{\"b\":2}'::json", rowMode: "array" });
    client.release();
    return { result, error: comparableReport(error), arrays: comparableResult(arrays), idle: pool.idleCount };
  } finally {
    await pool.end();
  }
}

test("a program written for the Neon driver gets the same from both", async () => {
  assert.deepEqual(await observe(ours as unknown as typeof original), await observe(original));
});

test("what the connection string says of TLS holds; nothing said is plaintext to a proxy on this machine alone", {
  skip: withoutCore,
}, async () => {
  assert.equal(await encrypted(URL_OF_DATABASE), false);
  neonConfig.rootCerts = certificates.ca.cert;
  assert.equal(await encrypted(`${URL_OF_DATABASE}?sslmode=require`), true);
  neonConfig.forceDisablePgSSL = true;
  assert.equal(await encrypted(`${URL_OF_DATABASE}?sslmode=require&channel_binding=require`), false);
  neonConfig.forceDisablePgSSL = false;
  assert.equal(await encrypted(URL_OF_DATABASE), true);
});

test("direct TLS is asked of a string, by whatever connects", { skip: withoutCore }, async () => {
  neonConfig.rootCerts = certificates.ca.cert;
  const url = `${URL_OF_DATABASE}?sslnegotiation=direct`;
  assert.equal(await encrypted(url), true);
  assert.deepEqual(await ours.neon(url).query(isEncrypted), [{ ssl: true }]);
  neonConfig.rootCerts = "";
  await assert.rejects(async () => await ours.neon(url)`select 1`, { code: "TLS_CERTIFICATE" });
});

test("a client that speaks plaintext to a proxy on this machine does so to no other", async () => {
  const client = new ours.Client(URL_OF_DATABASE);
  client.neonConfig.wsProxy = "proxy.example.com/v1";
  await assert.rejects(client.connect(), { code: "NEON_PROXY_MOVED", message: /sslmode or forceDisablePgSSL/ });
});

test("by default a proxy is Neon's own, or the one of config.wsProxy, and TLS is verified", async () => {
  Object.assign(neonConfig, DEFAULTS);
  const client = new ours.Client({ connectionString: "postgres://app:secret@nowhere.invalid/shop" });
  await assert.rejects(client.connect(), {
    driverCode: "TRANSPORT_OPEN_FAILED",
    message: /wss:\/\/nowhere\.invalid\/v2/,
  });
  config.wsProxy = `${proxy.url}?of=config`;
  try {
    assert.equal(await encrypted(URL_OF_DATABASE), false);
  } finally {
    config.wsProxy = undefined;
  }
});

test("a client's own settings hold for it alone, also when they are set after it was made", async () => {
  const urls: string[] = [];
  class Observed extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(url, protocols);
      urls.push(url);
    }
  }
  const client = new ours.Client(URL_OF_DATABASE);
  client.neonConfig.webSocketConstructor = Observed;
  client.neonConfig.wsProxy = (host, port) => `127.0.0.1:${proxy.port}/v1?address=${host}:${port}&mine`;
  await client.connect();
  await client.end();
  assert.deepEqual(urls, [`ws://127.0.0.1:${proxy.port}/v1?address=${postgres.host}:${postgres.port}&mine`]);
  assert.equal(neonConfig.webSocketConstructor, undefined);
  assert.equal(neonConfig.wsProxy, LOCAL.wsProxy);
});

test("neon runs single queries: templates in templates, names as they are, arrays, whole results, parsers", async () => {
  const sql = ours.neon(URL_OF_DATABASE);
  assert.deepEqual(await sql`select ${"a"} || ' ' || ${"b"} as both`, [{ both: "a b" }]);
  const condition = sql`where n > ${1} and n < ${4}`;
  assert.deepEqual(await sql`select n from generate_series(1, ${9}) as n ${condition}`, [{ n: 2 }, { n: 3 }]);
  assert.deepEqual(await sql`select 1 as ${sql.unsafe('"any name"')}`, [{ "any name": 1 }]);
  assert.deepEqual(await sql.query("select $1::int", [1], { arrayMode: true }), [[1]]);
  const { rows, fields, rowCount, command } = await sql.query("select 1 as one", [], { fullResults: true });
  assert.deepEqual({ rows, rowCount, command }, { rows: [{ one: 1 }], rowCount: 1, command: "SELECT" });
  assert.equal(fields[0].name, "one");
  const types = { getTypeParser: () => (text: string) => `<${text}>` };
  assert.deepEqual(await sql.query("select 1 as one", [], { types }), [{ one: "<1>" }]);
});

test("a query of neon runs when it is awaited, and once", async () => {
  const sql = ours.neon(URL_OF_DATABASE);
  const table = `neon_${crypto.randomUUID().replaceAll("-", "")}`;
  await sql.query(`create table ${table} (n int)`);
  try {
    sql.query(`insert into ${table} values (1)`); // never awaited
    const insert = sql.query(`insert into ${table} values (2)`);
    await Promise.all([insert, insert.catch(() => {}), insert.finally(() => {})]);
    assert.deepEqual(await sql`select n from ${sql.unsafe(table)}`, [{ n: 2 }]);
  } finally {
    await sql.query(`drop table ${table}`);
  }
});

test("a transaction of neon is one: isolated as asked, and undone as a whole", async () => {
  const sql = ours.neon(URL_OF_DATABASE);
  const level =
    "select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as ro";
  assert.deepEqual(
    await sql.transaction([sql.query(level), sql`select ${1}::int as n`], {
      isolationLevel: "RepeatableRead",
      readOnly: true,
    }),
    [[{ level: "repeatable read", ro: "on" }], [{ n: 1 }]],
  );
  const ids = await sql.transaction(
    (own) => [own`select pg_current_xact_id()::text`, own`select txid_current()::text`],
    {
      arrayMode: true,
    },
  );
  assert.equal(ids[0][0][0], ids[1][0][0]);
  await assert.rejects(sql.transaction([sql`select 1`, sql`select 1/0`, sql`select 2`]), { code: "22012" });
  await assert.rejects(sql.transaction([sql`select 1`], { isolationLevel: "serializable" as "Serializable" }), {
    code: "TRANSACTION_OPTIONS",
  });
});

test("what neon cannot run says why", async () => {
  const sql = ours.neon(URL_OF_DATABASE);
  const error = await rejection(sql`select ${"no number"}::int`);
  assert.ok(error instanceof ours.NeonDbError);
  assert.equal(error.code, "22P02");
  assert.throws(() => ours.neon(URL_OF_DATABASE, { authToken: "jwt" }), { code: "NEON_AUTH_TOKEN" });
  assert.throws(() => sql`select ${sql.query("select 1")}`, { code: "NEON_TEMPLATE" });
  const called = sql as unknown as (...given: unknown[]) => unknown;
  for (const given of [["select 1"], ["select $1::int", [1]], [["select 1"]], []]) {
    assert.throws(() => called(...given), { code: "SQL_TEMPLATE" });
  }
  await assert.rejects(sql.query("select 1; select 2"), { code: "42601" });
  const signal = AbortSignal.abort();
  await assert.rejects(sql.query("select 1", [], { fetchOptions: { signal } }), { name: "AbortError" });
  await assert.rejects(ours.neon({ ...connection(), password: () => "wrong" })`select 1`, { code: "28P01" });
});

test("parts of the connection may be functions, asked at each query, and win over the string", async () => {
  let asked = 0;
  const sql = ours.neon("postgres://nobody:wrong@127.0.0.1:1/nothing", {
    ...connection(),
    database: () => {
      asked++;
      return Promise.resolve("postgres");
    },
  });
  assert.deepEqual(await sql`select current_database() as name`, [{ name: "postgres" }]);
  await sql`select 1`;
  assert.equal(asked, 2);
});

function connection(): ours.NeonConnectionParams {
  const { hostname, port, username, password, pathname } = new URL(URL_OF_DATABASE);
  return {
    host: hostname,
    port,
    user: username,
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  };
}
