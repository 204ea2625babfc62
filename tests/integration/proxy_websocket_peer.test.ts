import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { Meter } from "../../src/proxy/metrics.ts";
import { peerFromWebSocket } from "../../src/proxy/websocket_peer.ts";
import { closing } from "../fixtures/proxy.ts";

/** Both ends of a WebSocket. */
async function withPair(body: (near: WebSocket, far: WebSocket) => Promise<void>): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  await once(server, "listening");
  const far = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [[near]] = await Promise.all([once(server, "connection") as Promise<[WebSocket]>, once(far, "open")]);
  try {
    await body(near, far);
  } finally {
    far.terminate();
    server.close();
    await once(server, "close");
  }
}

test("a goodbye waits until the network has taken what was sent, so that no deadline cuts it off", async () => {
  await withPair(async (near, far) => {
    const total = 32 * 1024 * 1024;
    const meter = new Meter();
    const peer = peerFromWebSocket(near, meter, 0);
    far.pause();
    let got = 0;
    far.on("message", (bytes) => got += (bytes as Uint8Array).length);
    for (let sent = 0; sent < total; sent += 65536) void peer.send(new Uint8Array(65536));
    const finished = peer.finish(1000, "done");
    await Promise.resolve();
    assert.equal(near.readyState, WebSocket.OPEN);
    assert.ok(meter.snapshot().bytesHeld > 0);
    far.resume();
    assert.deepEqual(await closing(far), { code: 1000, reason: "done" });
    assert.equal(got, total);
    await finished;
    assert.equal(meter.snapshot().bytesHeld, 0);
  });
});

test("what waits for a client that is gone is dropped, and whoever sends is woken", async () => {
  await withPair(async (near, far) => {
    const meter = new Meter();
    const peer = peerFromWebSocket(near, meter, 0);
    far.pause();
    const sending = peer.send(new Uint8Array(32 * 1024 * 1024));
    const finishing = peer.finish(1000, "done");
    near.terminate();
    await Promise.all([sending, finishing, peer.closed]);
    await peer.send(new Uint8Array(1));
    await assert.rejects(peer.receive(), { code: "TRANSPORT_LOST" });
  });
});

test("closing twice, or a second receive while one waits, does no harm", async () => {
  await withPair(async (near, far) => {
    const peer = peerFromWebSocket(near, new Meter(), 0);
    const waiting = peer.receive();
    await assert.rejects(peer.receive(), { code: "TRANSPORT_BUSY" });
    peer.close(1001, "first");
    peer.close(1011, "second");
    await assert.rejects(waiting, { code: "TRANSPORT_CLOSED" });
    assert.deepEqual(await closing(far), { code: 1001, reason: "first" });
    await peer.closed;
  });
});
