/**
 * What PostgreSQL refuses, and what cannot even be asked of it: typed errors that say where, and show no secret.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, type ClientConfig, DatabaseError } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { startFakeServer } from "../fixtures/fake_server.ts";
import { connectionUrl, freePort, PASSWORDS, type UserName } from "../fixtures/postgres.ts";
import { assertNoSecret, assertShowsNoSecret } from "../fixtures/secrets.ts";
import { servers } from "../fixtures/servers.ts";
import { ON_DENO, usableTransports } from "../fixtures/transports.ts";

const { postgres, certificates } = await servers();
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));
const ways = usableTransports(proxy.url);

const WRONG = "wrong: ä&?@/%41 \\ \"'";
const ENCRYPTIONS: readonly ClientConfig[] = [
  { sslmode: "disable", allowCleartextPassword: true },
  { sslmode: "verify-full", rootCerts: certificates.ca.cert },
];

interface RefusalCase {
  readonly what: string;
  readonly user: UserName;
  readonly options: { readonly password?: string; readonly database?: string };
  readonly code: string;
  readonly message: RegExp;
  readonly phase: string;
}

const REFUSALS: readonly RefusalCase[] = [
  ...(["password_user", "md5_user", "scram_user"] as const).map((user): RefusalCase => ({
    what: `a wrong password of ${user}`,
    user,
    options: { password: WRONG },
    code: "28P01",
    message: /^password authentication failed for user/,
    phase: "authentication",
  })),
  {
    what: "a database that does not exist",
    user: "scram_user",
    options: { database: "nowhere" },
    code: "3D000",
    message: /^database "nowhere" does not exist$/,
    phase: "startup",
  },
  {
    what: "a user who may not come this way",
    user: "cert_user",
    options: { password: WRONG },
    code: "28000",
    message: /pg_hba\.conf|valid client certificate/,
    phase: "authentication",
  },
];

for (const { name, transport, config: way } of ways) {
  for (const { what, user, options, code, message, phase } of REFUSALS) {
    test(`by a ${name}, PostgreSQL refuses ${what}`, async () => {
      for (const encryption of ENCRYPTIONS) {
        const client = new Client({ connectionString: connectionUrl(postgres, user, options), ...encryption, ...way });
        await assert.rejects(client.connect(), (error) => {
          assert.ok(error instanceof DatabaseError);
          assert.deepEqual([error.code, error.severity, error.phase], [code, "FATAL", phase]);
          assert.deepEqual([error.host, error.port, error.transport], [postgres.host, postgres.port, transport]);
          assert.match(error.message, message);
          assert.ok(error.length > 0 && error.routine !== undefined);
          assertNoSecret(error, [WRONG]);
          assertShowsNoSecret(client, [WRONG]);
          return true;
        });
      }
    });
  }

  test(`by a ${name}, a port where nobody listens`, async () => {
    const port = await freePort();
    const url = connectionUrl({ host: postgres.host, port }, "scram_user");
    const client = new Client({ connectionString: url, sslmode: "disable", ...way });
    await assert.rejects(client.connect(), (error: Error & Record<string, unknown>) => {
      assert.deepEqual([error.name, error.driverCode, error.phase], [
        "TransportError",
        "TRANSPORT_OPEN_FAILED",
        "open",
      ]);
      assert.deepEqual([error.host, error.port, error.transport], [postgres.host, port, transport]);
      assert.equal(error.safeToRetry, true);
      assertNoSecret(error, [PASSWORDS.scram_user]);
      return true;
    });
  });

  test(`by a ${name}, no secret shows of a client that is connected`, async () => {
    for (const encryption of ENCRYPTIONS) {
      const url = connectionUrl(postgres, "scram_user");
      const client = new Client({ connectionString: url, ...encryption, ...way });
      assertShowsNoSecret(client, [PASSWORDS.scram_user]);
      await client.connect();
      assertShowsNoSecret(client, [PASSWORDS.scram_user]);
      await assert.rejects(client.query("SELECT 1 / 0"), (error) => {
        assertNoSecret(error, [PASSWORDS.scram_user]);
        return true;
      });
      await client.end();
      assertShowsNoSecret(client, [PASSWORDS.scram_user]);
    }
  });
}

test("a private key that cannot be read does not show in the error", {
  skip: ON_DENO && "Deno's TLS takes no client certificate",
}, async () => {
  const key = certificates.client.key.replace("\n", "\nSECRETKEY!");
  const client = new Client({
    connectionString: connectionUrl(postgres, "cert_user"),
    ssl: { ca: certificates.ca.cert, cert: certificates.client.cert, key },
  });
  await assert.rejects(client.connect(), (error: Error & Record<string, unknown>) => {
    assert.deepEqual([error.name, error.phase], ["TlsError", "tls"]);
    assertNoSecret(error, ["SECRETKEY", ...key.split("\n").slice(1, -2)]);
    return true;
  });
});

// -- passwords that cannot be had

const CLOSED = "the vault is closed";

const PASSWORD_SOURCES: readonly [string, ClientConfig["password"], string][] = [
  ["is missing", undefined, "AUTH_PASSWORD_MISSING"],
  ["is empty", "", "AUTH_PASSWORD_MISSING"],
  ["is asked of a function that rejects with what is no Error", () => Promise.reject(CLOSED), "AUTH_PASSWORD_FUNCTION"],
];

for (const [what, password, code] of PASSWORD_SOURCES) {
  test(`a password that ${what}`, async () => {
    for (const user of ["scram_user", "md5_user", "password_user"] as const) {
      const { host, port } = postgres;
      const client = new Client({ host, port, user, password, database: "test", allowCleartextPassword: true });
      await assert.rejects(client.connect(), (error: Error & Record<string, unknown>) => {
        assert.deepEqual([error.name, error.code, error.phase], ["AuthenticationError", code, "authentication"]);
        assert.deepEqual([error.host, error.port], [host, port]);
        if (code === "AUTH_PASSWORD_FUNCTION") assert.equal(error.cause, CLOSED);
        assertNoSecret(error, [WRONG]);
        return true;
      });
    }
  });
}

test("a function is asked for the password at each connect, and once for all attempts of one", async () => {
  let asked = 0;
  const password = () => {
    asked++;
    return Promise.resolve(PASSWORDS.md5_user);
  };
  for (const connects of [1, 2]) {
    const { host, port } = postgres;
    const client = new Client({ host, port, user: "md5_user", password, database: "test" });
    await client.connect();
    await client.end();
    assert.equal(asked, connects);
  }
});

// -- what is refused here, before anything is sent

const UNUSABLE: readonly [string, (port: number) => string | ClientConfig][] = [
  ["a port that is no number", () => `postgres://u:${encodeURIComponent(WRONG)}@localhost:port/db`],
  ["a NUL in the user", (port) => ({ host: "127.0.0.1", port, user: "a\0b", password: WRONG })],
  ["a NUL in the database", (port) => ({ host: "127.0.0.1", port, user: "u", database: "a\0b", password: WRONG })],
  ["a NUL in the password", (port) => ({ host: "127.0.0.1", port, user: "u", password: `${WRONG}\0` })],
  [
    "a NUL in a parameter",
    (port) => ({ host: "127.0.0.1", port, user: "u", application_name: "a\0b", password: WRONG }),
  ],
  ["a URL as the host", () => ({ host: `postgres://u:${WRONG}@localhost`, user: "u" })],
];

for (const [what, config] of UNUSABLE) {
  test(`${what} is refused before anything is sent`, async () => {
    await using server = await startFakeServer(() => {});
    assert.throws(() => new Client(config(server.port)), (error: Error & Record<string, unknown>) => {
      assert.deepEqual([error.name, error.phase], ["ConfigError", "config"]);
      assert.match(String(error.code), /^CONFIG_/);
      assertNoSecret(error, [WRONG]);
      return true;
    });
    assert.equal(server.accepted, 0);
  });
}

test("a client connects once", async () => {
  const client = new Client(connectionUrl(postgres, "scram_user"));
  await client.connect();
  await assert.rejects(client.connect(), { name: "ClientError", code: "CLIENT_ALREADY_CONNECTED" });
  assert.deepEqual((await client.query("SELECT 1 AS one")).rows, [{ one: 1 }]);
  await client.end();
  await client.end();
});
