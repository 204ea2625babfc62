import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import type { TransportError } from "../../src/errors.ts";
import type { WebSocketFactory, WebSocketLike } from "../../src/duplex/websocket.ts";
import { openWebSocket } from "../../src/duplex/websocket.ts";
import { wsFactory } from "../../src/duplex/ws.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import type { Request } from "../fixtures/peer_behaviour.ts";
import type { Address, Peers } from "../fixtures/peers.ts";
import { REFUSAL, startPeers } from "../fixtures/peers.ts";
import { freePort } from "../fixtures/postgres.ts";
import { testContract } from "./duplex_suite.ts";

const target = { host: "db.example.com", port: 5432 };
const own = "WebSocket" in globalThis;
const ownFactory: WebSocketFactory = (url, protocols) =>
  new globalThis.WebSocket(url, protocols) as unknown as WebSocketLike;

const implementations: [name: string, factory: () => Promise<WebSocketFactory>, skip: string | false][] = [
  ["the runtime's WebSocket", () => Promise.resolve(ownFactory), own ? false : "this runtime has no WebSocket"],
  ["npm ws", wsFactory, false],
];

const urlOf = ({ host, port }: Address, path = "/v1") => `ws://${host}:${port}${path}?address=db.example.com:5432`;

for (const [name, factory, skip] of implementations) {
  testContract(name, async ({ webSocket, mute }) => {
    const options = { webSocket: await factory() };
    return {
      halfClose: false,
      resets: true,
      pausesPeer: name === "npm ws",
      writeWaits: true,
      open: () => openWebSocket(urlOf(webSocket), target, options),
      openAborted: (signal) => openWebSocket(urlOf(mute), { ...target, signal }, options),
    };
  }, skip);
}

/** Opens a WebSocket whose peer does what it is asked. */
async function request(peers: Peers, factory: WebSocketFactory, what: Request, maxUnread?: number) {
  const options = { webSocket: factory, maxUnread };
  const duplex = await openWebSocket(urlOf(peers.addresses.webSocket), target, options);
  await duplex.write(new TextEncoder().encode(JSON.stringify(what) + "\n"));
  return duplex;
}

const closings: [code: number, reason: string, words: RegExp | null][] = [
  [1000, "", null],
  [1000, "bye", null],
  [1001, "", /closed with 1001 \(going away\)/],
  [1008, "not on the list", /closed with 1008 \(against its policy\): not on the list/],
  [1011, "the database hung up", /closed with 1011 \(internal error\): the database hung up/],
  [1011, "the target reset the connection", /internal error\): the target reset the connection/],
  [4321, "own", /closed with 4321: own/],
];

for (const [name, factory, skip] of implementations) {
  test(`${name}: a closing code and its reason become an end, or an error in words`, { skip }, async () => {
    const peers = await startPeers();
    try {
      for (const [code, reason, words] of closings) {
        const duplex = await request(peers, await factory(), { do: "close", code, reason });
        if (words === null) {
          assert.equal(await duplex.read(), null);
          assert.equal(await duplex.read(), null);
          const message = /db\.example\.com:5432 through ws:.*closed with 1000/;
          await assert.rejects(duplex.write(Uint8Array.of(1)), { driverCode: "TRANSPORT_LOST", message });
        } else {
          const system = reason.includes("reset") ? "ECONNRESET" : "TRANSPORT_LOST";
          const expected = { name: "TransportError", driverCode: "TRANSPORT_LOST", code: system, message: words };
          await assert.rejects(duplex.read(), expected);
        }
        await duplex.closed;
      }
    } finally {
      await peers.close();
    }
  });

  test(`${name}: a text message is refused`, { skip }, async () => {
    const peers = await startPeers();
    try {
      const duplex = await request(peers, await factory(), { do: "text" });
      await assert.rejects(duplex.read(), { driverCode: "TRANSPORT_LOST", message: /a text message where bytes/ });
      await duplex.closed;
    } finally {
      await peers.close();
    }
  });

  test(`${name}: an opening that fails names proxy and target, and shows no token`, { skip }, async () => {
    const peers = await startPeers();
    const { webSocket } = peers.addresses;
    await peers.close();
    const url = `${urlOf(webSocket)}&token=hush`;
    await assert.rejects(openWebSocket(url, target, { webSocket: await factory() }), (error: TransportError) => {
      assert.deepEqual([error.name, error.driverCode, error.phase], [
        "TransportError",
        "TRANSPORT_OPEN_FAILED",
        "open",
      ]);
      assert.deepEqual([error.host, error.port, error.transport], ["db.example.com", 5432, "websocket"]);
      assert.match(error.message, new RegExp(`ws://${webSocket.host}:${webSocket.port}/v1 for db.example.com:5432`));
      assert.match(error.message, /check that the proxy runs/);
      assert.ok(!inspect(error, { depth: 5 }).includes("hush"), inspect(error));
      return true;
    });
  });
}

test("npm ws: a refusal's status and reason reach the error", async () => {
  const peers = await startPeers();
  try {
    const opening = openWebSocket(urlOf(peers.addresses.webSocket, "/elsewhere"), target, {
      webSocket: await wsFactory(),
    });
    const message = new RegExp(`HTTP ${REFUSAL.status}: ${REFUSAL.reason}`);
    await assert.rejects(opening, { driverCode: "TRANSPORT_OPEN_FAILED", message });
  } finally {
    await peers.close();
  }
});

test("npm ws: a target that the proxy cannot reach, and a proxy that is not there, have the codes of a socket", async () => {
  const gone = await freePort();
  const resolve = (host: string) =>
    host === "nowhere.example" ? Promise.reject(new Error("no")) : new Promise<never>(() => {});
  const proxy = await startProxy({ allow: ["*:*"], allowPrivate: true, resolve, dialTimeoutMillis: 100 });
  const proxied = (host: string, port: number) => `${proxy.url}?address=${host}:${port}`;
  const cases: readonly (readonly [url: string, failure: object])[] = [
    [proxied("127.0.0.1", gone), { code: "ECONNREFUSED", syscall: "connect", message: /HTTP 502.*nothing listens/ }],
    [proxied("nowhere.example", 5432), { code: "ENOTFOUND", syscall: "getaddrinfo", message: /HTTP 502/ }],
    [proxied("slow.example", 5432), { code: "TRANSPORT_OPEN_FAILED", message: /HTTP 504/ }],
    [`ws://127.0.0.1:${gone}/v1`, { code: "ECONNREFUSED", syscall: "connect", address: "127.0.0.1" }],
  ];
  try {
    for (const [url, failure] of cases) {
      await assert.rejects(openWebSocket(url, target, { webSocket: await wsFactory() }), {
        driverCode: "TRANSPORT_OPEN_FAILED",
        ...failure,
      });
    }
  } finally {
    await proxy.close({ drainMillis: 0 });
  }
});

test("the runtime's WebSocket: more unread than it may hold ends the connection", {
  skip: own ? false : "this runtime has no WebSocket",
}, async () => {
  const peers = await startPeers();
  try {
    const duplex = await request(peers, ownFactory, { do: "source", id: "flood", bytes: 8 * 1024 * 1024 }, 1024 * 1024);
    await duplex.closed;
    let received = 0;
    const overflow = { name: "TransportError", code: "TRANSPORT_OVERFLOW", message: /1048576 bytes .* lie unread/ };
    await assert.rejects(async () => {
      for (let bytes = await duplex.read(); bytes !== null; bytes = await duplex.read()) received += bytes.length;
    }, overflow);
    assert.ok(received <= 2 * 1024 * 1024, `${received} bytes were held`);
  } finally {
    await peers.close();
  }
});

test("subprotocols are offered, and the one that was chosen is known", async () => {
  const peers = await startPeers();
  try {
    const options = { webSocket: await wsFactory(), protocols: ["pgduplex.v1"] };
    const duplex = await openWebSocket(urlOf(peers.addresses.webSocket), target, options);
    assert.equal(duplex.protocol, "pgduplex.v1");
    duplex.close();
  } finally {
    await peers.close();
  }
});

const NO_COUNT = "Deno" in globalThis && "Deno does not tell what keeps its process alive";

test("npm ws: unref lets the process exit, and ref keeps it again", { skip: NO_COUNT }, async () => {
  const peers = await startPeers();
  const alive = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  try {
    const duplex = await request(peers, await wsFactory(), { do: "echo" });
    const before = alive();
    duplex.unref?.();
    assert.equal(alive(), before - 1);
    duplex.ref?.();
    assert.equal(alive(), before);
    duplex.close();
  } finally {
    await peers.close();
  }
});
