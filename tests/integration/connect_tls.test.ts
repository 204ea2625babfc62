/**
 * TLS that must not come about, and plaintext that must not take its place; libpq's falling back, where it is asked for.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, type ClientConfig, type SslMode } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { wire } from "../fixtures/bytes.ts";
import type { Credentials } from "../fixtures/certificates.ts";
import {
  type FakeConnection,
  message,
  messages,
  ScramServer,
  serveScram,
  startFakeServer,
} from "../fixtures/fake_server.ts";
import { connectionUrl, startPostgres, type UserName } from "../fixtures/postgres.ts";
import { type Relay, startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";
import { ON_DENO, usableSockets, usableTransports } from "../fixtures/transports.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const { postgres, certificates } = await servers();
const withoutTls = await startPostgres({ ssl: false });
after(() => withoutTls.stop());
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

const ways = usableTransports(proxy.url);
const CA = certificates.ca.cert;
const OTHER_CA = certificates.otherCa.cert;
const PASSWORD = "for the server alone";

// -- certificates

interface CertificateCase {
  readonly what: string;
  readonly presented: Credentials;
  readonly options: ClientConfig;
  /** What the error says of the reason, in the words of OpenSSL, rustls and the wolfSSL engine. */
  readonly reason: RegExp;
}

const REFUSED: readonly CertificateCase[] = [
  {
    what: "signed by an authority that is not trusted",
    presented: certificates.untrusted,
    options: { sslmode: "verify-full", rootCerts: CA },
    reason: /trust its CA by rootCerts|not with the key of the trusted root of that name/,
  },
  {
    what: "that this machine does not trust, and no roots are given",
    presented: certificates.server,
    options: { sslmode: "verify-full" },
    reason: /trust its CA by rootCerts|give its root by rootCerts/,
  },
  {
    what: "for another name",
    presented: certificates.wrongName,
    options: { sslmode: "verify-full", rootCerts: CA },
    reason: /refused for "127\.0\.0\.1".*connect by a name that it (was issued|is) for/,
  },
  {
    what: "for another name than the one to be verified",
    presented: certificates.server,
    options: { ssl: { ca: CA, servername: "wrong.example" } },
    reason: /refused for "wrong\.example".*connect by a name that it (was issued|is) for/,
  },
  {
    what: "that has expired",
    presented: certificates.expired,
    options: { sslmode: "verify-full", rootCerts: CA },
    reason: /expired.*renew (the server's certificate|it)/i,
  },
];

for (const { name, transport, config: way } of ways) {
  // Deno's node:tls has one reason for all that can be wrong with a chain.
  const oneReason = ON_DENO && transport !== "deno" && way.tlsEngine !== "wolfssl";
  for (const { what, presented, options, reason } of REFUSED) {
    test(`by a ${name}, a certificate ${what} is refused before anything is said`, async () => {
      let said = false;
      await using server = await startFakeServer(async (connection) => {
        await connection.secure(presented);
        await connection.startup();
        said = true;
      });
      const { host, port } = server;
      const client = new Client({ host, port, user: "u", password: PASSWORD, ...options, ...way });
      await assert.rejects(client.connect(), {
        name: "TlsError",
        driverCode: "TLS_CERTIFICATE",
        message: oneReason && presented === certificates.expired ? /verify the first/ : reason,
        host,
        port,
        transport,
        phase: "tls",
      });
      assert.equal(server.accepted, 1);
      await server.idle();
      assert.equal(said, false);
    });
  }

  test(`by a ${name}, a chain with an intermediate authority is verified to its root`, async () => {
    let user: string | undefined;
    await using server = await startFakeServer(async (connection) => {
      await connection.secure(certificates.serverByIntermediate);
      user = (await connection.startup()).get("user");
      connection.end();
    });
    const { host, port } = server;
    const client = new Client({ host, port, user: "u", sslmode: "verify-full", rootCerts: CA, ...way });
    await assert.rejects(client.connect(), { driverCode: "CONNECTION_ENDED" });
    assert.equal(user, "u");
  });
}

// -- a server without TLS

const MODES: readonly SslMode[] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full", "no-verify"];

for (const { name, transport, config: way } of ways) {
  for (const uselibpqcompat of [false, true]) {
    const content = uselibpqcompat ? ["disable", "allow", "prefer"] : ["disable"];
    const reading = uselibpqcompat ? "libpq's reading" : "node-postgres's reading";
    test(`by a ${name}, a server without TLS is spoken to in the modes ${content} alone, in ${reading}`, async () => {
      for (const sslmode of MODES) {
        const client = new Client({
          connectionString: connectionUrl(withoutTls, "scram_user"),
          ...{ sslmode, uselibpqcompat, rootCerts: CA },
          ...way,
        });
        if (content.includes(sslmode)) {
          await client.connect();
          assert.equal(client.connectionInfo?.secure ?? false, false, sslmode);
          await client.end();
        } else {
          const refusal = { name: "TlsError", code: "TLS_REFUSED_BY_SERVER", transport, phase: "tls" };
          await assert.rejects(client.connect(), refusal, sslmode);
        }
      }
    });
  }
}

// -- answers to SSLRequest, and what follows them

interface AnswerCase {
  readonly what: string;
  readonly answer: (connection: FakeConnection) => Promise<void> | void;
  readonly code: string;
  /** What an engine that reads from the transport itself makes of it, where that is something else. */
  readonly seenByEngine?: string;
}

const FORGED = "forged by somebody on the way";

const ANSWERS: readonly AnswerCase[] = [
  {
    what: "an error, whose words are not to be trusted",
    answer: (connection) => connection.send(messages.error("57P03", FORGED)),
    code: "PROTOCOL_SSL_ANSWER",
  },
  {
    what: "plaintext right behind the S",
    answer: (connection) => connection.send(wire("'S'"), messages.error("57P03", FORGED)),
    code: "PROTOCOL_SSL_ANSWER",
  },
  {
    what: "plaintext instead of a ServerHello",
    answer: async (connection) => {
      connection.send(wire("'S'"));
      await connection.bytes(); // the ClientHello
      connection.send(messages.error("57P03", FORGED));
    },
    code: "TLS_HANDSHAKE",
  },
  {
    what: "plaintext right behind the N",
    answer: (connection) => connection.send(wire("'N'"), messages.authenticationOk),
    code: "PROTOCOL_SSL_ANSWER",
  },
  {
    what: "another protocol",
    answer: (connection) => connection.send(wire("'HTTP/1.1 400 Bad Request'")),
    code: "PROTOCOL_SSL_ANSWER",
  },
  { what: "an end", answer: (connection) => connection.end(), code: "CONNECTION_ENDED" },
  { what: "a reset", answer: (connection) => connection.reset(), code: "TRANSPORT_LOST" },
  {
    what: "an S and an end",
    answer: async (connection) => {
      connection.send(wire("'S'"));
      await connection.bytes();
      connection.end();
    },
    code: "TLS_HANDSHAKE",
  },
  {
    what: "an S and a reset",
    answer: async (connection) => {
      connection.send(wire("'S'"));
      await connection.bytes();
      connection.reset();
    },
    code: "TLS_HANDSHAKE",
    seenByEngine: "TRANSPORT_LOST",
  },
];

for (const { name, transport, config: way } of ways) {
  for (const { what, answer, code: seenByPlatform, seenByEngine } of ANSWERS) {
    const code = way.tlsEngine === "wolfssl" ? seenByEngine ?? seenByPlatform : seenByPlatform;
    test(`by a ${name}, the answer to SSLRequest is ${what}`, async () => {
      await using server = await startFakeServer(async (connection) => {
        await connection.sslRequest();
        await answer(connection);
      });
      const { host, port } = server;
      const client = new Client({
        ...{ host, port, user: "u", password: PASSWORD, sslmode: "verify-full", rootCerts: CA },
        ...way,
      });
      await assert.rejects(client.connect(), (error: Error & Record<string, unknown>) => {
        assert.deepEqual([error.driverCode, error.phase, error.transport], [code, "tls", transport]);
        assert.equal(error.host, host);
        assert.equal(error.port, port);
        assert.doesNotMatch(error.message, new RegExp(FORGED));
        return true;
      });
      await server.idle();
    });
  }

  test(`by a ${name}, direct TLS needs a server that agrees on PostgreSQL's protocol`, async () => {
    let said = false;
    await using server = await startFakeServer(async (connection) => {
      await connection.secureAtOnce(certificates.server);
      await connection.startup();
      said = true;
    });
    const { host, port } = server;
    const client = new Client({
      ...{ host, port, user: "u", sslmode: "verify-full", sslnegotiation: "direct", rootCerts: CA },
      ...way,
    });
    await assert.rejects(client.connect(), { code: "TLS_ALPN", message: /set sslnegotiation=postgres/, transport });
    await server.idle();
    assert.equal(said, false);
  });
}

// -- libpq's second attempts

interface FallBackCase {
  readonly what: string;
  readonly sslmode: SslMode;
  readonly user: UserName;
  readonly options?: ClientConfig;
  readonly server?: { readonly host: string; readonly port: number };
  readonly encrypted: boolean;
  readonly connections: number;
}

const FALLING_BACK: readonly FallBackCase[] = [
  { what: "allow, where plaintext is allowed", sslmode: "allow", user: "scram_user", encrypted: false, connections: 1 },
  { what: "allow, where TLS is wanted", sslmode: "allow", user: "tls_only_user", encrypted: true, connections: 2 },
  { what: "prefer, where TLS is there", sslmode: "prefer", user: "scram_user", encrypted: true, connections: 1 },
  {
    what: "prefer, where TLS is refused",
    sslmode: "prefer",
    user: "plain_only_user",
    encrypted: false,
    connections: 2,
  },
  {
    what: "prefer, where there is no TLS",
    sslmode: "prefer",
    user: "scram_user",
    server: withoutTls,
    encrypted: false,
    connections: 1,
  },
  {
    what: "prefer, where the certificate is not trusted",
    sslmode: "prefer",
    user: "scram_user",
    options: { rootCerts: OTHER_CA },
    encrypted: false,
    connections: 2,
  },
];

for (const { name, transport, config } of usableSockets()) {
  // What libpq's modes verify is for Deno's TLS to refuse, and for the wolfSSL engine to do.
  const way: ClientConfig = transport === "deno" ? { ...config, tlsEngine: "auto" } : config;
  const skip = transport === "deno" && withoutCore;
  for (const { what, sslmode, user, options, server = postgres, encrypted, connections } of FALLING_BACK) {
    test(
      `by a ${name}, libpq's ${what}: ${encrypted ? "TLS" : "plaintext"}, by connection ${connections}`,
      { skip },
      async () => {
        await using relay = await startRelay({ target: server });
        const client = libpqClient(relay, user, { sslmode, rootCerts: CA, ...options, ...way });
        const early = client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
        await client.connect();
        assert.deepEqual((await early).rows, [{ ssl: encrypted }]);
        assert.equal(relay.connections.length, connections);
        await client.end();
      },
    );
  }

  const failing: [string, SslMode, string, number, ClientConfig][] = [
    ["a wrong password", "prefer", "28P01", 2, { password: "wrong" }],
    ["a database that does not exist", "prefer", "3D000", 1, { database: "nowhere" }],
    ["a database that does not exist", "allow", "3D000", 1, { database: "nowhere" }],
  ];
  for (const [what, sslmode, code, connections, options] of failing) {
    test(`by a ${name}, libpq's ${sslmode} tries ${connections}× with ${what}`, { skip }, async () => {
      await using relay = await startRelay({ target: postgres });
      const client = new Client({
        ...{ host: relay.host, port: relay.port, user: "scram_user", password: "pässwörd ﬁ\u00a0§1", database: "test" },
        ...{ sslmode, uselibpqcompat: true, rootCerts: CA },
        ...options,
        ...way,
      });
      await assert.rejects(client.connect(), { driverCode: code });
      assert.equal(relay.connections.length, connections);
    });
  }

  test(`by a ${name}, what was queried early goes with the attempt that succeeds`, { skip }, async () => {
    await using server = await startFakeServer(async (connection, number) => {
      if (number > 0) await connection.secure(certificates.server);
      await connection.startup();
      if (number > 0) {
        await serveScram(connection, PASSWORD);
        await connection.message(); // the query
        return connection.send(message("C", wire("'SELECT 0' 00")), messages.readyForQuery);
      }
      const scram = new ScramServer(PASSWORD);
      connection.send(messages.sasl("SCRAM-SHA-256"));
      connection.send(messages.saslContinue(scram.first(await connection.message()).serverFirst));
      await connection.message();
      connection.send(messages.error("28P01", "password authentication failed"));
      connection.end();
    });
    const { host, port } = server;
    const options = { host, port, user: "u", password: PASSWORD, sslmode: "allow", rootCerts: CA } as const;
    const client = new Client({ ...options, uselibpqcompat: true, channelBinding: "disable", ...way });
    const early = client.query("SELECT");
    await client.connect();
    assert.equal((await early).command, "SELECT");
    assert.equal(server.accepted, 2);
    await client.end();
  });

  test(`by a ${name}, libpq's prefer does not go on in plaintext after an error instead of an answer`, async () => {
    await using server = await startFakeServer(async (connection) => {
      await connection.sslRequest();
      connection.send(messages.error("57P03", FORGED));
      connection.end();
    });
    const client = libpqClient(server, "scram_user", { sslmode: "prefer", rootCerts: CA, ...way });
    await assert.rejects(client.connect(), { code: "PROTOCOL_SSL_ANSWER" });
    assert.equal(server.accepted, 1);
  });
}

// -- what a platform's TLS can be asked for

for (const { name, transport, config: way } of ways) {
  const able = transport !== "deno";
  const cannot = { name: "TlsError", code: "TLS_OPTION_UNSUPPORTED", transport, phase: "tls" };

  test(`by a ${name}, a client certificate ${able ? "lets its user in" : "is refused, not ignored"}`, async () => {
    const { cert, key } = certificates.client;
    const client = new Client({
      connectionString: connectionUrl(postgres, "cert_user"),
      ssl: { ca: CA, cert, key },
      ...way,
    });
    if (!able) return await assert.rejects(client.connect(), cannot);
    await client.connect();
    const { rows } = await client.query("SELECT client_dn FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    assert.deepEqual(rows, [{ client_dn: "/CN=cert_user" }]);
    await client.end();
  });

  test(`by a ${name}, a user who needs a certificate is refused without one`, async () => {
    const client = new Client({ connectionString: connectionUrl(postgres, "cert_user"), ssl: { ca: CA }, ...way });
    await assert.rejects(client.connect(), { name: "error", code: "28000", transport });
  });

  test(
    `by a ${name}, TLS without verification ${able ? "takes any certificate" : "is refused, in libpq's prefer too"}`,
    async () => {
      const modes: ClientConfig[] = [{ sslmode: "no-verify" }, { sslmode: "prefer", uselibpqcompat: true }];
      for (const mode of modes) {
        const client = new Client({ connectionString: connectionUrl(postgres, "scram_user"), ...mode, ...way });
        if (!able) {
          await assert.rejects(client.connect(), cannot);
          continue;
        }
        await client.connect();
        const { rows } = await client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
        assert.deepEqual(rows, [{ ssl: true }]);
        assert.equal(client.connectionInfo?.secure, false);
        await client.end();
      }
    },
  );
}

function libpqClient({ host, port }: Pick<Relay, "host" | "port">, user: UserName, options: ClientConfig): Client {
  return new Client({ connectionString: connectionUrl({ host, port }, user), uselibpqcompat: true, ...options });
}
