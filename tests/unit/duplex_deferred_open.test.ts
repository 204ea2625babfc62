import assert from "node:assert/strict";
import { test } from "node:test";
import { openWithFirstWrite } from "../../src/duplex/deferred_open.ts";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { fromStreams } from "../../src/duplex/streams.ts";
import { deferred } from "../../src/duplex/waiting.ts";

const info = { transport: "streams", remote: "db:5432" };

/** A Duplex that sends back what is written to it. */
function echo(): Duplex {
  const roomy = { highWaterMark: 8 };
  return fromStreams(new TransformStream<Uint8Array, Uint8Array>({}, roomy, roomy), { ...info, remote: "opened" });
}

test("the first write opens, and its bytes are the opener's to send", async () => {
  const firsts: Uint8Array[] = [];
  const duplex = openWithFirstWrite(info, async (first) => {
    const opened = echo();
    firsts.push(first);
    await opened.write(first);
    return opened;
  });
  const reading = duplex.read();
  assert.equal(duplex.info.remote, "db:5432");
  assert.deepEqual(firsts, []);
  await duplex.write(Uint8Array.of(1));
  assert.deepEqual(await reading, Uint8Array.of(1));
  assert.equal(duplex.info.remote, "opened");
  await duplex.write(Uint8Array.of(2));
  assert.deepEqual(await duplex.read(), Uint8Array.of(2));
  assert.deepEqual(firsts, [Uint8Array.of(1)]);
  await duplex.closeWrite();
  assert.equal(await duplex.read(), null);
});

test("what is written while it opens comes after the first bytes, in order", async () => {
  const { promise, resolve } = deferred<Duplex>();
  const written: number[] = [];
  const opened = echo();
  const write = opened.write.bind(opened);
  opened.write = (bytes) => {
    written.push(...bytes);
    return write(bytes);
  };
  const duplex = openWithFirstWrite(info, () => promise);
  const writes = [1, 2, 3].map((byte) => duplex.write(Uint8Array.of(byte)));
  // Whoever hears of the opening first writes behind what waited for it.
  const behind = writes[0]?.then(() => duplex.write(Uint8Array.of(4)));
  resolve(opened);
  await Promise.all(writes);
  await behind;
  assert.deepEqual(written, [2, 3, 4]);
});

test("a failed opening is told to every read and write", async () => {
  const failure = new Error("no");
  const duplex = openWithFirstWrite(info, () => Promise.reject(failure));
  const reading = duplex.read();
  await assert.rejects(duplex.write(Uint8Array.of(1)), failure);
  await assert.rejects(reading, failure);
  await assert.rejects(duplex.read(), failure);
  await duplex.closed;
});

test("closed before it is open, it wakes who waits and closes what comes too late", async () => {
  const { promise, resolve } = deferred<Duplex>();
  const late = echo();
  let signal: AbortSignal | undefined;
  const duplex = openWithFirstWrite(info, (_, given) => {
    signal = given;
    return promise;
  });
  const reading = duplex.read();
  const writing = duplex.write(Uint8Array.of(1));
  duplex.close("deadline");
  duplex.close("again");
  const closed = { code: "TRANSPORT_CLOSED", message: /db:5432 was closed here/, cause: "deadline" };
  await assert.rejects(reading, closed);
  await assert.rejects(writing, closed);
  await assert.rejects(duplex.write(Uint8Array.of(2)), closed);
  await duplex.closed;
  assert.equal(signal?.aborted, true);
  resolve(late);
  await late.closed;
});

test("closed before anything was written, it never opens", async () => {
  let opened = false;
  const duplex = openWithFirstWrite(info, () => {
    opened = true;
    return Promise.resolve(echo());
  });
  duplex.close();
  await assert.rejects(duplex.write(Uint8Array.of(1)), { code: "TRANSPORT_CLOSED" });
  await assert.rejects(duplex.closeWrite(), { code: "TRANSPORT_CLOSED" });
  assert.equal(opened, false);
});

test("one read at a time", async () => {
  const duplex = openWithFirstWrite(info, () => Promise.resolve(echo()));
  const reading = duplex.read();
  await assert.rejects(duplex.read(), { code: "TRANSPORT_BUSY" });
  duplex.close();
  await assert.rejects(reading, { code: "TRANSPORT_CLOSED" });
});
