import assert from "node:assert/strict";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import { openDuplex } from "../../src/duplex/open.ts";
import type { OpenTarget } from "../../src/duplex/open.ts";
import { TimeoutError, type TransportError } from "../../src/errors.ts";
import { startPeers } from "../fixtures/peers.ts";

const native = "Deno" in globalThis ? "deno" : "node";

test("the user's function wins, then the proxy, then the runtime's socket", async () => {
  const peers = await startPeers();
  const { tcp, unix, webSocket } = peers.addresses;
  const wsProxy = `ws://${webSocket.host}:${webSocket.port}`;
  const own = (host: string, port: number) => openNode({ host, port });
  const pair = () => {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    return { readable, writable };
  };
  const cases: [name: string, options: Partial<OpenTarget>, transport: string, local: boolean | undefined][] = [
    ["nothing said", {}, native, false],
    ["a Unix-domain socket", unix, native, true],
    ["a proxy", { wsProxy }, "websocket", undefined],
    ["a proxy by a function", { wsProxy: () => `${wsProxy}/v1` }, "websocket", undefined],
    ["a function", { openDuplex: ({ host, port }) => own(host, port), wsProxy }, "node", false],
    ["a function that gives a pair", { openDuplex: pair }, "streams", undefined],
  ];
  try {
    for (const [name, options, transport, local] of cases) {
      const duplex = await openDuplex({ ...tcp, ...options });
      assert.deepEqual([duplex.info.transport, duplex.info.local], [transport, local], name);
      const request = new TextEncoder().encode('{"do":"echo"}\n');
      const writing = Promise.all([duplex.write(request), duplex.write(Uint8Array.of(7))]);
      writing.catch(() => {}); // a pair that nobody reads on waits until it is closed
      const first = await duplex.read();
      assert.deepEqual(first, transport === "streams" ? request : Uint8Array.of(7), name);
      duplex.close();
    }
  } finally {
    await peers.close();
  }
});

test("an opening that fails says what, where and what to do", async () => {
  const peers = await startPeers();
  const { tcp } = peers.addresses;
  await peers.close();
  const cases: [name: string, target: OpenTarget, code: string, words: RegExp][] = [
    ["nobody listens", tcp, "TRANSPORT_OPEN_FAILED", /refused.*check that the server runs/i],
    ["no such name", { host: "no.such.invalid", port: 5432 }, "TRANSPORT_OPEN_FAILED", /name is unknown|name server/],
    ["no such socket", { host: "/no/such/folder", port: 5432 }, "TRANSPORT_OPEN_FAILED", /unix_socket_directories/],
    ["a socket by proxy", { host: "/run", port: 1, wsProxy: "p" }, "CONFIG_WS_PROXY", /cannot be reached through/],
    ["a bad proxy", { ...tcp, wsProxy: "ftp://p" }, "CONFIG_WS_PROXY", /scheme ftp:/],
    ["a proxy function that throws", { ...tcp, wsProxy: () => fail() }, "CONFIG_WS_PROXY", /function threw/],
    ["a function that throws", { ...tcp, openDuplex: () => fail() }, "TRANSPORT_OPEN_FAILED", /no idea/],
    ["a function that rejects", { ...tcp, openDuplex: () => Promise.reject("x") }, "TRANSPORT_OPEN_FAILED", /x/],
    [
      "a function that gives nothing",
      { ...tcp, openDuplex: () => undefined },
      "CONFIG_OPEN_DUPLEX",
      /must give a Duplex/,
    ],
  ];
  for (const [name, target, code, words] of cases) {
    await assert.rejects(openDuplex(target), (error: TransportError) => {
      assert.equal(error.driverCode, code, name);
      assert.match(error.message, words, name);
      assert.deepEqual([error.host, error.port], [target.host, target.port], name);
      return true;
    });
  }
});

test("an abort rejects at once, with a deadline's own error, and closes what comes too late", async () => {
  const controller = new AbortController();
  const deadline = new TimeoutError("TIMEOUT_CONNECT", "too slow");
  let hand: (duplex: unknown) => void = () => {};
  const late = new Promise((resolve) => hand = resolve);
  const opening = openDuplex({ host: "db", port: 5432, signal: controller.signal, openDuplex: () => late });
  controller.abort(deadline);
  await assert.rejects(opening, deadline);
  const closed = await new Promise((resolve) => {
    const nothing = () => Promise.resolve(null);
    hand({ read: nothing, write: nothing, closeWrite: nothing, close: resolve });
  });
  assert.equal(closed, "opened too late");
});

function fail(): never {
  throw new Error("no idea");
}
