import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Inbox } from "../../src/duplex/inbox.ts";

function inbox(pauseAt = 1000, resumeAt = 300) {
  const flow: string[] = [];
  const box = new Inbox({ pauseAt, resumeAt, pause: () => flow.push("pause"), resume: () => flow.push("resume") });
  return { box, flow };
}

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value);

test("a source is paused once when much is unread, and resumed once when little is", async () => {
  const { box, flow } = inbox();
  for (let times = 0; times < 10; times++) box.push(bytes(200));
  assert.deepEqual(flow, ["pause"]);
  for (let times = 0; times < 8; times++) await box.read();
  assert.deepEqual(flow, ["pause"]);
  await box.read();
  assert.deepEqual(flow, ["pause", "resume"]);
  await box.read();
  assert.equal(box.unread, 0);
});

test("many tiny chunks count for more than their bytes", () => {
  const { box, flow } = inbox();
  for (let times = 0; times < 20; times++) box.push(bytes(1));
  assert.deepEqual(flow, ["pause"]);
});

test("what came before an end or a failure is still read", async () => {
  const broke = new Error("broke");
  for (const error of [undefined, broke]) {
    const { box } = inbox();
    box.push(bytes(1));
    if (error === undefined) box.end();
    else box.fail(error);
    box.push(bytes(2));
    box.fail(new Error("later"));
    assert.deepEqual(await box.read(), bytes(1));
    for (let times = 0; times < 2; times++) {
      if (error === undefined) assert.equal(await box.read(), null);
      else await assert.rejects(async () => await box.read(), broke);
    }
  }
});

test("abandoning wakes the read that waits, and asks for an error only then", async () => {
  const { box } = inbox();
  const waiting = box.read();
  assert.equal(box.awaited, true);
  assert.equal(box.read(), undefined);
  const closed = new Error("closed");
  box.abandon(() => closed);
  await assert.rejects(async () => await waiting, closed);
  inbox().box.abandon(() => assert.fail("nobody waits"));
});

test("whatever the order of pushes and reads, the bytes come out as they went in", async () => {
  const chunks = fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 4 }), fc.constant("read" as const)), {
    maxLength: 3000,
    size: "max",
  });
  await fc.assert(
    fc.asyncProperty(chunks, async (steps) => {
      const { box, flow } = inbox(5000, 1000);
      const reads: Promise<Uint8Array | null>[] = [];
      const pushed: Uint8Array[] = [];
      for (const step of steps) {
        if (step !== "read") {
          box.push(step);
          pushed.push(step);
        } else if (!box.awaited) {
          reads.push(box.read() ?? assert.fail("no read waits"));
        }
      }
      box.end();
      while (reads.length < pushed.length) reads.push(box.read() ?? assert.fail("no read waits"));
      const read = (await Promise.all(reads)).filter((chunk) => chunk !== null);
      assert.deepEqual(read, pushed);
      assert.equal(box.unread, 0);
      assert.deepEqual(flow.filter((word, index) => word === flow[index - 1]), [], "pause and resume alternate");
    }),
    { numRuns: 50 },
  );
});
