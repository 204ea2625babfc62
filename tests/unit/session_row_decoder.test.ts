import assert from "node:assert/strict";
import { test } from "node:test";
import type { FieldDescription } from "../../src/protocol/row_description.ts";
import { RowDecoder } from "../../src/session/row_decoder.ts";
import { types } from "../../src/types/registry.ts";
import { wire } from "../fixtures/bytes.ts";

const field = (name: string): FieldDescription => ({
  name,
  tableID: 0,
  columnID: 0,
  dataTypeID: 25,
  dataTypeSize: -1,
  dataTypeModifier: -1,
  format: "text",
});

function decoder(names: readonly string[], mode: "object" | "array" = "object"): RowDecoder {
  return new RowDecoder(names.map(field), names.map(() => types.decoder(25, 0)), mode);
}

const THREE = wire("0003 00000003 'abc' ffffffff 00000000");

test("a row is decoded where it stands in a larger buffer, as an object and as an array", () => {
  const bytes = wire("ff 0003 00000003 'abc' ffffffff 00000000 ff");
  const [start, end] = [1, bytes.length - 1];
  assert.deepEqual(decoder(["a", "b", "c"]).decode(bytes, start, end), { a: "abc", b: null, c: "" });
  assert.deepEqual(decoder(["a", "b", "c"], "array").decode(bytes, start, end), ["abc", null, ""]);
});

test("names that are not plain properties become properties like any other", () => {
  const cases: readonly (readonly [names: readonly string[], entries: readonly (readonly [string, unknown])[]])[] = [
    [["a", "a", "b"], [["a", null], ["b", ""]]],
    [["", "constructor", "toString"], [["", "abc"], ["constructor", null], ["toString", ""]]],
    [["a", "__proto__", "b"], [["a", "abc"], ["__proto__", null], ["b", ""]]],
    [["__proto__", "a", "__proto__"], [["__proto__", ""], ["a", null]]],
  ];
  for (const [names, entries] of cases) {
    const row = decoder(names).decode(THREE, 0, THREE.length);
    assert.deepEqual(Object.entries(row), entries, names.join());
    assert.equal(Object.getPrototypeOf(row), Object.prototype);
  }
});

test("rows do not share what was decoded before", () => {
  const one = decoder(["a", "b", "c"]);
  const first = one.decode(THREE, 0, THREE.length);
  const second = one.decode(wire("0003 ffffffff ffffffff ffffffff"), 0, 14);
  assert.deepEqual([first, second], [{ a: "abc", b: null, c: "" }, { a: null, b: null, c: null }]);
});

test("a row that does not fit its columns is malformed, in every mode and wherever it is cut", () => {
  const shapes = [decoder(["a", "b", "c"]), decoder(["a", "b", "c"], "array"), decoder(["a", "__proto__", "c"])];
  const wrong = [
    wire("0002 ffffffff ffffffff"), // too few values
    wire("0004 ffffffff ffffffff ffffffff ffffffff"),
    wire("0003 fffffffe ffffffff ffffffff"), // a length of -2
    wire("0003 80000000 ffffffff ffffffff"),
    wire("0003 7fffffff ffffffff ffffffff"), // longer than the message
    wire("0003 ffffffff ffffffff ffffffff 00"), // a byte too many
    ...Array.from(THREE, (_, length) => THREE.subarray(0, length)),
  ];
  for (const shape of shapes) {
    for (const bytes of wrong) {
      assert.throws(() => shape.decode(bytes, 0, bytes.length), { code: "PROTOCOL_MALFORMED" }, bytes.join());
    }
  }
});

test("what a type parser throws comes through as it is", () => {
  const oops = new Error("oops");
  const throwing = new RowDecoder([field("a")], [() => {
    throw oops;
  }], "object");
  assert.throws(() => throwing.decode(wire("0001 00000001 'x'"), 0, 7), (error) => error === oops);
});
