/**
 * Channel binding: what it detects is somebody in the middle whose certificate is as good as the server's own.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, test } from "node:test";
import { connect } from "node:tls";
import { Client, type ClientConfig } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { rememberedLogin } from "../../src/session/method_memory.ts";
import { hex } from "../fixtures/bytes.ts";
import { type FakeConnection, messages, ScramServer, startFakeServer, WELCOME } from "../fixtures/fake_server.ts";
import { connectionUrl, DATABASE } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { usableTransports } from "../fixtures/transports.ts";

const { postgres, certificates } = await servers();
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

const PASSWORD = "bound";
const VERIFIED: ClientConfig = { sslmode: "verify-full", rootCerts: certificates.ca.cert };
const BOTH = ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"];

for (const { name, bindable, config: way } of usableTransports(proxy.url)) {
  const unlessBindable = !bindable && "its TLS does not show the server's certificate";

  test(`by a ${name}, SCRAM is bound to TLS without being asked, and where it is required`, {
    skip: unlessBindable,
  }, async () => {
    for (const channelBinding of [undefined, "require"] as const) {
      const client = connectTo(postgres, { channelBinding, requireAuth: "scram-sha-256-plus", ...way });
      const early = client.query("SELECT 1 AS one");
      await client.connect();
      assert.deepEqual((await early).rows, [{ one: 1 }]);
      const key = { host: postgres.host, port: postgres.port, user: "scram_user", database: DATABASE, encrypted: true };
      assert.equal(rememberedLogin(key)?.method, "scram-sha-256-plus");
      await client.end();
    }
  });

  test(`by a ${name}, somebody in the middle with a valid certificate is noticed by binding alone`, {
    skip: unlessBindable,
  }, async () => {
    await using middle = await startFakeServer((connection) => intercept(connection));
    const unaware = connectTo(middle, { channelBinding: "disable", ...way });
    await unaware.connect();
    const { rows } = await unaware.query(
      "SELECT ssl, current_user AS name FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
    );
    assert.deepEqual(rows, [{ ssl: true, name: "scram_user" }]);
    await unaware.end();

    for (const channelBinding of ["prefer", "require"] as const) {
      await assert.rejects(connectTo(middle, { channelBinding, ...way }).connect(), {
        name: "error",
        code: "28000",
        message: /channel binding check failed/,
      });
    }
  });

  test(`by a ${name}, somebody in the middle who hides the server's offer to bind is noticed too`, {
    skip: unlessBindable,
  }, async () => {
    await using middle = await startFakeServer((connection) => intercept(connection, hideOffer));
    await assert.rejects(connectTo(middle, way).connect(), {
      name: "error",
      code: "28000",
      message: /channel binding negotiation error/,
    });
    await assert.rejects(connectTo(middle, { channelBinding: "require", ...way }).connect(), {
      name: "AuthenticationError",
      code: "AUTH_CHANNEL_BINDING_REQUIRED",
    });
  });

  test(`by a ${name}, a query waits where binding is required until the server has proved itself`, {
    skip: unlessBindable,
  }, async () => {
    const early: boolean[] = [];
    await using server = await startFakeServer(async (connection) => {
      await connection.secure(certificates.server);
      await connection.startup();
      const scram = new ScramServer(PASSWORD);
      connection.send(messages.sasl(...BOTH));
      connection.send(messages.saslContinue(scram.first(await connection.message()).serverFirst));
      const final = scram.final(await connection.message());
      early.push(connection.hasMore);
      connection.send(messages.saslFinal(final), messages.authenticationOk, ...WELCOME);
    });
    for (const channelBinding of ["require", "prefer"] as const) {
      const client = connectTo(server, { channelBinding, ...way }, PASSWORD);
      const query = assert.rejects(client.query("SELECT 1"), { code: "CONNECTION_CLOSED" });
      await client.connect();
      await client.end();
      await query;
    }
    assert.deepEqual(early, [false, true]);
  });

  if (!bindable) {
    test(`by a ${name}, required binding is refused before the server hears who connects`, async () => {
      let said = false;
      await using server = await startFakeServer(async (connection) => {
        await connection.secure(certificates.server);
        said = true;
      });
      const client = connectTo(server, { channelBinding: "require", ...way });
      await assert.rejects(client.connect(), { code: "TLS_OPTION_UNSUPPORTED", message: /channel binding.*wolfssl/ });
      await server.idle();
      assert.equal(said, false);
    });
  }

  // What a server may ask for that cannot be bound.
  const asked: [string, Uint8Array][] = [
    ["SCRAM without binding", messages.sasl("SCRAM-SHA-256")],
    ["MD5", messages.md5Password],
    ["a cleartext password", messages.cleartextPassword],
    ["nothing", messages.authenticationOk],
  ];
  for (const [what, request] of asked) {
    test(`by a ${name}, required binding is not given up where the server asks for ${what}`, {
      skip: unlessBindable,
    }, async () => {
      const answers: string[] = [];
      await using server = await startFakeServer(async (connection) => {
        await connection.secure(certificates.server);
        await connection.startup();
        connection.send(request);
        for (;;) {
          const { type, payload } = await connection.message();
          answers.push(type + Buffer.from(payload).toString("latin1"));
        }
      });
      const client = connectTo(server, { channelBinding: "require", ...way });
      await assert.rejects(client.connect(), {
        name: "AuthenticationError",
        code: "AUTH_CHANNEL_BINDING_REQUIRED",
        phase: "authentication",
      });
      await server.idle();
      // A client-first-message, which only holds a nonce, is the most that may have been said.
      const derived = answers.filter((answer) =>
        !/^pSCRAM-SHA-256-PLUS\0....p=tls-server-end-point,,n=,r=/s.test(answer)
      );
      assert.deepEqual(derived, []);
    });
  }
}

test("required binding is not to be had without TLS", async () => {
  const client = connectTo(postgres, { channelBinding: "require", sslmode: "disable" });
  await assert.rejects(client.connect(), {
    code: "AUTH_CHANNEL_BINDING_REQUIRED",
    message: /the connection is not TLS/,
  });
});

/** A client for `scram_user`, by its own password or another. */
function connectTo(address: { host: string; port: number }, options: ClientConfig, password?: string): Client {
  const url = connectionUrl(address, "scram_user", password === undefined ? {} : { password });
  return new Client({ connectionString: url, ...VERIFIED, ...options });
}

/** Ends the client's TLS with a certificate for the same name by the same authority, and begins one to PostgreSQL. */
async function intercept(
  connection: FakeConnection,
  rewrite: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes,
): Promise<void> {
  await connection.secure(certificates.serverByIntermediate);
  const upstream = connect({
    host: postgres.host,
    port: postgres.port,
    ALPNProtocols: ["postgresql"],
    rejectUnauthorized: false,
  });
  upstream.on("data", (bytes) => connection.send(rewrite(bytes)));
  upstream.on("end", () => connection.end());
  upstream.on("error", () => {});
  try {
    for (;;) upstream.write(await connection.bytes());
  } finally {
    upstream.end();
  }
}

/** PostgreSQL's offer of both mechanisms becomes one of the plain one. */
function hideOffer(bytes: Uint8Array): Uint8Array {
  return Buffer.from(hex(bytes).replace(hex(messages.sasl(...BOTH)), hex(messages.sasl("SCRAM-SHA-256"))), "hex");
}
