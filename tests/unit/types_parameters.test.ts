import assert from "node:assert/strict";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import pg from "pg";
import pgUtils from "pg/lib/utils.js";
import { ConfigError } from "../../src/errors.ts";
import { PostgresInterval } from "../../src/types/interval.ts";
import { Range } from "../../src/types/range.ts";
import { encodeParameter } from "../../src/types/parameters.ts";

/** What node-postgres sends. */
function oracle(value: unknown, datesAsUTC: boolean): unknown {
  const before = pg.defaults.parseInputDatesAsUTC;
  pg.defaults.parseInputDatesAsUTC = datesAsUTC;
  try {
    return (pgUtils as { prepareValue(value: unknown): unknown }).prepareValue(value);
  } finally {
    pg.defaults.parseInputDatesAsUTC = before;
  }
}

/** Bytes by content, since node-postgres makes Buffers of them. */
function content(value: unknown): unknown {
  return value instanceof Uint8Array ? { bytes: Array.from(value) } : value;
}

function assertAsOracle(value: unknown, name?: string): void {
  for (const datesAsUTC of [false, true]) {
    assert.deepEqual(content(encodeParameter(value, { datesAsUTC })), content(oracle(value, datesAsUTC)), name);
  }
}

const bytes = Uint8Array.from([0, 1, 0xab, 0xff, 0x5c]);
const year = (value: number) => {
  const date = new Date(2000, 1, 3, 4, 5, 6, 7);
  date.setFullYear(value);
  return date;
};

const cases: readonly (readonly [name: string, value: unknown])[] = [
  ["null", null],
  ["undefined", undefined],
  ["a string", 'it\'s "é" \\ \u{1f418}'],
  ["an empty string", ""],
  ["true", true],
  ["false", false],
  ["numbers", 1.5],
  ["a negative zero", -0],
  ["a large number", 1e300],
  ["not a number", NaN],
  ["infinity", -Infinity],
  ["a bigint", 2n ** 80n],
  ["a Uint8Array", bytes],
  ["a part of a Uint8Array", bytes.subarray(1, 3)],
  ["a view of wider elements", new Uint16Array([1, 0x1234])],
  ["a part of a view", new Float64Array([1, 2, 3]).subarray(1, 2)],
  ["a DataView", new DataView(bytes.buffer, 1, 2)],
  ["a Date", new Date(1738364399123)],
  ["a Date before 1970", new Date(-1)],
  ["a Date of another realm", runInNewContext("new Date(1738364399123)")],
  ["an array of another realm", runInNewContext("[1, [null, 'a']]")],
  ["bytes of another realm", runInNewContext("new Uint8Array([1, 255])")],
  ["a Date in summer", new Date("2025-07-31T12:00:00Z")],
  ["a Date of the first century", year(99)],
  ["a Date of a year with five digits", year(12345)],
  ["a Date of 1 BC", year(0)],
  ["a Date of 45 BC", year(-44)],
  ["a Date with an old offset", new Date("1850-01-01T00:00:00Z")],
  ["an empty array", []],
  ["an array of numbers", [1, -2.5, 3n]],
  ["an array of strings", ["a", "", "NULL", 'q"', "b\\", "{,}", " "]],
  ["an array with NULLs", [null, undefined, 1]],
  ["a sparse array", [1, , 2]], // deno-lint-ignore-line no-sparse-arrays
  ["nested arrays", [[1, [null]], [], [["a b"]]]],
  ["an array of booleans", [true, false]],
  ["an array of bytes", [bytes, bytes.subarray(2, 3), new Uint16Array([0xabcd])]],
  ["an array of Dates", [new Date(1738364399123)]],
  ["an array of objects", [{ a: 'b"\\' }, new PostgresInterval({ days: 1 })]],
  ["an object", { a: [1, null, "é"], b: { c: true } }],
  ["an object without prototype", Object.assign(Object.create(null), { a: 1 })],
  ["an object with toJSON", { toJSON: () => ({ a: 1 }) }],
  ["a boxed string", new String("a")],
  ["a map", new Map([[1, 2]])],
  ["an interval", new PostgresInterval({ years: 1, seconds: 2, milliseconds: 500 })],
  ["an object with toPostgres to a string", { toPostgres: () => "ours" }],
  ["an object with toPostgres to null", { toPostgres: () => null }],
  ["an object with toPostgres to bytes", { toPostgres: () => bytes }],
  ["an object with toPostgres to an array", { toPostgres: () => [1, [2]] }],
  ["an object with toPostgres to a Date", { toPostgres: () => new Date(0) }],
  ["an object with toPostgres to another", { toPostgres: () => ({ toPostgres: () => 5 }) }],
  ["an object that encodes what is in it", {
    toPostgres: (encode: (value: unknown) => unknown) => `<${encode([1, new Date(0)])}>`,
  }],
  ["an object that inherits toPostgres", Object.create({ toPostgres: () => "inherited" })],
];

for (const [name, value] of cases) {
  test(`${name}: as node-postgres`, () => assertAsOracle(value));
}

test("whatever can be sent is sent as node-postgres sends it", () => {
  const scalar = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array({ maxLength: 8 }),
    fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof({ depthSize: "small" }, scalar, fc.array(tie("value"), { maxLength: 4 })),
  }));
  fc.assert(fc.property(value, (value) => assertAsOracle(value)), { numRuns: 1000 });
});

test("more is sent than node-postgres can send", () => {
  const better: readonly (readonly [unknown, unknown])[] = [
    [bytes.buffer, bytes], // JSON of an ArrayBuffer is {}
    [runInNewContext("new Uint8Array([1, 2]).buffer"), Uint8Array.of(1, 2)],
    [[bytes.buffer], "{\\\\x0001abff5c}"],
    [[{ toPostgres: () => null }, { toPostgres: () => bytes }], "{NULL,\\\\x0001abff5c}"], // a TypeError
    [[{ toJSON: () => undefined }], "{NULL}"], // a TypeError
    [{ toJSON: () => undefined }, null],
  ];
  for (const [value, expected] of better) assert.deepEqual(content(encodeParameter(value)), content(expected));
});

test("bytes are not copied", () => {
  assert.equal(encodeParameter(bytes), bytes);
  assert.equal((encodeParameter(new DataView(bytes.buffer)) as Uint8Array).buffer, bytes.buffer);
});

test("an object may be in a value twice, if not in itself", () => {
  const twice = { toPostgres: () => "x" };
  const list = [1];
  assert.equal(encodeParameter([twice, twice, list, list]), '{"x","x",{"1"},{"1"}}');
});

test("toPostgres may catch what it cannot encode, and encode the same again", () => {
  const part = [Symbol("no")];
  const careful = {
    toPostgres(encode: (value: unknown) => unknown) {
      for (let attempt = 0; attempt < 2; attempt++) assert.throws(() => encode(part), { message: /symbol/ });
      return "without";
    },
  };
  assert.equal(encodeParameter([careful]), '{"without"}');
});

test("what has no form in PostgreSQL is refused, by the number of its parameter and without its content", () => {
  const array: unknown[] = ["secret"];
  array.push([array]);
  const object: Record<string, unknown> = { secret: 1 };
  object.self = object;
  let deep: unknown = [];
  for (let depth = 0; depth < 100_000; depth++) deep = [deep];
  const itself = { toPostgres: () => itself };
  const encodesItself = { toPostgres: (encode: (value: unknown) => unknown) => encode(encodesItself) };
  const wrong: readonly (readonly [string, unknown, RegExp])[] = [
    ["a symbol", Symbol("secret"), /symbol/],
    ["a function", () => "secret", /function/],
    ["an invalid Date", new Date(NaN), /Date is invalid/],
    ["an array in itself", array, /circular/],
    ["an array in ever more arrays", deep, /nested/],
    ["an object in itself", object, /JSON/],
    ["an object with a bigint", { secret: 1n }, /JSON/],
    ["toPostgres to itself", itself, /circular/],
    ["toPostgres that encodes itself", encodesItself, /circular/],
    ["toPostgres to a symbol", { toPostgres: () => Symbol("secret") }, /symbol/],
    ["any of these in an array", ["a", [Symbol("secret")]], /symbol/],
    ["an invalid Date in an array", [new Date(NaN)], /Date is invalid/],
  ];
  for (const [name, value, message] of wrong) {
    assert.throws(() => encodeParameter(value, {}, 3), (error) => {
      assert.ok(error instanceof ConfigError, name);
      assert.equal(error.code, "VALUE_UNENCODABLE", name);
      assert.match(error.message, /^parameter \$3 cannot be encoded: /, name);
      assert.match(error.message, message, name);
      assert.doesNotMatch(error.message, /secret/, name);
      return true;
    });
  }
});

test("an error of the value's own keeps its cause", () => {
  const cause = new Error("mine");
  const value = {
    toJSON() {
      throw cause;
    },
  };
  assert.throws(() => encodeParameter(value), (error) => error instanceof ConfigError && error.cause === cause);
});

test("a range is one by its brand, whichever copy of the package has made it", () => {
  class OwnRange extends Range<number> {}
  const foreign = Object.defineProperty({}, Symbol.for("pgduplex.range"), { value: true });
  assert.deepEqual([new Range(1, 2), new OwnRange(1, 2), foreign, {}, null, 1].map((value) => value instanceof Range), [
    ...[true, true, true, false, false, false],
  ]);
  assert.deepEqual([new OwnRange(1, 2), new Range(1, 2)].map((value) => value instanceof OwnRange), [true, false]);
});
