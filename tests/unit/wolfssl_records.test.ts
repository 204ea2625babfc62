import assert from "node:assert/strict";
import { test } from "node:test";
import { KeyAgreement } from "../../wolfssl/key_agreement.ts";
import { type QueuedRecord, RecordQueue } from "../../wolfssl/records.ts";
import { GROUPS } from "../../wolfssl/suites.ts";

const record = (type: number, body: Uint8Array) =>
  Uint8Array.of(type, 3, 3, body.length >> 8, body.length & 0xff, ...body);
const filled = (length: number, value: number) => new Uint8Array(length).fill(value);

/** All that the queue gives at once. */
function drain(queue: RecordQueue): Uint8Array {
  const given: number[] = [];
  const target = new Uint8Array(7);
  for (let count = queue.receive(target); count > 0; count = queue.receive(target)) {
    given.push(...target.subarray(0, count));
  }
  return Uint8Array.from(given);
}

test("records are cut out of the stream however it is chunked, and given on unchanged", () => {
  const records = [
    record(22, filled(1, 1)),
    record(23, filled(300, 2)),
    record(21, filled(0, 0)),
    record(23, filled(50, 4)),
  ];
  const stream = Uint8Array.from(records.flatMap((bytes) => [...bytes]));
  for (const size of [1, 2, 3, 5, 6, 7, 100, 306, stream.length]) {
    const queue = new RecordQueue();
    const cut: QueuedRecord[] = [];
    for (let at = 0; at < stream.length; at += size) cut.push(...queue.push(stream.slice(at, at + size)));
    assert.deepEqual(cut.map(({ bytes }) => bytes), records, `chunks of ${size}`);
    assert.equal(queue.size, stream.length);
    assert.deepEqual(drain(queue), stream);
    assert.equal(queue.size, 0);
  }
});

test("a chunk may hold more records than a call may have arguments", () => {
  const queue = new RecordQueue();
  const empty = record(23, filled(0, 0));
  const chunk = new Uint8Array(500_000 * empty.length);
  for (let at = 0; at < chunk.length; at += empty.length) chunk.set(empty, at);
  assert.equal(queue.push(chunk).length, 500_000);
  assert.equal(queue.unread.length, 500_000);
});

test("a record that is held back holds back what comes after it, and not what came before", () => {
  const queue = new RecordQueue();
  const [first, second, third] = [record(23, filled(9, 1)), record(23, filled(9, 2)), record(23, filled(9, 3))];
  const [, held] = queue.push(Uint8Array.of(...first, ...second, ...third));
  assert.ok(held);
  held.hold = Promise.resolve();
  assert.deepEqual(drain(queue), first);
  assert.equal(queue.receive(new Uint8Array(5)), 0);
  assert.equal(queue.hold, held.hold);
  assert.equal(queue.unread.length, 2);
  held.hold = undefined;
  assert.deepEqual(drain(queue), Uint8Array.of(...second, ...third));
});

test("a record that was opened is taken as such, and is not for the core", () => {
  const queue = new RecordQueue();
  const [first, second, third] = [record(23, filled(9, 1)), record(23, filled(9, 2)), record(23, filled(9, 3))];
  const [, opened] = queue.push(Uint8Array.of(...first, ...second, ...third));
  assert.ok(opened);
  opened.opened = Uint8Array.of(7);
  assert.equal(queue.hasOpened, false, "something comes before it");
  assert.equal(queue.takeOpened(), undefined);
  assert.deepEqual(drain(queue), first);
  assert.equal(queue.hasOpened, true);
  assert.equal(queue.receive(new Uint8Array(5)), 0);
  assert.deepEqual(queue.takeOpened(), Uint8Array.of(7));
  assert.equal(queue.size, third.length);
  assert.deepEqual(drain(queue), third);
});

test("the end comes after everything, an incomplete record included", () => {
  const queue = new RecordQueue();
  assert.equal(queue.receive(new Uint8Array(5)), 0);
  queue.push(record(23, filled(9, 1)).subarray(0, 8));
  assert.equal(queue.receive(new Uint8Array(5)), 0);
  queue.end();
  assert.equal(drain(queue).length, 8);
  assert.equal(queue.receive(new Uint8Array(5)), -1);
});

test("what is no record, or over the limit, is refused by its header", () => {
  const cases: [name: string, bytes: Uint8Array, code: number][] = [
    ["HTTP", new TextEncoder().encode("HTTP/"), -311],
    ["a type of SSL 2", Uint8Array.of(0x80, 3, 3, 0, 1), -311],
    ["another major version", Uint8Array.of(22, 2, 3, 0, 1), -311],
    ["a length over the limit", Uint8Array.of(23, 3, 3, 0x48, 1), -341],
  ];
  for (const [name, bytes, code] of cases) {
    assert.throws(() => new RecordQueue().push(bytes), { code }, name);
    const queue = new RecordQueue();
    queue.push(bytes.subarray(0, 4));
    assert.throws(() => queue.push(bytes.subarray(4)), { code }, `${name}, in two pieces`);
  }
});

const serverHello = (random: number[], extensions: number[]) => {
  const body = [3, 3, ...random, 0, 0x13, 1, 0, extensions.length >> 8, extensions.length & 0xff, ...extensions];
  return Uint8Array.of(2, 0, body.length >> 8, body.length & 0xff, ...body);
};
const RETRY = "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c".match(/../g)?.map((hex) =>
  parseInt(hex, 16)
);

test("the secret is agreed from the server's share before the core sees the ServerHello", async () => {
  for (const name of ["X25519", "P-256", "P-384"] as const) {
    const group = GROUPS[name];
    const [client, server] = [new KeyAgreement(() => true), new KeyAgreement(() => true)];
    assert.ok(await client.prepare(group) && await server.prepare(group));
    const [share, peer] = [new Uint8Array(96), new Uint8Array(96)];
    const size = client.preparedKey(group, share);
    assert.equal(client.preparedKey(group, share), 0, "a key is given once");
    assert.equal(server.preparedKey(group, peer), size);
    const secrets = [];
    for (const [agreement, theirs] of [[client, peer], [server, share]] as const) {
      const point = [...(name === "X25519" ? [] : [4]), ...theirs.subarray(0, size)];
      const extension = [
        0,
        43,
        0,
        2,
        3,
        4,
        0,
        51,
        0,
        point.length + 4,
        group >> 8,
        group & 0xff,
        0,
        point.length,
        ...point,
      ];
      const hello = serverHello(Array(32).fill(7), extension);
      // In two records, the first of which is not enough.
      const records = [record(22, hello.subarray(0, 50)), record(22, hello.subarray(50))].map((
        bytes,
      ): QueuedRecord => ({
        bytes,
        hold: undefined,
        opened: undefined,
      }));
      for (const queued of records) agreement.watch(queued);
      assert.equal(records[0]?.hold, undefined);
      await (records[1]?.hold ?? assert.fail("the ServerHello is not held"));
      assert.equal(records[1]?.hold, undefined);
      const secret = new Uint8Array(48);
      assert.equal(agreement.preparedSecret(group, new Uint8Array(size), secret), 0, "for that share alone");
      const secretSize = agreement.preparedSecret(group, theirs.subarray(0, size), secret);
      secrets.push(secret.subarray(0, secretSize));
    }
    assert.equal(secrets[0]?.length, name === "P-384" ? 48 : 32);
    assert.deepEqual(secrets[0], secrets[1]);
  }
});

test("after a HelloRetryRequest there is a new key, for the group that the server wants", async () => {
  const agreement = new KeyAgreement(() => true);
  assert.ok(await agreement.prepare(GROUPS.X25519));
  const retry = serverHello(RETRY ?? [], [0, 51, 0, 2, 0, GROUPS["P-256"]]);
  const queued: QueuedRecord = { bytes: record(22, retry), hold: undefined, opened: undefined };
  agreement.watch(queued);
  await (queued.hold ?? assert.fail("the retry is not held"));
  const share = new Uint8Array(96);
  assert.equal(agreement.preparedKey(GROUPS.X25519, share), 0);
  assert.equal(agreement.preparedKey(GROUPS["P-256"], share), 64);
});

test("a ServerHello that is malformed, or has no share, is left to the core", async () => {
  const hellos = [
    serverHello(Array(32).fill(7), [0, 43, 0, 2, 3, 4]),
    serverHello(Array(32).fill(7), [0, 51, 0, 40, 0, 29]),
    Uint8Array.of(2, 0, 0, 3, 3, 3, 1),
    Uint8Array.of(20, 0, 0, 1, 0),
  ];
  for (const hello of hellos) {
    const agreement = new KeyAgreement(() => true);
    await agreement.prepare(GROUPS.X25519);
    const queued: QueuedRecord = { bytes: record(22, hello), hold: undefined, opened: undefined };
    agreement.watch(queued);
    await queued.hold;
    assert.equal(agreement.preparedSecret(GROUPS.X25519, new Uint8Array(32), new Uint8Array(48)), 0);
  }
});
