/**
 * The subprotocol `pgduplex.v1` at the proxy: what it does with the target for a client, and what it does not.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { WebSocket } from "ws";
import { deferred } from "../../src/duplex/waiting.ts";
import { offerOf } from "../../src/duplex/proxy_protocol.ts";
import { type ProxyOptions, startProxy } from "../../src/proxy/mod.ts";
import { wire } from "../fixtures/bytes.ts";
import { type FakeConnection, messages, startFakeServer } from "../fixtures/fake_server.ts";
import { closing, nextMessage, tryThrough } from "../fixtures/proxy.ts";

const SSL_REQUEST = "00 00 00 08 04 d2 16 2f";
/** A TLS record that begins as one with a ClientHello does. */
const HELLO = wire("16 03 01 00 05 01 00 00 01 00");

const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

async function withProxy(options: ProxyOptions, body: (url: string) => Promise<void>): Promise<void> {
  const own = await startProxy(options);
  try {
    await body(own.url);
  } finally {
    await own.close({ drainMillis: 0 });
  }
}

/** `ws` takes subprotocols by an argument of its own, which the fixture leaves to headers. */
async function open(url: string, port: number, protocols: readonly string[]): Promise<WebSocket> {
  const socket = new WebSocket(`${url}?address=127.0.0.1:${port}`, [...protocols], { perMessageDeflate: false });
  const { promise, resolve, reject } = deferred<void>();
  socket.on("open", () => resolve());
  socket.on("error", reject);
  await promise;
  return socket;
}

test("the first bytes are sent once the target has answered SSLRequest with S, which the client does not see", async () => {
  const heard: Uint8Array[] = [];
  await using server = await startFakeServer(async (connection) => {
    heard.push(await connection.bytes());
    connection.send(wire("'S'"));
    heard.push(await connection.bytes());
    connection.send(wire("'ServerHello'"));
    heard.push(await connection.bytes());
  });
  const socket = await open(proxy.url, server.port, offerOf({ sslRequest: true, first: HELLO }) ?? []);
  const answer = await nextMessage(socket);
  assert.equal(socket.protocol, "pgduplex.v1");
  assert.equal(String(answer), "ServerHello");
  socket.send(wire("'Finished'"));
  socket.close(1000);
  await server.idle();
  assert.deepEqual(heard.map((bytes) => new Uint8Array(bytes)), [wire(SSL_REQUEST), HELLO, wire("'Finished'")]);
});

test("without a wish for SSLRequest, the first bytes are sent at once", async () => {
  const heard: Uint8Array[] = [];
  await using server = await startFakeServer(async (connection) => {
    heard.push(await connection.bytes());
    connection.send(wire("'ServerHello'"));
  });
  const socket = await open(proxy.url, server.port, offerOf({ sslRequest: false, first: HELLO }) ?? []);
  const answer = await nextMessage(socket);
  assert.equal(socket.protocol, "pgduplex.v1");
  assert.equal(String(answer), "ServerHello");
  assert.deepEqual(heard.map((bytes) => new Uint8Array(bytes)), [HELLO]);
  socket.terminate();
});

interface AnswerCase {
  readonly what: string;
  readonly answer: (connection: FakeConnection) => void;
  /** What the client hears... */
  readonly message?: Uint8Array;
  /** ...or how its connection is closed. */
  readonly code?: number;
}

const OTHER_ANSWERS: readonly AnswerCase[] = [
  { what: "N", answer: (connection) => connection.send(wire("'N'")), message: wire("'N'") },
  {
    what: "an error",
    answer: (connection) => connection.send(messages.error("57P03", "starting")),
    message: messages.error("57P03", "starting"),
  },
  {
    what: "plaintext right behind the S",
    answer: (connection) => connection.send(wire("'Sx'")),
    message: wire("'Sx'"),
  },
  { what: "an end", answer: (connection) => connection.end(), code: 1000 },
  { what: "a reset", answer: (connection) => connection.reset(), code: 1011 },
];

for (const { what, answer, message, code } of OTHER_ANSWERS) {
  test(`an answer to SSLRequest that is ${what} is the client's to read, and the first bytes are not sent`, async () => {
    const heard: Uint8Array[] = [];
    await using server = await startFakeServer(async (connection) => {
      heard.push(await connection.bytes());
      answer(connection);
      heard.push(await connection.bytes());
    });
    const socket = new WebSocket(
      `${proxy.url}?address=127.0.0.1:${server.port}`,
      offerOf({ sslRequest: true, first: HELLO }),
    );
    const outcome = message === undefined ? (await closing(socket)).code : new Uint8Array(await nextMessage(socket));
    assert.equal(socket.protocol, "pgduplex.v1.sslrequest");
    assert.deepEqual(outcome, message ?? code);
    if (message !== undefined) {
      socket.send(wire("'next'"));
      socket.close(1000);
    }
    await server.idle();
    const expected = [wire(SSL_REQUEST), ...message === undefined ? [] : [wire("'next'")]];
    assert.deepEqual(heard.map((bytes) => new Uint8Array(bytes)), expected);
  });
}

test("a target that does not answer SSLRequest in time is an HTTP error, and released", async () => {
  await using server = await startFakeServer((connection) => connection.sslRequest());
  await withProxy({ dev: true, dialTimeoutMillis: 50 }, async (url) => {
    const refused = await refusal(url, server.port, "pgduplex.v1.sslrequest, pgduplex.v1");
    assert.equal(refused.status, 504);
    assert.match(refused.body, /did not answer SSLRequest in the time that the proxy waits/);
    await server.idle();
  });
});

test("a client that leaves while the target thinks takes the target's connection with it", async () => {
  const { promise: asked, resolve } = deferred<void>();
  await using server = await startFakeServer(async (connection) => {
    await connection.sslRequest();
    resolve();
    await connection.bytes();
  });
  const socket = new WebSocket(`${proxy.url}?address=127.0.0.1:${server.port}`, [
    "pgduplex.v1.sslrequest",
    "pgduplex.v1",
  ]);
  socket.on("error", () => {});
  await asked;
  socket.terminate();
  await server.idle();
});

test("a wish that is malformed, and one for a target that is not allowed, dial nothing", async () => {
  await using server = await startFakeServer(() => {});
  await withProxy({ allow: ["db.example.com:5432"] }, async (url) => {
    const good = (offerOf({ sslRequest: true, first: HELLO }) ?? []).join(", ");
    assert.equal((await refusal(url, server.port, good)).status, 403);
    assert.equal(server.accepted, 0);
  });
  const cases: [offer: string, body: RegExp][] = [
    ["pgduplex.v1.first.!, pgduplex.v1", /first bytes are not base64url/],
    ["pgduplex.v1.first.AAAA, pgduplex.v1", /first bytes are no ClientHello/],
    [`pgduplex.v1.first.${"FgMB".repeat(1025)}, pgduplex.v1`, /first bytes are more than 3072/],
  ];
  for (const [offer, body] of cases) {
    const refused = await refusal(proxy.url, server.port, offer);
    assert.equal(refused.status, 400, offer.slice(0, 40));
    assert.match(refused.body, body);
  }
  assert.equal(server.accepted, 0);
});

test("a page from elsewhere reaches nothing through a proxy for development", async () => {
  await using server = await startFakeServer(() => {});
  const from = (origin: string) => tryThrough(proxy.url, `127.0.0.1:${server.port}`, { origin });
  for (const origin of ["https://evil.example", "null", "http://localhost.evil.example"]) {
    const refused = await from(origin);
    assert.ok(!(refused instanceof WebSocket), origin);
    assert.equal(refused.status, 403);
    assert.match(refused.body, /may not connect.*--allow-origin/);
  }
  assert.equal(server.accepted, 0);
  const allowed = await from("http://localhost:5173");
  assert.ok(allowed instanceof WebSocket);
  allowed.terminate();
  await withProxy({ dev: true, allowOrigins: ["https://app.example"] }, async (url) => {
    const socket = await tryThrough(url, `127.0.0.1:${server.port}`, { origin: "https://app.example" });
    assert.ok(socket instanceof WebSocket);
    socket.terminate();
  });
});

async function refusal(url: string, port: number, offer: string): Promise<{ status: number; body: string }> {
  const headers = { "sec-websocket-protocol": offer };
  const outcome = await tryThrough(url, `127.0.0.1:${port}`, { headers });
  if (!(outcome instanceof WebSocket)) return outcome;
  outcome.terminate();
  throw new Error(`${offer} was not refused`);
}
