import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, type ClientConfig, type DriverError, Pool } from "../../mod.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { message, messages, startFakeServer } from "../fixtures/fake_server.ts";
import { PASSWORDS, startPostgres } from "../fixtures/postgres.ts";
import { NO_PGBOUNCER, servers } from "../fixtures/servers.ts";

const { postgres, pgbouncer } = await servers();
const readOnly = await startPostgres();
after(() => readOnly.stop());
await makeReadOnly();

/** From the next connection on; the server has read its settings once a new session says so. */
async function makeReadOnly(): Promise<void> {
  const admin = await connectClient(readOnly, {}, "postgres");
  await admin.query("alter system set default_transaction_read_only = on");
  await admin.query("select pg_reload_conf()");
  for (let setting = "off"; setting === "off";) {
    setting = (await admin.query("show default_transaction_read_only")).rows[0].default_transaction_read_only;
  }
  await admin.end();
}

/** Nobody listens there. */
const DEAD = { host: "127.0.0.1", port: 1 };

type Place = { readonly host: string; readonly port: number };

function configOf(places: readonly Place[], more: ClientConfig = {}): ClientConfig {
  return {
    host: places.map(({ host }) => host).join(","),
    port: places.map(({ port }) => port).join(","),
    user: "scram_user",
    password: PASSWORDS.scram_user,
    database: "test",
    ...more,
  };
}

async function portOf(config: ClientConfig): Promise<number> {
  await using client = await new Client(config).connect();
  return (await client.query("select inet_server_port() as port")).rows[0].port;
}

const text = (value: string) => new TextEncoder().encode(value);

/** A server that says of itself what it is, as PostgreSQL 14 and newer do, and answers every query with its name. */
function standIn(standby: boolean) {
  return startFakeServer(async (connection) => {
    await connection.startup();
    connection.send(
      messages.authenticationOk,
      message("S", text(`in_hot_standby\0${standby ? "on" : "off"}\0`)),
      message("S", text("default_transaction_read_only\0off\0")),
      messages.backendKeyData,
      messages.readyForQuery,
    );
    while ((await connection.message()).type !== "X") {
      connection.send(message("C", text(`${standby ? "STANDBY" : "PRIMARY"}\0`)), messages.readyForQuery);
    }
    connection.end();
  });
}

test("the first host that can be reached is taken", async () => {
  assert.equal(await portOf(configOf([DEAD, postgres, readOnly])), postgres.port);
  assert.equal(await portOf(configOf([DEAD, DEAD, readOnly, postgres])), readOnly.port);
});

const wishes: readonly (readonly [NonNullable<ClientConfig["target_session_attrs"]>, "writing" | "reading"])[] = [
  ["any", "reading"],
  ["read-write", "writing"],
  ["read-only", "reading"],
  ["primary", "reading"],
  ["prefer-standby", "reading"],
];

for (const [target_session_attrs, expected] of wishes) {
  test(`of one to read and one to write, ${target_session_attrs} takes the one for ${expected}`, async () => {
    const port = await portOf(configOf([DEAD, readOnly, postgres], { target_session_attrs }));
    assert.equal(port, expected === "writing" ? postgres.port : readOnly.port);
  });
}

for (
  const [wish, expected] of [["standby", "STANDBY"], ["prefer-standby", "STANDBY"], ["primary", "PRIMARY"]] as const
) {
  test(`of a primary and a standby, ${wish} takes the ${expected}`, async () => {
    await using primary = await standIn(false);
    await using standby = await standIn(true);
    const places = wish === "primary" ? [standby, primary] : [primary, standby];
    const ended: unknown[] = [];
    const client = new Client(configOf(places, { target_session_attrs: wish }));
    client.on("end", () => ended.push("end")).on("drain", () => ended.push("drain"));
    // A query that was given before is done by the one that was taken, and by no other.
    const early = client.query("select who");
    await client.connect();
    assert.equal((await early).command, expected);
    assert.equal((await client.query("select who")).command, expected);
    await client.end();
    assert.deepEqual(ended.filter((event) => event === "end"), ["end"]);
  });
}

test("prefer-standby takes another where there is none", async () => {
  await using primary = await standIn(false);
  await using client = new Client(configOf([DEAD, primary], { target_session_attrs: "prefer-standby" }));
  await client.connect();
  assert.equal((await client.query("select who")).command, "PRIMARY");
});

test("a server that does not say what it is, is asked", { skip: pgbouncer ? false : NO_PGBOUNCER }, async () => {
  if (pgbouncer === undefined) return;
  for (const [target_session_attrs, fits] of [["read-write", true], ["primary", true], ["standby", false]] as const) {
    const client: Client = new Client(configOf([pgbouncer], { target_session_attrs }));
    if (!fits) await assert.rejects(client.connect(), { code: "HOST_ROLE" });
    else assert.equal((await (await client.connect()).query("select 1 as one")).rows[0].one, 1);
    await client.end();
  }
});

test("where none will do, the reason of each is told", async () => {
  const error = await rejection(
    new Client(configOf([DEAD, readOnly], { target_session_attrs: "read-write" })).connect(),
  ) as DriverError;
  assert.equal(error.code, "HOSTS_UNUSABLE");
  assert.match(
    error.message,
    new RegExp(`127\\.0\\.0\\.1:1 ECONNREFUSED, 127\\.0\\.0\\.1:${readOnly.port} HOST_ROLE`),
  );
  assert.ok(error.cause instanceof AggregateError);
  assert.equal(error.cause.errors.length, 2);
});

test("a single host that is not what is asked for is refused", async () => {
  const config = configOf([readOnly], { target_session_attrs: "read-write" });
  await assert.rejects(new Client(config).connect(), { code: "HOST_ROLE", port: readOnly.port });
});

test("a wrong password ends the search, and a signal does", async () => {
  await assert.rejects(new Client(configOf([postgres, readOnly], { password: "wrong" })).connect(), { code: "28P01" });
  const signal = AbortSignal.abort();
  await assert.rejects(new Client(configOf([DEAD, postgres])).connect({ signal }), { code: "ABORTED" });
});

test("a host that does not answer has the time to connect, and then the next one has it", async () => {
  await using silent = await startFakeServer(async (connection) => void await connection.startup());
  assert.equal(await portOf(configOf([silent, postgres], { connectionTimeoutMillis: 1_500 })), postgres.port);
});

test("a query is cancelled at the host that was taken", async () => {
  await using client = await new Client(configOf([DEAD, postgres])).connect();
  await assert.rejects(client.query({ text: "select pg_sleep(60)", query_timeout: 50 }), { code: "TIMEOUT_QUERY" });
  assert.equal((await client.query("select 1 as one")).rows[0].one, 1);
});

test("load_balance_hosts=random leaves none out", async () => {
  await using pool = new Pool({ ...configOf([postgres, readOnly], { load_balance_hosts: "random" }), maxUses: 1 });
  const seen = new Set<number>();
  // One in 2^60 that this fails by chance.
  for (let time = 0; time < 60 && seen.size < 2; time++) {
    seen.add((await pool.query("select inet_server_port() as port")).rows[0].port);
  }
  assert.deepEqual(seen, new Set([...seen, postgres.port, readOnly.port]));
  assert.equal(seen.size, 2);
});
