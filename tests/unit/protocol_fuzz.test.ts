import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { decodeBackendMessage } from "../../src/protocol/backend.ts";
import { FrameReader, MAX_MESSAGE_LENGTH, MAX_STARTUP_MESSAGE_LENGTH } from "../../src/protocol/frame_reader.ts";
import { allocations } from "../fixtures/allocations.ts";
import { BACKEND_TYPES, backendMessages } from "../fixtures/backend_messages.ts";
import { concat, hex } from "../fixtures/bytes.ts";

// On failure fast-check prints the seed and the path: pass them as `{ seed, path }` beside numRuns to run it again.

const HEADER_LENGTH = 5;
/** A header in a buffer of 1,024 bytes, which doubles. */
const FIXED_MEMORY = 1_024;

interface Outcome {
  /** Type and payload of each message, and what it decoded to. */
  readonly messages: string[];
  /** The code of the error that ended the stream. */
  readonly failure: string | undefined;
}

/** Feeds chunks as a session does, and holds the reader to its bounds at every step. */
function read(chunks: readonly Uint8Array[], maxLength: number): Outcome {
  const frames = new FrameReader();
  frames.maxLength = maxLength;
  const messages: string[] = [];
  let unclaimed = 0;
  try {
    for (const chunk of chunks) {
      frames.push(chunk);
      unclaimed += chunk.length;
      // A message takes a header at least: so many calls, and one that finds nothing, must do.
      let calls = Math.floor(unclaimed / HEADER_LENGTH) + 1;
      while (true) {
        assert.ok(calls-- > 0, "next() goes on without consuming anything");
        const type = frames.next();
        if (type === 0) break;
        const { bytes, start, end } = frames;
        assert.ok(start >= HEADER_LENGTH && start <= end && end <= bytes.length, `a payload at ${start} to ${end}`);
        unclaimed -= HEADER_LENGTH + end - start;
        assert.equal(frames.pending, unclaimed);
        messages.push(`${type} ${hex(bytes.subarray(start, end))} ${decoded(type, bytes, start, end)}`);
      }
      assert.equal(frames.pending, unclaimed);
    }
    return { messages, failure: undefined };
  } catch (error) {
    assertProtocolError(error, ["PROTOCOL_MESSAGE_TYPE", "PROTOCOL_MESSAGE_LENGTH"]);
    assert.equal(frames.pending, unclaimed);
    assert.throws(() => frames.next(), { code: error.code }, "the error does not stay");
    return { messages, failure: error.code };
  }
}

function decoded(type: number, bytes: Uint8Array, start: number, end: number): string {
  try {
    return decodeBackendMessage(type, bytes, start, end).name;
  } catch (error) {
    assertProtocolError(error, ["PROTOCOL_MALFORMED"]);
    return error.code;
  }
}

function assertProtocolError(error: unknown, codes: readonly string[]): asserts error is ProtocolError {
  if (!(error instanceof ProtocolError)) throw error;
  assert.ok(codes.includes(error.code), error.message);
}

/** Reads a stream whole and in pieces: the outcome is the same, and the memory is that of the bytes. */
function assertBounded(bytes: Uint8Array, cuts: readonly number[], maxLength: number): void {
  const bounds = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  const chunks = bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
  const whole = read([bytes], maxLength);
  const { largest } = allocations(() => assert.deepEqual(read(chunks, maxLength), whole));
  assert.ok(largest <= FIXED_MEMORY + 2 * bytes.length, `${largest} bytes at once for ${bytes.length}`);
}

const cuts = fc.array(fc.nat(), { maxLength: 30, size: "max" });
const maxLength = fc.constantFrom(MAX_STARTUP_MESSAGE_LENGTH, MAX_MESSAGE_LENGTH, 64);
const type = fc.constantFrom(...BACKEND_TYPES.map((letter) => letter.charCodeAt(0)));

/** A message of a known type whose length is mostly right and whose payload is anything. */
const plausible = fc.record({
  type: fc.oneof({ weight: 50, arbitrary: type }, { weight: 1, arbitrary: fc.nat(255) }),
  payload: fc.uint8Array({ maxLength: 80, size: "max" }),
  lengthError: fc.oneof({ weight: 20, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer() }),
}).map(({ type, payload, lengthError }) => {
  const header = new DataView(new ArrayBuffer(HEADER_LENGTH));
  header.setUint8(0, type);
  header.setInt32(1, payload.length + 4 + lengthError);
  return concat([new Uint8Array(header.buffer), payload]);
});

interface Mutation {
  readonly at: number;
  readonly removed: number;
  readonly inserted: Uint8Array;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  removed: fc.nat(6),
  inserted: fc.uint8Array({ maxLength: 6 }),
});

function mutate(bytes: Uint8Array, mutations: readonly Mutation[]): Uint8Array {
  return mutations.reduce((bytes, { at, removed, inserted }) => {
    const from = at % (bytes.length + 1);
    return concat([bytes.subarray(0, from), inserted, bytes.subarray(from + removed)]);
  }, bytes);
}

const valid = fc.array(fc.constantFrom(...backendMessages.map(({ bytes }) => bytes)), { minLength: 1, maxLength: 12 });

test("arbitrary bytes in arbitrary chunks never hang, grow or throw anything but ProtocolError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 500, size: "max" }), cuts, maxLength, assertBounded),
    { numRuns: 5_000 },
  );
});

test("plausible messages in arbitrary chunks never hang, grow or throw anything but ProtocolError", () => {
  const stream = fc.array(plausible, { maxLength: 12 }).map(concat);
  fc.assert(fc.property(stream, cuts, maxLength, assertBounded), { numRuns: 5_000 });
});

test("mutated messages in arbitrary chunks never hang, grow or throw anything but ProtocolError", () => {
  const stream = fc.tuple(valid, fc.array(mutation, { maxLength: 5 })).map(([parts, mutations]) =>
    mutate(concat(parts), mutations)
  );
  fc.assert(fc.property(stream, cuts, maxLength, assertBounded), { numRuns: 5_000 });
});

test("arbitrary payloads of every type decode or throw ProtocolError, and are not written to", () => {
  const payload = fc.uint8Array({ maxLength: 120, size: "max" });
  fc.assert(
    fc.property(type, payload, fc.nat(120), fc.nat(120), (type, bytes, one, other) => {
      const [start, end] = [one % (bytes.length + 1), other % (bytes.length + 1)].sort((a, b) => a - b);
      const before = hex(bytes);
      decoded(type, bytes, start, end);
      assert.equal(hex(bytes), before);
    }),
    { numRuns: 50_000 },
  );
});

test("mutated payloads of every type decode or throw ProtocolError", () => {
  const message = fc.constantFrom(...backendMessages.map(({ bytes }) => bytes));
  fc.assert(
    fc.property(message, fc.array(mutation, { minLength: 1, maxLength: 3 }), (bytes, mutations) => {
      const payload = mutate(bytes.subarray(HEADER_LENGTH), mutations);
      decoded(bytes[0], payload, 0, payload.length);
    }),
    { numRuns: 50_000 },
  );
});
