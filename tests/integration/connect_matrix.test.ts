/**
 * Every method of authentication, plain and in TLS, over every way to the server. PostgreSQL itself says how the client
 * got in: SYSTEM_USER names the method, pg_stat_ssl the encryption.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type AuthMethod, Client } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { rememberedLogin } from "../../src/session/method_memory.ts";
import { platformEngine } from "../../src/tls/platform.ts";
import { connectionUrl, DATABASE, type UserName } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { ON_DENO, transportCases } from "../fixtures/transports.ts";

const { postgres, certificates } = await servers();
const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
after(() => proxy.close({ drainMillis: 0 }));

interface MethodCase {
  readonly user: UserName;
  readonly method: AuthMethod;
  /** What SYSTEM_USER says. */
  readonly systemUser: string | null;
}

const METHODS: readonly MethodCase[] = [
  { user: "trust_user", method: "none", systemUser: null },
  { user: "password_user", method: "password", systemUser: "password:password_user" },
  { user: "md5_user", method: "md5", systemUser: "md5:md5_user" },
  { user: "scram_user", method: "scram-sha-256", systemUser: "scram-sha-256:scram_user" },
];

const QUERY = `
  SELECT $1::int + 1 AS answer, system_user, ssl, version, bits
  FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;

for (const { name, transport, skip, config, bindable } of transportCases(proxy.url)) {
  for (const { user, method, systemUser } of METHODS) {
    for (const encrypted of [false, true]) {
      test(`${user} connects by a ${name}, ${encrypted ? "in verified TLS" : "plain"}`, { skip }, async () => {
        const client = new Client({
          connectionString: connectionUrl(postgres, user),
          sslmode: encrypted ? "verify-full" : "disable",
          rootCerts: certificates.ca.cert,
          allowCleartextPassword: !encrypted,
          ...config,
        });
        const events: string[] = [];
        for (const event of ["connect", "error", "end"]) client.on(event, () => events.push(event));

        await client.connect();
        const { rows } = await client.query(QUERY, [41]);
        const { answer, system_user, ssl, version, bits } = rows[0];
        assert.deepEqual({ answer, system_user, ssl }, { answer: 42, system_user: systemUser, ssl: encrypted });
        assert.deepEqual([version, bits >= 128], encrypted ? ["TLSv1.3", true] : [null, false]);

        assert.equal(client.connectionInfo?.transport, transport);
        assert.equal(client.connectionInfo?.secure ?? false, encrypted);
        assert.equal(client.connectTimings?.secured !== undefined, encrypted);
        const { host, port } = postgres;
        const bound = encrypted && bindable && method === "scram-sha-256";
        assert.equal(
          rememberedLogin({ host, port, user, database: DATABASE, encrypted })?.method,
          bound ? "scram-sha-256-plus" : method,
        );

        await client.end();
        assert.deepEqual(events, ["connect", "end"]);
        await assert.rejects(client.query("SELECT 1"), { code: "CLIENT_CLOSED" });
      });
    }
  }

  for (const encrypted of [false, true]) {
    const what = `by a ${name}, in ${encrypted ? "TLS that is not verified" : "plain text"}`;
    const impossible = encrypted && transport === "deno" && "Deno's TLS always verifies the chain";
    test(
      `a password is not sent in clear text ${what}, unless that is allowed`,
      { skip: skip || impossible },
      async () => {
        const client = new Client({
          connectionString: connectionUrl(postgres, "password_user"),
          sslmode: encrypted ? "no-verify" : "disable",
          ...config,
        });
        await assert.rejects(client.connect(), {
          name: "AuthenticationError",
          code: "AUTH_CLEARTEXT_REFUSED",
          host: postgres.host,
          port: postgres.port,
          transport,
          phase: "authentication",
        });
      },
    );
  }
}

test("through a WebSocket nothing but verified TLS is spoken unless somebody says so", async () => {
  const client = new Client({
    connectionString: connectionUrl(postgres, "scram_user"),
    wsProxy: proxy.url,
    rootCerts: certificates.otherCa.cert,
  });
  await assert.rejects(client.connect(), { name: "TlsError", driverCode: "TLS_CERTIFICATE", transport: "websocket" });
});

test("a Unix-domain socket is trusted with a password, and never uses TLS", {
  skip: postgres.socketFolder === undefined && "there are no Unix-domain sockets here",
}, async () => {
  for (const user of ["trust_user", "password_user", "md5_user", "scram_user"] as const) {
    const url = new URL(connectionUrl(postgres, user));
    const client = new Client({
      host: postgres.socketFolder,
      port: postgres.port,
      user,
      password: decodeURIComponent(url.password),
      database: DATABASE,
      sslmode: "verify-full",
      rootCerts: certificates.ca.cert,
    });
    await client.connect();
    const { rows } = await client.query("SELECT ssl, current_user FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert.deepEqual({ ...rows[0] }, { ssl: false, current_user: user });
    assert.equal(client.connectionInfo?.local, true);
    assert.equal(client.connectionInfo?.transport, ON_DENO ? "deno" : "node");
    await client.end();
  }
});

test("where the platform has no TLS for a transport, the error says what would have it", async () => {
  let closedWith: unknown;
  const duplex = {
    info: { transport: "streams", remote: "db.example.com:5432" },
    read: () => Promise.resolve(null),
    write: () => Promise.resolve(),
    closeWrite: () => Promise.resolve(),
    close: (reason: unknown) => closedWith = reason,
    closed: Promise.resolve(),
  };
  const connecting = platformEngine.connect(duplex, { serverName: "db", verify: { chain: true, name: true } });
  await assert.rejects(connecting, { name: "TlsError", code: "TLS_UNAVAILABLE", message: /@pgduplex\/wolfssl/ });
  assert.equal((closedWith as { code?: string }).code, "TLS_UNAVAILABLE");
});
