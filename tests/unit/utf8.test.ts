import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeByBuffer, decodeByTextDecoder, decodeUtf8, encodeUtf8, encodeUtf8Into } from "../../src/utf8.ts";
import { concat, hex, wire } from "../fixtures/bytes.ts";

const encoder = new TextEncoder();
const rule = new TextDecoder("utf-8", { ignoreBOM: true });

/** Every way of decoding that this runtime has. Node and Deno have Buffer, so that nothing is left out there. */
const decoders: readonly (readonly [name: string, decode: typeof decodeByTextDecoder])[] = [
  ["decodeUtf8", decodeUtf8],
  ["TextDecoder", decodeByTextDecoder],
  ...(decodeByBuffer === undefined ? [] : [["Buffer", decodeByBuffer] as const]),
];

/** Around the lengths at which another way of encoding or decoding begins: 8 bytes, 24 and 65,536 units. */
const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 22, 23, 24, 25, 26, 27, 100, 65_534, 65_535, 65_536, 65_537, 65_540];

/** A UTF-16 unit of each kind: one, two and three bytes, halves of an astral character, the byte-order mark. */
const unit = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 0x7f }) },
  fc.integer({ min: 0x80, max: 0x7ff }),
  fc.integer({ min: 0x800, max: 0xffff }),
  fc.integer({ min: 0xd800, max: 0xdbff }),
  fc.integer({ min: 0xdc00, max: 0xdfff }),
  fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfeff, 0xfffd, 0xffff),
);
const fromUnits = (units: readonly number[]) => String.fromCharCode(...units);
/** Any string, half characters included. */
const text = fc.oneof(
  fc.array(unit, { maxLength: 60, size: "max" }).map(fromUnits),
  fc.string({ unit: "binary", maxLength: 60, size: "max" }),
);

/** Asserts all that encoding promises of one text. */
function assertEncodes(text: string, at: number): void {
  const expected = encoder.encode(text);
  const shown = JSON.stringify(text.slice(0, 80));
  assert.deepEqual(encodeUtf8(text), expected, shown);
  const room = 3 * text.length;
  // Bytes before and behind what was promised to be written keep their value.
  const target = new Uint8Array(at + room + 3).fill(0xaa);
  const end = encodeUtf8Into(text, target.subarray(0, at + room), at);
  assert.equal(end, at + expected.length, shown);
  assert.deepEqual(target.subarray(at, end), expected, shown);
  assert.ok(target.subarray(0, at).every((byte) => byte === 0xaa), shown);
  assert.ok(target.subarray(at + room).every((byte) => byte === 0xaa), shown);
}

/** Asserts that every decoder gives what the rule gives, and looks at nothing before or behind. */
function assertDecodes(bytes: Uint8Array): void {
  const expected = rule.decode(bytes);
  // Continuation bytes would prolong a sequence that is cut short, and a leading byte would begin one.
  for (const [before, behind] of [["", ""], ["f09f", "9098"], ["'abc'", "'def'"], ["efbbbf", "bfbf"]].map(pair)) {
    const larger = concat([before, bytes, behind]);
    for (const [name, decode] of decoders) {
      const decoded = decode(larger, before.length, before.length + bytes.length);
      if (decoded !== expected) {
        assert.fail(`${name} made ${JSON.stringify(decoded)} of ${hex(bytes)}, not ${JSON.stringify(expected)}`);
      }
    }
  }
}

const pair = ([one, other]: string[]) => [wire(one), wire(other)] as const;

test("both ways of decoding are tested where Buffer exists", () => {
  assert.equal(decoders.length, "Buffer" in globalThis ? 3 : 2);
});

test("texts around every threshold are encoded and decoded as TextEncoder and TextDecoder do", () => {
  const alphabets = [
    "a",
    "\0",
    "é",
    "€",
    "\ufeff",
    "🐘",
    "\ud800",
    "\udc00",
    "aé",
    "a€b🐘",
    "\udc00\ud800",
    "🐘\ud83d",
  ];
  // What is not ASCII may stand first, last, or astride a threshold.
  const shapes: readonly ((alphabet: string, length: number) => string)[] = [
    (alphabet, length) => alphabet.repeat(length).slice(0, length),
    (alphabet, length) => (alphabet + "a".repeat(length)).slice(0, length),
    (alphabet, length) => ("a".repeat(length) + alphabet).slice(-length || length + alphabet.length),
    (alphabet, length) => "a".repeat(Math.max(0, length - 1)) + alphabet,
  ];
  for (const alphabet of alphabets) {
    for (const length of lengths) {
      for (const shape of shapes) {
        const text = shape(alphabet, length);
        assertEncodes(text, length % 3);
        assertDecodes(encoder.encode(text));
      }
    }
  }
});

test("any text is encoded as TextEncoder does, half characters as U+FFFD", () => {
  fc.assert(fc.property(text, fc.nat(20), assertEncodes), { numRuns: 5_000 });
});

test("any text comes back, half characters as U+FFFD", () => {
  fc.assert(
    fc.property(text, (text) => {
      for (const [name, decode] of decoders) {
        const bytes = encodeUtf8(text);
        assert.equal(decode(bytes, 0, bytes.length), text.toWellFormed(), name);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("any bytes decode as TextDecoder has it, malformed sequences as U+FFFD", () => {
  const byte = fc.oneof(
    fc.nat(0x7f),
    fc.integer({ min: 0x80, max: 0xbf }),
    fc.integer({ min: 0xc0, max: 0xff }),
    fc.constantFrom(0xc0, 0xc2, 0xe0, 0xed, 0xef, 0xbb, 0xbf, 0xf0, 0xf4, 0xf5, 0x9f, 0xa0, 0x8f, 0x90),
  );
  const bytes = fc.array(byte, { maxLength: 40, size: "max" }).map((bytes) => Uint8Array.from(bytes));
  fc.assert(fc.property(bytes, assertDecodes), { numRuns: 5_000 });
});

test("every sequence of up to two bytes, and every beginning of a longer one, decodes as TextDecoder has it", () => {
  for (let first = 0; first <= 0xff; first++) {
    assertDecodes(Uint8Array.of(first));
    for (let second = 0; second <= 0xff; second++) assertDecodes(Uint8Array.of(first, second));
  }
  for (const [character] of [["€"], ["\ufeff"], ["🐘"]]) {
    const bytes = encoder.encode(character);
    for (let end = 0; end <= bytes.length; end++) {
      for (let start = 0; start <= end; start++) {
        for (const tail of ["", "'a'", "'abcdefghij'", "c3a9"]) {
          assertDecodes(concat([bytes.subarray(start, end), wire(tail)]));
        }
      }
    }
  }
});

test("a byte-order mark is a character like any other", () => {
  for (const text of ["\ufeff", "\ufeffa", "a\ufeff", "\ufeff\ufeff", "\ufeff and more than eight bytes"]) {
    const bytes = encodeUtf8(text);
    for (const [name, decode] of decoders) assert.equal(decode(bytes, 0, bytes.length), text, name);
  }
});

test("without a range, all bytes are decoded", () => {
  assert.equal(decodeUtf8(wire("'naive: na' c3af 've'")), "naive: naïve");
  assert.equal(decodeUtf8(wire("'naive: na' c3af 've'"), 7), "naïve");
  assert.equal(decodeUtf8(wire("")), "");
});
