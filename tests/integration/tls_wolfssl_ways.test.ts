/**
 * Where the wolfSSL engine steps in without being named, and that nothing but TLS passes a proxy.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, test } from "node:test";
import { Client, type ClientConfig, config } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { rememberedLogin } from "../../src/session/method_memory.ts";
import { wolfssl } from "../../wolfssl/mod.ts";
import { connectionUrl, DATABASE, PASSWORDS, type UserName } from "../fixtures/postgres.ts";
import { startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";
import { ON_DENO } from "../fixtures/transports.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const { postgres, certificates } = await servers();
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

const CA = certificates.ca.cert;
const { cert, key } = certificates.client;

/** What Deno's own TLS cannot do, and who logs in with it. */
const BEYOND_DENO: [what: string, user: UserName, options: ClientConfig, secure: boolean][] = [
  ["any certificate", "scram_user", { sslmode: "no-verify" }, false],
  ["the chain alone", "scram_user", { sslmode: "verify-ca", uselibpqcompat: true, rootCerts: CA }, false],
  ["a client certificate", "cert_user", { ssl: { ca: CA, cert, key } }, true],
  ["channel binding", "scram_user", { sslmode: "verify-full", rootCerts: CA, channelBinding: "require" }, true],
];

for (const [what, user, options, secure] of BEYOND_DENO) {
  test(`by a socket of the runtime's, ${what} is to be had, whoever does the TLS`, {
    skip: ON_DENO && withoutCore,
  }, async () => {
    const client = new Client({ connectionString: connectionUrl(postgres, user), ...options });
    await client.connect();
    const { rows } = await client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert.deepEqual(rows, [{ ssl: true }]);
    assert.equal(client.connectionInfo?.secure, secure);
    assert.equal(client.connectionInfo?.transport, ON_DENO ? "deno" : "node");
    await client.end();
  });

  test(`by a socket of Deno's, ${what} is refused where the platform's TLS is asked for`, {
    skip: !ON_DENO && "this is Node",
  }, async () => {
    const client = new Client({ connectionString: connectionUrl(postgres, user), ...options, tlsEngine: "platform" });
    await assert.rejects(client.connect(), {
      name: "TlsError",
      code: "TLS_OPTION_UNSUPPORTED",
      message: /Deno's TLS cannot.*@pgduplex\/wolfssl/,
    });
  });
}

const ENGINES: [what: string, ClientConfig][] = [
  ["by default", {}],
  ["by name", { tlsEngine: "wolfssl" }],
  ["by name, on SubtleCrypto", { tlsEngine: "wolfssl", crypto: "subtle" }],
  ["by name, in WebAssembly alone", { tlsEngine: "wolfssl", crypto: "wasm" }],
  ["as an object", { tlsEngine: wolfssl({ groups: ["P-256"] }) }],
];

for (const [what, options] of ENGINES) {
  test(`${what}, the engine binds SCRAM to its TLS through a WebSocket`, { skip: withoutCore }, async () => {
    const client = new Client({
      connectionString: connectionUrl(postgres, "scram_user"),
      ...{ rootCerts: CA, channelBinding: "require", wsProxy: proxy.url },
      ...options,
    });
    await client.connect();
    const { rows } = await client.query("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert.deepEqual(rows, [{ ssl: true, version: "TLSv1.3" }]);
    const place = { host: postgres.host, port: postgres.port, user: "scram_user", database: DATABASE, encrypted: true };
    assert.equal(rememberedLogin(place)?.method, "scram-sha-256-plus");
    await client.end();
  });
}

test("engine, cryptography and roots can be said for every client", { skip: withoutCore }, async () => {
  Object.assign(config, {
    tlsEngine: "wolfssl",
    crypto: "wasm",
    rootCerts: Buffer.from(CA.replace(/-----[A-Z ]+-----|\s/g, ""), "base64"),
    wsProxy: proxy.url,
  });
  try {
    const client = new Client(connectionUrl(postgres, "scram_user"));
    await client.connect();
    assert.equal(client.connectionInfo?.secure, true);
    await client.end();
  } finally {
    Object.assign(config, { tlsEngine: undefined, crypto: undefined, rootCerts: undefined, wsProxy: undefined });
  }
});

test("the runtime's own roots do not vouch for a private authority", { skip: withoutCore }, async () => {
  const client = new Client({
    connectionString: connectionUrl(postgres, "scram_user", { parameters: { sslrootcert: "system" } }),
    wsProxy: proxy.url,
  });
  await assert.rejects(client.connect(), { name: "TlsError", code: "TLS_CERTIFICATE", message: /give its root/ });
});

test("an engine that does not exist is refused before anything is opened", () => {
  const cases: [ClientConfig, RegExp][] = [
    [{ tlsEngine: "openssl" as "auto" }, /tlsEngine must be auto, platform, wolfssl, or a TlsEngine, not "openssl"/],
    [{ tlsEngine: {} as "auto" }, /tlsEngine must be/],
    [{ crypto: "fast" as "auto" }, /crypto must be one of auto, wasm, subtle, not "fast"/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => new Client({ host: "db.example.com", user: "u", ...options }), {
      code: "CONFIG_VALUE",
      message,
    });
  }
});

test("whoever looks on at the proxy sees no plaintext", { skip: withoutCore }, async () => {
  await using toProxy = await startRelay({ target: { host: "127.0.0.1", port: proxy.port } });
  await using toDatabase = await startRelay({ target: postgres });
  const secrets = ["scram_user", DATABASE, "SCRAM-SHA-256", "very secret", "a parameter", PASSWORDS.scram_user];
  const client = new Client({
    connectionString: connectionUrl(toDatabase, "scram_user"),
    rootCerts: CA,
    wsProxy: `ws://${toProxy.host}:${toProxy.port}`,
  });
  await client.connect();
  const { rows } = await client.query("SELECT 'very secret' AS word, $1::text AS parameter", ["a parameter"]);
  assert.deepEqual(rows, [{ word: "very secret", parameter: "a parameter" }]);
  await client.end();
  // Of what the client sends, the proxy's own connection shows more than the one before it, where frames are masked.
  const seen = [
    toProxy.connections[0].bytes("server"),
    toDatabase.connections[0].bytes("client"),
    toDatabase.connections[0].bytes("server"),
  ];
  for (const bytes of seen.map((each) => Buffer.from(each))) {
    assert.ok(bytes.length > 500, "there is something to look at");
    for (const secret of secrets) assert.equal(bytes.includes(secret), false, secret);
  }
});
