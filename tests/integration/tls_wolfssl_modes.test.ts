/**
 * The table of `ssl` and `sslmode`, cell by cell, with the wolfSSL engine, through a WebSocket, to real servers that show a
 * certificate that holds, one of another authority, one for another name, and one that has expired.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { Client, type ClientConfig, type SslMode } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectionUrl, type PostgresServer, startPostgres } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const { certificates } = await servers();
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

// Without the root.crt that whoever runs the tests may have.
const home = temporaryFolder("home");
const { HOME } = process.env;
process.env.HOME = home.path;
after(async () => {
  if (HOME === undefined) delete process.env.HOME;
  else process.env.HOME = HOME;
  await home.remove();
});

/** What comes of a connect: a session in TLS, one in plaintext, or an error. */
type Outcome = "tls" | "plain" | "TLS_CERTIFICATE" | "CONFIG_SSLMODE";
const [TLS, PLAIN, BAD] = ["tls", "plain", "TLS_CERTIFICATE"] as const;

/** With a certificate that holds, of another authority, for another name, expired. */
type Row = readonly [
  mode: SslMode | undefined,
  roots: boolean,
  right: Outcome,
  ca: Outcome,
  name: Outcome,
  old: Outcome,
];

const NODE_POSTGRES: readonly Row[] = [
  [undefined, true, TLS, BAD, BAD, BAD],
  [undefined, false, BAD, BAD, BAD, BAD],
  ["disable", true, PLAIN, PLAIN, PLAIN, PLAIN],
  ["disable", false, PLAIN, PLAIN, PLAIN, PLAIN],
  ["allow", true, TLS, BAD, BAD, BAD],
  ["allow", false, BAD, BAD, BAD, BAD],
  ["prefer", true, TLS, BAD, BAD, BAD],
  ["prefer", false, BAD, BAD, BAD, BAD],
  ["require", true, TLS, BAD, BAD, BAD],
  ["require", false, BAD, BAD, BAD, BAD],
  ["verify-ca", true, TLS, BAD, BAD, BAD],
  ["verify-ca", false, BAD, BAD, BAD, BAD],
  ["verify-full", true, TLS, BAD, BAD, BAD],
  ["verify-full", false, BAD, BAD, BAD, BAD],
  ["no-verify", true, TLS, TLS, TLS, TLS],
  ["no-verify", false, TLS, TLS, TLS, TLS],
];

const NO_ROOTS = "CONFIG_SSLMODE";

const LIBPQ: readonly Row[] = [
  [undefined, true, TLS, BAD, BAD, BAD],
  [undefined, false, BAD, BAD, BAD, BAD],
  ["disable", true, PLAIN, PLAIN, PLAIN, PLAIN],
  ["disable", false, PLAIN, PLAIN, PLAIN, PLAIN],
  ["allow", true, PLAIN, PLAIN, PLAIN, PLAIN],
  ["allow", false, PLAIN, PLAIN, PLAIN, PLAIN],
  ["prefer", true, TLS, PLAIN, TLS, PLAIN],
  ["prefer", false, TLS, TLS, TLS, TLS],
  ["require", true, TLS, BAD, TLS, BAD],
  ["require", false, TLS, TLS, TLS, TLS],
  ["verify-ca", true, TLS, BAD, TLS, BAD],
  ["verify-ca", false, NO_ROOTS, NO_ROOTS, NO_ROOTS, NO_ROOTS],
  ["verify-full", true, TLS, BAD, BAD, BAD],
  ["verify-full", false, BAD, BAD, BAD, BAD],
  ["no-verify", true, TLS, TLS, TLS, TLS],
  ["no-verify", false, TLS, TLS, TLS, TLS],
];

const presented = [certificates.server, certificates.untrusted, certificates.wrongName, certificates.expired];
const databases: PostgresServer[] = [];
if (!withoutCore) { for (const ssl of presented) databases.push(await startPostgres({ ssl })); }
after(() => Promise.all(databases.map((database) => database.stop())));

for (
  const [name, uselibpqcompat, table] of [["node-postgres", false, NODE_POSTGRES], ["libpq", true, LIBPQ]] as const
) {
  for (const [sslmode, roots, ...cells] of table) {
    test(`${sslmode ?? "no mode"} means what ${name} means by it, ${roots ? "with" : "without"} roots`, {
      skip: withoutCore,
    }, async () => {
      const rootCerts = roots ? certificates.ca.cert : undefined;
      const config: ClientConfig = { sslmode, uselibpqcompat, rootCerts, tlsEngine: "wolfssl", wsProxy: proxy.url };
      const outcomes = await Promise.all(databases.map((database) => outcomeOf(database, config)));
      assert.deepEqual(outcomes, cells);
    });
  }
}

async function outcomeOf(database: PostgresServer, config: ClientConfig): Promise<unknown> {
  let client: Client;
  try {
    client = new Client({ connectionString: connectionUrl(database, "scram_user"), ...config });
    await client.connect();
  } catch (error) {
    return (error as { code: unknown }).code;
  }
  const { rows } = await client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  await client.end();
  return rows[0].ssl ? TLS : PLAIN;
}
