import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { bind, copyData, query, sync } from "../../src/protocol/frontend.ts";
import { MAX_MESSAGE_LENGTH } from "../../src/protocol/frame_reader.ts";
import { MessageWriter } from "../../src/protocol/message_writer.ts";
import { allocations } from "../fixtures/allocations.ts";
import { concat, hex, wire } from "../fixtures/bytes.ts";

/** Where the writer begins a new buffer, and where it encodes a string on its own. */
const SLAB_LENGTH = 16_384;
const LARGE_SLAB_LENGTH = 81_920;
const LONG_STRING = 65_536;

const encoder = new TextEncoder();
const QUERY = "Q".charCodeAt(0);

/** Query, made by other means. */
function queryBytes(text: string): Uint8Array {
  const body = encoder.encode(text);
  const bytes = new Uint8Array(body.length + 6);
  bytes[0] = QUERY;
  new DataView(bytes.buffer).setUint32(1, body.length + 5);
  bytes.set(body, 5);
  return bytes;
}

/** CopyData with `length` bytes in all. */
function filler(length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0xaa);
  bytes[0] = "d".charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, length - 1);
  return bytes;
}

const bound = wire(
  "'B' 00000031 'portal' 00 'name' 00 0003 0000 0001 0000 0003 00000006 'na' c3af 've' 00000003 00ff80 ffffffff 0000",
);

test("a message is whole wherever in a buffer it begins, taken before or not", () => {
  const values = ["naïve", wire("00ff80"), null];
  for (let offset = SLAB_LENGTH - 4 * bound.length; offset <= SLAB_LENGTH + 5; offset++) {
    for (const takenBefore of [false, true]) {
      const writer = new MessageWriter();
      copyData(writer, new Uint8Array(offset - 5).fill(0xaa));
      const first = takenBefore ? writer.take() : wire("");
      bind(writer, { portal: "portal", statement: "name", values });
      assert.equal(writer.length, bound.length + (takenBefore ? 0 : offset));
      const bytes = concat([first, writer.take()]);
      assert.equal(hex(bytes.subarray(offset)), hex(bound), `at ${offset}, ${takenBefore}`);
      assert.deepEqual(bytes.subarray(0, offset), filler(offset));
    }
  }
});

test("strings of any length and script are written in full, wherever in a buffer they begin", () => {
  const alphabets = ["a", "é", "€", "🐘", "\ud83d", "aé€🐘"];
  const lengths = [0, 1, 8, 23, 24, 25, 5_461, 5_462, SLAB_LENGTH - 1, SLAB_LENGTH, LONG_STRING - 1, LONG_STRING + 1];
  for (const alphabet of alphabets) {
    for (const length of lengths) {
      const text = alphabet.repeat(Math.ceil(length / alphabet.length)).slice(0, length);
      const expected = queryBytes(text);
      for (const offset of [0, SLAB_LENGTH - 30, SLAB_LENGTH - 6, SLAB_LENGTH - 5, SLAB_LENGTH]) {
        const writer = new MessageWriter();
        if (offset > 0) copyData(writer, new Uint8Array(offset - 5));
        query(writer, text);
        const bytes = writer.take().subarray(offset);
        assert.ok(Buffer.compare(bytes, expected) === 0, `${length} of ${alphabet} at ${offset}`);
      }
    }
  }
});

test("numbers wrap to their width, most significant byte first", () => {
  const writer = new MessageWriter();
  for (const value of [0, 255]) writer.uint8(value);
  for (const value of [0, 1, -1, 0x7fff, 0x8000, 0xffff]) writer.int16(value);
  for (const value of [0, 1, -1, 0x7fff_ffff, -0x8000_0000, 0xffff_fffe]) writer.int32(value);
  assert.equal(
    hex(writer.take()),
    "00ff" + "0000" + "0001" + "ffff" + "7fff" + "8000" + "ffff" +
      "00000000" + "00000001" + "ffffffff" + "7fffffff" + "80000000" + "fffffffe",
  );
});

test("take hands over each byte once", () => {
  const writer = new MessageWriter();
  assert.equal(writer.take().length, 0);
  sync(writer);
  assert.equal(writer.length, 5);
  assert.equal(hex(writer.take()), "5300000004");
  assert.equal(writer.length, 0);
  assert.equal(writer.take().length, 0);
});

test("what was written before a message that fails is kept, and the next message is whole", () => {
  for (const long of ["", "x".repeat(SLAB_LENGTH), "x".repeat(LONG_STRING * 2)]) {
    const writer = new MessageWriter();
    query(writer, "one");
    const before = writer.length;
    assert.throws(() => bind(writer, { statement: long, portal: "\0", values: [] }), { code: "STRING_CONTAINS_NUL" });
    assert.throws(() => query(writer, long + "\0"), { code: "STRING_CONTAINS_NUL" });
    copyData(writer, encoder.encode(long));
    writer.rollBack(before);
    assert.equal(writer.length, before);
    query(writer, "two");
    assert.deepEqual(writer.take(), concat([queryBytes("one"), queryBytes("two")]));
  }
});

/** What may happen to a writer, in any order. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("write" as const), text: longText() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("take" as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("fail" as const), text: longText() }) },
);

function longText(): fc.Arbitrary<string> {
  const unit = fc.constantFrom("a", "é", "€", "🐘");
  const times = fc.oneof(fc.nat(40), fc.nat(9_000), fc.integer({ min: 60_000, max: 70_000 }));
  return fc.tuple(unit, times).map(([text, count]) => text.repeat(count));
}

test("whatever is written, taken and rolled back, all messages come out once, and what was taken never changes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const writer = new MessageWriter();
      const expected: Uint8Array[] = [];
      const taken: { handedOver: Uint8Array; copy: Uint8Array }[] = [];
      const take = () => {
        const handedOver = writer.take();
        taken.push({ handedOver, copy: handedOver.slice() });
      };
      for (const step of steps) {
        if (step.kind === "take") take();
        else if (step.kind === "write") {
          query(writer, step.text);
          expected.push(queryBytes(step.text));
        } else {
          const before = writer.length;
          assert.throws(() => bind(writer, { portal: step.text, statement: "\0", values: [] }));
          writer.rollBack(before);
        }
      }
      take();
      for (const { handedOver, copy } of taken) assert.ok(Buffer.compare(handedOver, copy) === 0, "it changed");
      const all = concat(taken.map(({ handedOver }) => handedOver));
      assert.ok(Buffer.compare(all, concat(expected)) === 0, "bytes were lost or added");
    }),
    { numRuns: 150 },
  );
});

test("a message longer than PostgreSQL takes is refused before there is a buffer for it", () => {
  // One page of memory: what is never touched is never there.
  const huge = new Uint8Array(MAX_MESSAGE_LENGTH);
  const writer = new MessageWriter();
  query(writer, "one");
  const before = writer.length;
  const refused = { name: "ConfigError", code: "MESSAGE_TOO_LONG" };
  const { total } = allocations(() => {
    // 4 bytes of length and the data: one byte more than 0x3ffffffe.
    assert.throws(() => copyData(writer, huge.subarray(0, MAX_MESSAGE_LENGTH - 4)), refused);
    assert.throws(() => bind(writer, { values: ["1", huge] }), refused);
    writer.rollBack(before);
  });
  assert.ok(total < SLAB_LENGTH, `${total} bytes were allocated`);
  query(writer, "two");
  assert.deepEqual(writer.take(), concat([queryBytes("one"), queryBytes("two")]));
});

test("ten thousand messages cost memory in proportion to their bytes", () => {
  const writer = new MessageWriter();
  const text = "x".repeat(1_000);
  const { total } = allocations(() => {
    for (let index = 0; index < 10_000; index++) query(writer, text);
  });
  assert.ok(total >= writer.length - SLAB_LENGTH, "the instrument counted nothing");
  assert.ok(total <= 4 * writer.length, `${total} bytes were allocated for ${writer.length}`);
});

test("a buffer that grew is let go once it is taken; the next one is large only while much is written", () => {
  const writer = new MessageWriter();
  copyData(writer, new Uint8Array(1_000_000));
  const grown = writer.take().buffer;
  copyData(writer, new Uint8Array(65_536));
  const large = writer.take().buffer;
  assert.notEqual(large, grown);
  assert.equal(large.byteLength, LARGE_SLAB_LENGTH);
  sync(writer);
  writer.take();
  sync(writer);
  assert.equal(writer.take().buffer.byteLength, SLAB_LENGTH);
});
