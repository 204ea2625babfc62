import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { FrameReader, MAX_MESSAGE_LENGTH, MAX_STARTUP_MESSAGE_LENGTH } from "../../src/protocol/frame_reader.ts";
import { allocations } from "../fixtures/allocations.ts";
import { BACKEND_TYPES, backendMessages } from "../fixtures/backend_messages.ts";
import { concat, hex, wire } from "../fixtures/bytes.ts";

/** Every message of the documentation, and some that cross the sizes at which a partial message's buffer grows. */
const messages: readonly Uint8Array[] = [
  ...backendMessages.map(({ bytes }) => bytes),
  ...[1_018, 1_019, 1_020, 2_043, 2_044, 5_000].map(copyData),
];
const stream = concat(messages);

function copyData(dataLength: number): Uint8Array {
  const bytes = Uint8Array.from({ length: dataLength + 5 }, (_, index) => index * 7);
  bytes[0] = "d".charCodeAt(0);
  new DataView(bytes.buffer).setUint32(1, dataLength + 4);
  return bytes;
}

/** Cuts bytes at the given offsets. */
function chunksOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const bounds = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}

/** Feeds chunks as a session does, and puts every message together again from its type and payload. */
function read(chunks: Iterable<Uint8Array>, frames = new FrameReader()): Uint8Array[] {
  const read: Uint8Array[] = [];
  for (const chunk of chunks) {
    frames.push(chunk);
    for (let type = frames.next(); type !== 0; type = frames.next()) {
      const message = new Uint8Array(5 + frames.end - frames.start);
      message[0] = type;
      new DataView(message.buffer).setUint32(1, message.length - 1);
      message.set(frames.bytes.subarray(frames.start, frames.end), 5);
      read.push(message);
    }
  }
  return read;
}

function assertWhole(chunks: readonly Uint8Array[], how: string): void {
  const frames = new FrameReader();
  const got = read(chunks, frames);
  assert.equal(got.length, messages.length, how);
  got.forEach((message, index) => {
    if (Buffer.compare(message, messages[index]) !== 0) assert.fail(`message ${index}, ${how}: ${hex(message)}`);
  });
  assert.equal(frames.pending, 0, how);
}

test("a stream in one chunk, byte by byte, and with empty chunks between gives the same messages", () => {
  assertWhole([stream], "one chunk");
  assertWhole(Array.from(stream, (byte) => Uint8Array.of(byte)), "byte by byte");
  assertWhole(messages.flatMap((message) => [wire(""), message, wire("")]), "message by message");
});

test("a stream cut in two anywhere gives the same messages", () => {
  for (let cut = 0; cut <= stream.length; cut++) assertWhole(chunksOf(stream, [cut]), `cut at ${cut}`);
});

test("a stream in pieces of any one size gives the same messages", () => {
  for (let size = 2; size <= 64; size++) {
    const cuts = Array.from({ length: Math.floor(stream.length / size) }, (_, index) => (index + 1) * size);
    assertWhole(chunksOf(stream, cuts), `pieces of ${size}`);
  }
});

test("a stream cut in three anywhere gives the same messages", () => {
  const few = concat([
    wire("'Z' 00000005 'I'"),
    wire("'1' 00000004"),
    wire("'D' 0000000b 0001 00000001 'x'"),
    copyData(3),
  ]);
  const expected = read([few]).map(hex);
  assert.equal(expected.length, 4);
  for (let first = 0; first <= few.length; first++) {
    for (let second = first; second <= few.length; second++) {
      assert.deepEqual(read(chunksOf(few, [first, second])).map(hex), expected, `cut at ${first} and ${second}`);
    }
  }
});

test("a stream cut anywhere, any number of times, gives the same messages", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 60 }), (cuts) => {
      assertWhole(chunksOf(stream, cuts), `cut at ${cuts}`);
    }),
    { numRuns: 300 },
  );
});

test("a message that arrives whole is not copied", () => {
  const frames = new FrameReader();
  frames.push(stream);
  const { total } = allocations(() => {
    let at = 0;
    for (const message of messages) {
      assert.equal(frames.next(), message[0]);
      assert.equal(frames.bytes, stream);
      assert.deepEqual([frames.start, frames.end], [at + 5, at + message.length]);
      at += message.length;
    }
  });
  assert.equal(total, 0);
});

test("pending counts the bytes that no message has claimed", () => {
  const frames = new FrameReader();
  const steps: readonly (readonly [chunk: string, next: readonly number[], pending: readonly number[]])[] = [
    ["'Z'", [0], [1]],
    ["00000005", [0], [5]],
    ["'I' '1' 0000", [0x5a, 0], [3, 3]],
    ["0004 '2' 00000004 'd'", [0x31, 0x32, 0], [6, 1, 1]],
  ];
  for (const [chunk, next, pending] of steps) {
    frames.push(wire(chunk));
    next.forEach((type, index) => {
      assert.equal(frames.next(), type, chunk);
      assert.equal(frames.pending, pending[index], chunk);
    });
  }
});

test("a chunk pushed before the last one was used up is refused, and nothing is lost", () => {
  const frames = new FrameReader();
  frames.push(concat([copyData(1), copyData(2)]));
  assert.equal(frames.next(), 0x64);
  assert.throws(() => frames.push(copyData(3)), { name: "ProtocolError", code: "PROTOCOL_USAGE" });
  assert.equal(frames.next(), 0x64);
  assert.equal(frames.end - frames.start, 2);
  frames.push(copyData(3));
  assert.equal(frames.next(), 0x64);
  assert.equal(frames.end - frames.start, 3);
});

/** Pushes a header whole, and byte by byte behind another message: the error comes with its fifth byte, and stays. */
function assertRefused(header: Uint8Array, error: object, configure: (frames: FrameReader) => void = () => {}): void {
  const whole = new FrameReader();
  configure(whole);
  whole.push(header);
  for (let repeat = 0; repeat < 3; repeat++) assert.throws(() => whole.next(), error, hex(header));
  assert.equal(whole.pending, header.length);

  const frames = new FrameReader();
  configure(frames);
  assert.equal(read([wire("'1' 00000004 'Z' 00000005 'I'")], frames).length, 2);
  for (const byte of header.subarray(0, 4)) assert.deepEqual(read([Uint8Array.of(byte)], frames), [], hex(header));
  frames.push(header.subarray(4, 5));
  for (let repeat = 0; repeat < 3; repeat++) assert.throws(() => frames.next(), error, hex(header));
  assert.equal(frames.pending, 5);
}

test("a type that no backend sends is refused as soon as its header is there, every other is taken", () => {
  const known = new Set(BACKEND_TYPES.map((letter) => letter.charCodeAt(0)));
  for (let type = 0; type <= 0xff; type++) {
    const header = Uint8Array.of(type, 0, 0, 0, 4);
    if (known.has(type)) assert.deepEqual(read([header]), [header]);
    else assertRefused(header, { name: "ProtocolError", code: "PROTOCOL_MESSAGE_TYPE" });
  }
});

test("a length shorter than itself, negative, or longer than allowed is refused", () => {
  const error = { name: "ProtocolError", code: "PROTOCOL_MESSAGE_LENGTH" };
  const lengths = ["00000000", "00000001", "00000002", "00000003", "ffffffff", "80000000", "7fffffff", "00010001"];
  for (const length of lengths) assertRefused(wire(`'D' ${length}`), error);
  const connected = (frames: FrameReader) => void (frames.maxLength = MAX_MESSAGE_LENGTH);
  for (const length of ["00000003", "ffffffff", "40000000"]) assertRefused(wire(`'D' ${length}`), error, connected);
  const narrow = (frames: FrameReader) => void (frames.maxLength = 5);
  assertRefused(wire("'Z' 00000006 'I' 00"), error, narrow);
});

test("a message of exactly the allowed length is taken", () => {
  assert.equal(MAX_STARTUP_MESSAGE_LENGTH, 65_536);
  const longest = copyData(MAX_STARTUP_MESSAGE_LENGTH - 4);
  assert.deepEqual(read([longest]), [longest]);
  assert.deepEqual(read(chunksOf(longest, [3])), [longest]);
  const frames = new FrameReader();
  frames.maxLength = 5;
  assert.equal(read([wire("'Z' 00000005 'I'")], frames).length, 1);
});

test("an unknown type is reported in node-postgres's words, and the hint asks whether this is PostgreSQL", () => {
  const cases: readonly (readonly [bytes: string, message: string, hint: RegExp])[] = [
    ["15 03010002", "received invalid response: 15", /type 0x15: is this a PostgreSQL server\?$/],
    ["'{\"err'", "received invalid response: 7b", /type '\{' \(0x7b\): is this/],
  ];
  for (const [bytes, message, hint] of cases) assert.throws(() => read([wire(bytes)]), { message, hint });
});

test("an error shows the type and the length", () => {
  const cases: readonly (readonly [bytes: string, message: RegExp])[] = [
    [
      "'HTTP/1.1'",
      /^the peer announced a message of type 'H' \(0x48\) with 1414811695 bytes \(4 to 65536 are allowed\)/,
    ],
    ["'D' ffffffff", /type 'D' \(0x44\) with 4294967295 bytes/],
  ];
  for (const [bytes, message] of cases) assert.throws(() => read([wire(bytes)]), { message });
});

test("a claim of 1 GB costs memory for the bytes that arrive, not for the claim", () => {
  const header = wire("'d' 3fffffff");
  const chunk = new Uint8Array(1_000);
  for (const chunks of [0, 1, 10, 1_000]) {
    const frames = new FrameReader();
    frames.maxLength = MAX_MESSAGE_LENGTH;
    const arrived = header.length + chunks * chunk.length;
    const { total, largest } = allocations(() => {
      assert.deepEqual(read([header], frames), []);
      for (let index = 0; index < chunks; index++) assert.deepEqual(read([chunk], frames), []);
    });
    assert.equal(frames.pending, arrived);
    assert.ok(largest >= arrived, "the instrument counted nothing");
    assert.ok(largest <= 1_024 + 2 * arrived && total <= 1_024 + 4 * arrived, `${largest}, ${total} for ${arrived}`);
  }
});

test("a message of 20 MB in chunks of 1 KB is gathered in memory and copies proportional to it", () => {
  const message = copyData(20_000_000);
  const frames = new FrameReader();
  frames.maxLength = MAX_MESSAGE_LENGTH;
  // Gathering copies a byte once when it arrives, and once for each buffer allocated after it.
  const { total } = allocations(() => {
    let at = 0;
    for (; at + 1_000 < message.length; at += 1_000) {
      frames.push(message.subarray(at, at + 1_000));
      assert.equal(frames.next(), 0);
    }
    frames.push(message.subarray(at));
    assert.equal(frames.next(), message[0]);
  });
  assert.deepEqual(frames.end - frames.start, 20_000_000);
  assert.ok(frames.bytes.subarray(5, frames.end).every((byte, index) => byte === message[5 + index]));
  assert.ok(total >= message.length, "the instrument counted nothing");
  assert.ok(total <= 4 * message.length, `${total} bytes were allocated`);
});

test("the buffer of a large message is let go with it", () => {
  const frames = new FrameReader();
  const large = copyData(50_000);
  assert.deepEqual(read(chunksOf(large, [40_000]), frames), [large]);
  assert.deepEqual(read(chunksOf(copyData(10), [8]), frames), [copyData(10)]);
  assert.ok(frames.bytes.length < 50_000, `${frames.bytes.length} bytes are kept`);
});
