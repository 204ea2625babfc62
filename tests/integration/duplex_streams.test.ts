import assert from "node:assert/strict";
import { test } from "node:test";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { openNode } from "../../src/duplex/node.ts";
import { fromStreams } from "../../src/duplex/streams.ts";
import type { StreamPair } from "../../src/duplex/streams.ts";
import type { PeerAddresses } from "../fixtures/peers.ts";
import { testContract } from "./duplex_suite.ts";

testContract("a pair of web streams", ({ tcp }: PeerAddresses) => ({
  halfClose: true,
  resets: true,
  pausesPeer: true,
  writeWaits: true,
  open: async () => fromStreams(streamsOf(await openNode(tcp)), info),
}));

const info = { transport: "streams", remote: "test" };

/** Node's own Duplex.toWeb() does not end its readable before the socket is gone, and so is of no use here. */
function streamsOf(duplex: Duplex): StreamPair {
  return {
    readable: new ReadableStream({
      async pull(controller) {
        const bytes = await duplex.read();
        if (bytes === null) controller.close();
        else controller.enqueue(bytes);
      },
      cancel: (reason) => duplex.close(reason),
    }, { highWaterMark: 0 }),
    writable: new WritableStream({
      write: (bytes) => duplex.write(bytes),
      close: () => duplex.closeWrite(),
      abort: (reason) => duplex.close(reason),
    }),
  };
}

function over(chunks: readonly unknown[], writable = new WritableStream<Uint8Array>()) {
  const readable = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk as Uint8Array);
      controller.close();
    },
  });
  return fromStreams({ readable, writable }, info);
}

const bytes = Uint8Array.of(1, 2, 3, 4);

test("every kind of bytes is read as a plain Uint8Array, and empty chunks are passed over", async () => {
  const cases: [name: string, chunk: ArrayBuffer | ArrayBufferView, expected: number[]][] = [
    ["Uint8Array", bytes.subarray(1, 3), [2, 3]],
    ["ArrayBuffer", bytes.slice().buffer, [1, 2, 3, 4]],
    ["DataView", new DataView(bytes.buffer, 2), [3, 4]],
    ["Uint16Array", new Uint16Array(bytes.slice().buffer), [1, 2, 3, 4]],
    ["a subclass", new (class extends Uint8Array {})([7]), [7]],
  ];
  for (const [name, chunk, expected] of cases) {
    const duplex = over([new Uint8Array(), chunk, new ArrayBuffer(0)]);
    const read = await duplex.read();
    assert.equal(read?.constructor, Uint8Array, name);
    assert.deepEqual([...read ?? []], expected, name);
    assert.equal(await duplex.read(), null, name);
  }
});

test("a chunk that is not bytes is an error that says so", async () => {
  for (const chunk of ["text", 5, null]) {
    await assert.rejects(over([chunk]).read(), { driverCode: "TRANSPORT_LOST", message: /not bytes/ }, String(chunk));
  }
});

test("a sink that fails fails the write that waits and the next, and ends the connection", async () => {
  const cause = new Error("the cable was cut");
  const writable = new WritableStream<Uint8Array>({ write: () => Promise.reject(cause) });
  const duplex = over([], writable);
  const lost = { driverCode: "TRANSPORT_LOST", message: /the cable was cut/, cause };
  await assert.rejects(duplex.write(bytes), lost);
  await assert.rejects(duplex.write(bytes), lost);
  await assert.rejects(duplex.closeWrite(), lost);
  await duplex.closed;
});

test("close closes what it was given, then cancels and aborts its streams with the reason", async () => {
  const reason = new Error("enough");
  const seen: unknown[] = [];
  await new Promise<void>((resolve) => {
    const duplex = fromStreams({
      readable: new ReadableStream({ cancel: (why) => void seen.push(why) }),
      writable: new WritableStream({
        abort(why) {
          seen.push(why);
          resolve();
        },
      }),
      close: () => seen.push("close"),
    }, info);
    duplex.close(reason);
  });
  assert.deepEqual(seen, ["close", reason, reason]);
});

test("a close of its own that fails keeps nothing from being released", async () => {
  for (const close of [() => Promise.reject(new Error("no")), () => assert.fail("no")]) {
    const reason = new Error("enough");
    const cancelled = new Promise((resolve) => {
      const pair = { readable: new ReadableStream({ cancel: resolve }), writable: new WritableStream(), close };
      fromStreams(pair, info).close(reason);
    });
    assert.equal(await cancelled, reason);
  }
});
