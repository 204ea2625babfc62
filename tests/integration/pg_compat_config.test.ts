/** What a client is told, beside node-postgres's: TLS, passwords, names, and where it shows them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import pg from "pg";
import { Client, type ClientConfig, Pool } from "../../mod.ts";
import { rejection } from "../fixtures/clients.ts";
import { connectionUrl, PASSWORDS } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const { host, port } = postgres;
const url = connectionUrl(postgres, "scram_user");

type ClientClass = new (config?: string | ClientConfig) => Client;
const classes: readonly ClientClass[] = [Client, pg.Client as unknown as ClientClass];

const NONSENSE = "no PEM, and secret";

test("certificates that cannot be used fail the connect, and not the constructor", async () => {
  const flawed: readonly ClientConfig["ssl"][] = [
    { ca: NONSENSE, key: NONSENSE, cert: NONSENSE },
    { rejectUnauthorized: false, key: NONSENSE, cert: NONSENSE },
  ];
  for (const ssl of flawed) {
    // node-postgres on Deno's TLS takes no notice of them.
    for (const ClientClass of "Deno" in globalThis ? [Client] : classes) {
      const client = new ClientClass({ connectionString: url, ssl });
      assert.equal((client.ssl as { key?: unknown }).key, NONSENSE);
      assert.ok(await rejection(client.connect()) instanceof Error);
      await client.end();
    }
    const error = await rejection(new Client({ connectionString: url, ssl }).connect());
    assert.equal((error as { code: string }).code, "CONFIG_PEM");
    assert.ok(!inspect(error, { depth: 9 }).includes(NONSENSE));
  }
  const pool = new Pool({ connectionString: url, ssl: flawed[0] });
  let returned = false;
  const told = new Promise((resolve) => pool.connect((error) => resolve([returned, error])));
  returned = true;
  for (const error of [await rejection(pool.query("select 1")), await rejection(pool.connect())]) {
    assert.equal((error as { code: string }).code, "CONFIG_PEM");
  }
  const [late, error] = await told as [boolean, { code: string }];
  assert.deepEqual([late, error.code, pool.totalCount], [true, "CONFIG_PEM", 0]);
  await pool.end();
  const keyAlone = new Client({ connectionString: url, ssl: { key: NONSENSE } });
  assert.match(String(await rejection(keyAlone.connect())), /without the certificate/);
});

test("ssl is shown as it was given, without its key", () => {
  const hidden = Object.defineProperty({ rejectUnauthorized: false }, "key", { value: NONSENSE, enumerable: false });
  for (const ClientClass of classes) {
    const shown = (config: string | ClientConfig) => new ClientClass(config).ssl;
    assert.deepEqual(shown({ host, ssl: true }), true);
    assert.deepEqual(shown({ host, ssl: false }), false);
    assert.deepEqual(shown({ host, ssl: { rejectUnauthorized: false } }), { rejectUnauthorized: false });
    assert.deepEqual(shown("postgres://h/d?ssl=no-verify"), { rejectUnauthorized: false });
    const client = new ClientClass({ host, ssl: hidden as ClientConfig["ssl"] });
    for (const ssl of [client.ssl, client.connectionParameters.ssl]) {
      assert.equal((ssl as { key?: unknown }).key, NONSENSE);
    }
    assert.ok(!inspect(client, { depth: 9 }).includes(NONSENSE));
    assert.ok(!JSON.stringify(client).includes(NONSENSE));
  }
});

test("over a WebSocket, ssl is shown as what is done where nothing was said", () => {
  const wsProxy = "wss://proxy.example.com";
  assert.equal(new Client({ host, wsProxy }).ssl, true);
  assert.equal(new Client({ host, wsProxy, ssl: false }).ssl, false);
  assert.equal(
    new Client({ ...new Client({ host, wsProxy }).connectionParameters as ClientConfig, wsProxy }).ssl,
    true,
  );
});

test("an sslmode may be given as ssl", async () => {
  for (const ssl of ["require", "verify-full", "no-verify"] as const) {
    assert.notEqual(new Client({ host, ssl: ssl as never }).ssl, false, ssl);
  }
  assert.equal(new Client({ host, ssl: "disable" as never }).ssl, false);
  const client = await new Client({ connectionString: url, ssl: "no-verify" as never }).connect();
  assert.equal((await client.query("select ssl from pg_stat_ssl where pid = pg_backend_pid()")).rows[0].ssl, true);
  await client.end();
  assert.throws(() => new Client({ host, ssl: "nonsense" as never }), { code: "CONFIG_VALUE" });
});

test("a function for the password is told of the connection, and fails the connect by its own error", async () => {
  const config = { host, port, user: "scram_user", database: "test" };
  const oops = new Error("the vault is closed");
  const throws = () => {
    throw oops;
  };
  for (const ClientClass of classes) {
    let told: Record<string, unknown> = {};
    const client = new ClientClass({
      ...config,
      password: (connection) => {
        told = { ...connection };
        return Promise.resolve(PASSWORDS.scram_user);
      },
    });
    await client.connect();
    await client.end();
    const { user, database, host: toldHost, port: toldPort } = told;
    assert.deepEqual({ user, database, host: toldHost, port: toldPort }, config);

    for (const password of [throws, () => Promise.reject(oops)]) {
      const refused = new ClientClass({ ...config, password });
      assert.equal(await rejection(refused.connect()), oops);
      refused.connection.stream.destroy(); // node-postgres leaves its own open
    }
    for (const password of [() => 12345, () => ({ toString: () => "text" })]) {
      const refused = new ClientClass({ ...config, password: password as never });
      const error = await rejection(refused.connect()) as Error;
      assert.ok(error instanceof TypeError);
      assert.equal(error.message, "Password must be a string");
      refused.connection.stream.destroy();
    }
  }
});

test("notifications and notices tell their length", async () => {
  const told: unknown[] = [];
  for (const ClientClass of classes) {
    const client = new ClientClass(url);
    const lengths: unknown[] = [];
    client.on("notification", ({ length }) => lengths.push(length));
    client.on("notice", ({ length }) => lengths.push(length));
    await client.connect();
    await client.query("listen lengths");
    await client.query("notify lengths, 'payload'");
    await client.query("do $$ begin raise notice 'hello'; end $$");
    await client.end();
    told.push(lengths);
  }
  assert.deepEqual(told[0], told[1]);
});
