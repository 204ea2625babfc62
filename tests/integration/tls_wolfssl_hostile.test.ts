/**
 * A client of the wolfSSL engine before servers that are not to be trusted, over a socket and through the proxy: the
 * connect, or the query in flight, fails as what it is, and nobody hears who wanted to log in.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { after, test } from "node:test";
import { Client, type ClientConfig } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { wire } from "../fixtures/bytes.ts";
import type { Credentials } from "../fixtures/certificates.ts";
import { type FakeConnection, startFakeServer } from "../fixtures/fake_server.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { type Fault, startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore;
const { postgres, certificates } = await servers();
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

const SECURE: ClientConfig = { sslmode: "verify-full", rootCerts: certificates.ca.cert, tlsEngine: "wolfssl" };
const ways: [name: string, config: ClientConfig][] = [
  ["over a socket", SECURE],
  ["through the proxy", { ...SECURE, wsProxy: proxy.url }],
];

/** Long enough to connect on a busy machine; only silence has to wait for it. */
const PATIENCE_MILLIS = 10_000;
const SILENCE_MILLIS = 1_000;

/** Shows a certificate, and waits for what must not come. */
const shows = (credentials: Credentials) => async (connection: FakeConnection) => {
  await connection.secure(credentials);
  await connection.message();
  throw new Error("the client went on");
};

/** Agrees to TLS, answers the ClientHello with this, and ends. */
const says = (bytes: Uint8Array) => async (connection: FakeConnection) => {
  await connection.sslRequest();
  connection.send(wire("'S'"));
  await connection.bytes();
  connection.send(bytes);
  connection.end();
};

const text = (words: string) => new TextEncoder().encode(words);
const { expired, notYetValid, untrusted, withoutIntermediate, wrongName, wrongUsage } = certificates;

const bad: [what: string, script: (connection: FakeConnection) => Promise<void>, code: string, words: RegExp][] = [
  ["an expired certificate", shows(expired), "TLS_CERTIFICATE", /expired on/],
  ["a certificate of tomorrow", shows(notYetValid), "TLS_CERTIFICATE", /valid only from/],
  ["a certificate for another name", shows(wrongName), "TLS_CERTIFICATE", /is for wrong\.example, not for/],
  ["a certificate by another authority", shows(untrusted), "TLS_CERTIFICATE", /not with the key of the trusted root/],
  ["a certificate without its intermediate", shows(withoutIntermediate), "TLS_CERTIFICATE", /send the intermediate/],
  ["a certificate for clients", shows(wrongUsage), "TLS_CERTIFICATE", /lacks serverAuth/],
  ["garbage", says(text("HTTP/1.1 400 Bad Request\r\n\r\n")), "TLS_HANDSHAKE", /not TLS|version/],
  ["an alert", says(Uint8Array.of(21, 3, 3, 0, 2, 2, 40)), "TLS_HANDSHAKE", /handshake_failure/],
  ["a record over the limit", says(Uint8Array.of(22, 3, 3, 0xff, 0xff)), "TLS_HANDSHAKE", /limit|malformed/],
  ["nothing, and ends", says(new Uint8Array()), "TLS_HANDSHAKE", /ended the connection/],
];

for (const [name, config] of ways) {
  for (const [what, script, code, words] of bad) {
    test(`${name}: a server with ${what} is told by no login`, { skip }, async () => {
      await using server = await startFakeServer(script);
      await using relay = await startRelay({ target: server });
      const client = clientOf(relay, { connectionTimeoutMillis: PATIENCE_MILLIS, ...config });
      await assert.rejects(client.connect(), (error: Error & Record<string, unknown>) => {
        assert.deepEqual([error.name, error.driverCode], ["TlsError", code]);
        assert.match(error.message, words);
        return true;
      });
      await server.idle();
      assertNoLogin(Buffer.concat(relay.connections.map((connection) => connection.bytes("client"))));
    });
  }

  test(`${name}: a server that says nothing more is given up at the deadline`, { skip }, async () => {
    let released = () => {};
    const silence = new Promise<void>((resolve) => released = resolve);
    await using server = await startFakeServer(async (connection) => {
      await connection.sslRequest();
      connection.send(wire("'S'"));
      await silence;
    });
    const client = clientOf(server, { connectionTimeoutMillis: SILENCE_MILLIS, ...config });
    await assert.rejects(client.connect(), { name: "TimeoutError", driverCode: "TIMEOUT_CONNECT" });
    released();
    await server.idle();
  });

  const faults: [what: string, action: Fault["action"], code: RegExp][] = [
    ["ends without a farewell", "end", /^(TLS_TRUNCATED|TRANSPORT_LOST)$/],
    ["is changed on its way", { inject: Uint8Array.of(0x5a) }, /^TLS_FAILED$/],
  ];
  for (const [what, action, code] of faults) {
    test(
      `${name}: the query in flight fails where the connection ${what}, and no other follows`,
      { skip },
      async () => {
        const fault: Fault = { from: "server", after: 50_000, action };
        await using relay = await startRelay({ target: postgres, fault });
        const client = clientOf(relay, { connectionTimeoutMillis: PATIENCE_MILLIS, ...config });
        client.on("error", () => {});
        await client.connect();
        const failing = client.query("select repeat('x', 1000) from generate_series(1, 1000)");
        await assert.rejects(failing, (error: Error & { driverCode?: string; cause?: unknown }) => {
          const codes = [error, error.cause].map((one) =>
            (one as { driverCode?: string } | undefined)?.driverCode ?? ""
          );
          assert.ok(codes.some((one) => code.test(one)), error.stack);
          return true;
        });
        await assert.rejects(client.query("select 1"));
        await client.end();
      },
    );
  }
}

function clientOf(address: { host: string; port: number }, config: ClientConfig): Client {
  return new Client({ connectionString: connectionUrl({ ...address, host: "127.0.0.1" }, "scram_user"), ...config });
}

/** Neither a startup message nor a password is among the bytes. */
function assertNoLogin(bytes: Uint8Array): void {
  assert.ok(bytes.length > 0);
  assert.doesNotMatch(Buffer.from(bytes).toString("latin1"), /scram_user|SCRAM|database/);
}
