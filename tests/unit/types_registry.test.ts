import assert from "node:assert/strict";
import { test } from "node:test";
import pgTypes from "pg-types";
import { ConfigError } from "../../src/errors.ts";
import type { TypeParserSource } from "../../src/types/codec.ts";
import { builtins } from "../../src/types/oids.ts";
import { decoderOf, prefersBinary, TypeRegistry } from "../../src/types/registry.ts";
import { decodeInside, decodeText } from "./types_comparable.ts";

const { DATE, INT4, INT8, JSON: JSON_, TEXT } = builtins;
const UNKNOWN_TYPE = 99_999;
const one = Uint8Array.from([0, 0, 0, 1]);

test("builtins are those of pg-types", () => {
  assert.deepEqual({ ...builtins }, { ...pgTypes.builtins });
  assert.equal(new TypeRegistry().builtins, builtins);
});

test("a registered parser replaces ours, in the format for which it was registered", () => {
  const types = new TypeRegistry();
  const decode = (format: 0 | 1, value: Uint8Array | string) =>
    typeof value === "string"
      ? decodeText(types.decoder(INT4, format), value)
      : decodeInside(types.decoder(INT4, format), value);

  types.setTypeParser(INT4, (text) => `text ${text}`);
  assert.equal(decode(0, "1"), "text 1");
  assert.equal(decode(1, one), 1);

  types.setTypeParser(INT4, "binary", (bytes) => `binary ${bytes.length}`);
  assert.equal(decode(1, one), "binary 4");

  types.setTypeParser(INT4, 0, (text) => `again ${text}`);
  types.setTypeParser(INT4, 1, (bytes) => `again ${bytes[3]}`);
  assert.equal(decode(0, "1"), "again 1");
  assert.equal(decode(1, one), "again 1");
});

test("getTypeParser gives back what was registered, for text unless told otherwise", () => {
  const types = new TypeRegistry();
  const text = (value: string) => value;
  const binary = (value: Uint8Array) => value;
  types.setTypeParser(INT8, "text", text);
  types.setTypeParser(INT8, "binary", binary);
  for (const format of [undefined, "text", 0] as const) assert.equal(types.getTypeParser(INT8, format), text);
  for (const format of ["binary", 1] as const) assert.equal(types.getTypeParser(INT8, format), binary);
});

test("getTypeParser gives parsers that work on strings and bytes, and keep their identity", () => {
  const types = new TypeRegistry();
  assert.equal(types.getTypeParser(INT4)("12"), 12);
  assert.equal(types.getTypeParser(INT4)(new TextEncoder().encode("12")), 12);
  assert.equal(types.getTypeParser(INT4, "binary")(one), 1);
  assert.equal(types.getTypeParser(UNKNOWN_TYPE)("as it is \ud800"), "as it is \ud800");
  assert.equal(types.getTypeParser(UNKNOWN_TYPE, "binary")(new TextEncoder().encode("é")), "é");
  assert.equal(types.getTypeParser(INT4), new TypeRegistry().getTypeParser(INT4));
});

test("a registry falls back to its parent, whenever the parent changed", () => {
  const parent = new TypeRegistry();
  const child = new TypeRegistry(parent);
  const grandchild = new TypeRegistry(child);
  assert.equal(decodeText(grandchild.decoder(INT8, 0), "5"), "5");

  parent.setTypeParser(INT8, BigInt);
  assert.equal(decodeText(grandchild.decoder(INT8, 0), "5"), 5n);
  assert.equal(grandchild.getTypeParser(INT8)("5"), 5n);

  child.setTypeParser(INT8, Number);
  assert.equal(decodeText(grandchild.decoder(INT8, 0), "5"), 5);
  assert.equal(decodeText(parent.decoder(INT8, 0), "5"), 5n);
});

test("methods work when they are taken from the registry", () => {
  const { setTypeParser, getTypeParser } = new TypeRegistry();
  setTypeParser(INT8, BigInt);
  assert.equal(getTypeParser(INT8)("5"), 5n);
});

test("binary is preferred where it can be decoded and nobody registered a text parser", () => {
  const parent = new TypeRegistry();
  const types = new TypeRegistry(parent);
  assert.equal(prefersBinary(types, INT8), true);
  assert.equal(prefersBinary(types, builtins.INET), false);
  assert.equal(prefersBinary(types, UNKNOWN_TYPE), false);

  parent.setTypeParser(INT8, BigInt);
  assert.equal(prefersBinary(types, INT8), false);
  types.setTypeParser(INT8, "binary", (bytes) => bytes);
  assert.equal(prefersBinary(types, INT8), true);
  types.setTypeParser(INT4, Number);
  assert.equal(prefersBinary(types, INT4), false);
  assert.equal(prefersBinary(pgTypes, INT4), false);
});

test("a foreign source's parsers are given a string, or bytes of their own", () => {
  const seen: unknown[] = [];
  const foreign: TypeParserSource = {
    getTypeParser: (oid, format) => (value: unknown) => (seen.push(value), `${oid} ${format}`),
  };
  const row = Uint8Array.from([0, 0x61, 0x62, 0]);
  assert.equal(decoderOf(foreign, TEXT, 0)(row, 1, 3), `${TEXT} text`);
  assert.equal(decoderOf(foreign, TEXT, 1)(row, 1, 3), `${TEXT} binary`);
  row.fill(0xff);
  assert.equal(seen[0], "ab");
  assert.ok(seen[1] instanceof Uint8Array);
  assert.equal(seen[1].constructor.name, "Buffer" in globalThis ? "Buffer" : "Uint8Array");
  assert.deepEqual(Array.from(seen[1]), [0x61, 0x62]);
});

test("npm pg-types is a foreign source", () => {
  assert.deepEqual(decodeText(decoderOf(pgTypes, DATE, 0), "2025-01-31"), new Date(2025, 0, 31));
  assert.deepEqual(decodeText(decoderOf(pgTypes, JSON_, 0), '{"a":1}'), { a: 1 });
  assert.equal(decodeInside(decoderOf(pgTypes, INT4, 1), one), 1);
  assert.equal(decodeText(new TypeRegistry(pgTypes).decoder(INT4, 0), "1"), 1);
});

test("our parsers, handed on by a foreign source, are decoded in place", () => {
  const types = new TypeRegistry();
  const asText = (value: string) => value;
  const foreign: TypeParserSource = {
    getTypeParser: (oid, format) => (oid === DATE ? asText : types.getTypeParser(oid, format)),
  };
  assert.equal(decoderOf(foreign, INT4, 0), types.decoder(INT4, 0));
  assert.equal(decoderOf(foreign, INT4, 1), types.decoder(INT4, 1));
  assert.equal(decodeText(decoderOf(foreign, DATE, 0), "2025-01-31"), "2025-01-31");
});

test("an object derived from a registry is a source of its own", () => {
  const types = new TypeRegistry();
  const derived: TypeParserSource = Object.create(types, {
    getTypeParser: { value: (oid: number) => (oid === INT8 ? Number : types.getTypeParser(oid)) },
  });
  assert.equal(decodeText(decoderOf(derived, INT8, 0), "5"), 5);
  assert.equal(decodeText(decoderOf(derived, INT4, 0), "5"), 5);
});

test("arrayParser parses literals as pg-types's does", () => {
  const { arrayParser } = new TypeRegistry();
  // Its own types say that it is a function.
  const theirs = pgTypes.arrayParser as unknown as typeof arrayParser;
  for (const literal of ["{}", '{a,"b c",NULL}', "{{1,2},{3,4}}", "[0:1]={5,6}"]) {
    for (const parse of [undefined, (text: string) => `<${text}>`]) {
      assert.deepEqual(arrayParser.create(literal, parse).parse(), theirs.create(literal, parse).parse());
    }
  }
});

test("what cannot be registered is refused", () => {
  const types = new TypeRegistry();
  const set = types.setTypeParser as (...args: unknown[]) => void;
  const parse = (text: string) => text;
  const wrong: readonly (readonly [string, readonly unknown[]])[] = [
    ["no parser", [INT8]],
    ["no function", [INT8, "text", null]],
    ["no format", [INT8, "csv", parse]],
    ["a format of another number", [INT8, 2, parse]],
    ["no OID", ["int8", parse]],
    ["a symbol", [Symbol("int8"), parse]],
    ["a fraction", [1.5, parse]],
  ];
  for (const [name, args] of wrong) {
    assert.throws(
      () => set(...args),
      (error) => error instanceof ConfigError && error.code === "TYPE_PARSER_INVALID",
      name,
    );
  }
});

test("a source that gives no parser is refused, naming the type", () => {
  const foreign = { getTypeParser: () => undefined } as unknown as TypeParserSource;
  assert.throws(() => decoderOf(foreign, INT8, 0), { code: "TYPE_PARSER_INVALID", message: /getTypeParser\(20\)/ });
});

test("a parser of ours may be called by a user's, within one of ours, whatever the lengths", () => {
  const registry = new TypeRegistry();
  const int = registry.getTypeParser(23, "text") as (text: string) => number;
  const inner = (text: string) => int(text) + int("1000000");
  for (const numbers of [[1, 22, 333], Array.from({ length: 100 }, (_, n) => n * 1001)]) {
    const literal = `{${numbers.join(",")}}`;
    assert.deepEqual(registry.arrayParser.create(literal, inner).parse(), numbers.map((n) => n + 1_000_000));
  }
  assert.equal((registry.getTypeParser(25, "text") as (text: string) => string)("ä".repeat(70)), "ä".repeat(70));
  assert.deepEqual((registry.getTypeParser(1009, "text") as (text: string) => unknown)('{ä,"€ "}'), ["ä", "€ "]);
});

test("what is registered elsewhere is heeded where nothing is registered here, by registries derived from it too", () => {
  const registry = new TypeRegistry();
  const derived = new TypeRegistry(registry);
  const elsewhere = new Map(
    [["20 text", BigInt], ["16 binary", () => "bits"]] as [string, (value: never) => unknown][],
  );
  registry.heed((oid, format) => elsewhere.get(`${oid} ${format}`));
  for (const each of [registry, derived]) {
    assert.equal(each.getTypeParser(20), BigInt);
    assert.equal(decodeText(each.decoder(20, 0), "7"), 7n);
    assert.equal(each.prefersBinary(20), false);
    assert.equal(each.decoder(16, 1)(new Uint8Array([1]), 0, 1), "bits");
    assert.equal(decodeText(each.decoder(23, 0), "7"), 7);
  }
  elsewhere.delete("16 binary");
  assert.equal(registry.decoder(16, 1)(new Uint8Array([1]), 0, 1), true);
  registry.setTypeParser(20, Number);
  assert.equal(decodeText(derived.decoder(20, 0), "7"), 7);
});
