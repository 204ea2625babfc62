import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { copyBinary, copyCsv, type CopyFormat, copyText } from "../../mod.ts";
import { concat, wire } from "../fixtures/bytes.ts";

const utf8 = new TextEncoder();
const bytesOf = (data: string | Uint8Array) => typeof data === "string" ? utf8.encode(data) : data;

function encodeAll(format: CopyFormat, rows: readonly (readonly unknown[])[]): Uint8Array {
  return concat([format.header, ...rows.map((row) => format.encodeRow(row)), format.trailer].map(bytesOf));
}

/** Decodes data that comes in pieces of a length. */
function decodeAll(format: CopyFormat, data: Uint8Array, length: number): unknown[][] {
  const decoder = format.decoder();
  const rows: unknown[][] = [];
  for (let at = 0; at < data.length; at += length) rows.push(...decoder.push(data.slice(at, at + length)));
  return [...rows, ...decoder.end()];
}

const encoded: readonly (readonly [string, CopyFormat, readonly unknown[], string])[] = [
  ["text", copyText(), [1, "a", null, true], "1\ta\t\\N\ttrue\n"],
  ["text with what must be escaped", copyText(), ["\\N", "a\tb\nc\rd\\"], "\\\\N\ta\\tb\\nc\\rd\\\\\n"],
  ["text with options", copyText({ delimiter: "|", null: "" }), ["a|b", null, ""], "a\\|b||\n"],
  ["text like that of NULL", copyText({ null: "nil" }), ["nil", null, "nile"], "\\x6eil\tnil\tnile\n"],
  ["text of bytes and arrays", copyText(), [Uint8Array.of(0, 255), [1, null]], '\\\\x00ff\t{"1",NULL}\n'],
  ["csv", copyCsv(), [1, "a", null, ""], '1,a,,""\n'],
  ["csv with what must be quoted", copyCsv(), ['a"b', "c,d", "e\nf", "\\."], '"a""b","c,d","e\nf","\\."\n'],
  [
    "csv with options",
    copyCsv({ delimiter: ";", quote: "'", null: "NULL" }),
    ["NULL", null, "a;'b"],
    "'NULL';NULL;'a;''b'\n",
  ],
];

for (const [what, format, row, expected] of encoded) {
  test(`a row is written as ${what}`, () => assert.equal(format.encodeRow(row), expected));
}

test("a hole in a row is NULL, as undefined is", () => {
  const hole = new Array<unknown>(2);
  hole[1] = 2;
  for (const format of [copyText(), copyCsv(), copyCsv({ null: "NULL" }), copyBinary(["int4", "int4"])]) {
    assert.deepEqual(format.encodeRow(hole), format.encodeRow([undefined, 2]));
  }
});

test("csv may begin with the columns' names", () =>
  assert.equal(copyCsv({ header: ["id", "a,b"] }).header, 'id,"a,b"\n'));

const decoded: readonly (readonly [string, CopyFormat, string, unknown[][]])[] = [
  ["text", copyText(), "1\ta\\tb\t\\N\n2\t\t\\\\N\n", [["1", "a\tb", null], ["2", "", "\\N"]]],
  ["text's other escapes", copyText(), "\\b\\f\\v\\101\\x41\\q\n", [["\b\f\vAAq"]]],
  ["text with an end marker, and without a last line break", copyText(), "a\n\\.\nb", [["a"], ["b"]]],
  ["text with an escaped delimiter", copyText({ delimiter: "|" }), "a\\|b|c\\\\|d\n", [["a|b", "c\\", "d"]]],
  ["csv", copyCsv(), 'a,,""\n"b ""c"",\n",d,\n', [["a", null, ""], ['b "c",\n', "d", null]]],
  ["csv with CRLF, an empty line, and without a last line break", copyCsv(), "a,b\r\n\r\nc,", [["a", "b"], [null], [
    "c",
    null,
  ]]],
  ["csv quoted in parts", copyCsv(), 'a"b,c"d\n', [["ab,cd"]]],
];

for (const [what, format, data, expected] of decoded) {
  test(`rows are read from ${what}, however it is cut`, () => {
    const bytes = utf8.encode(data);
    for (let length = 1; length <= bytes.length; length++) assert.deepEqual(decodeAll(format, bytes, length), expected);
  });
}

const anyText = fc.string({
  unit: fc.oneof(
    fc.constantFrom("\t", "\n", "\r", "\\", ",", '"', "N", ".", "|"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  ),
})
  .filter((text) => !text.includes("\0"));
const formats: readonly (readonly [string, CopyFormat])[] = [
  ["text", copyText()],
  ["text with options", copyText({ delimiter: "|", null: "nil" })],
  ["csv", copyCsv()],
  ["csv with options", copyCsv({ delimiter: "|", quote: "'", null: "nil" })],
];

for (const [what, format] of formats) {
  test(`what is written as ${what} is read as it was, whatever it is`, () => {
    const rows = fc.integer({ min: 1, max: 4 }).chain((columns) =>
      fc.array(fc.array(fc.option(anyText), { minLength: columns, maxLength: columns }), { maxLength: 5 })
    );
    fc.assert(fc.property(rows, fc.integer({ min: 1, max: 40 }), (rows, length) => {
      assert.deepEqual(decodeAll(format, encodeAll(format, rows), length), rows);
    }));
  });
}

const BINARY_HEADER = "'PGCOPY' 0a ff 0d 0a 00 00000000 00000000";

test("binary rows are written byte by byte as documented", () => {
  const format = copyBinary(["int4", "text", "bool"]);
  assert.deepEqual(
    encodeAll(format, [[-2, "é", null]]),
    wire(`${BINARY_HEADER} 0003 00000004 fffffffe 00000002 c3a9 ffffffff ffff`),
  );
});

test("what is written in binary is read as it was, however it is cut", () => {
  const columns = [
    "bool",
    "int2",
    "int4",
    "int8",
    "oid",
    "float4",
    "float8",
    "text",
    "varchar",
    "name",
    "bytea",
    "uuid",
    "json",
    "jsonb",
    "date",
    "timestamp",
    "timestamptz",
  ] as const;
  const day = new Date(2024, 1, 29);
  const moment = new Date(Date.UTC(1969, 6, 20, 20, 17, 40, 123));
  const rows: unknown[][] = [
    [
      true,
      -5,
      7,
      "-9007199254740993",
      4294967295,
      0.1,
      1e300,
      "ü",
      "v",
      "n",
      new Uint8Array([0, 255]),
      "01234567-89ab-cdef-0123-456789abcdef",
      { a: [1] },
      [null],
      day,
      moment,
      moment,
    ],
    columns.map(() => null),
    [
      false,
      0,
      0,
      "0",
      0,
      -Infinity,
      0,
      "",
      "",
      "",
      new Uint8Array(0),
      "ffffffff-ffff-ffff-ffff-ffffffffffff",
      1,
      "x",
      Infinity,
      -Infinity,
      Infinity,
    ],
  ];
  const format = copyBinary(columns);
  const data = encodeAll(format, rows);
  const plain = (read: unknown[][]) =>
    read.map((row) => row.map((value) => value instanceof Uint8Array ? new Uint8Array(value) : value));
  for (const length of [1, 2, 3, 7, 64, data.length]) assert.deepEqual(plain(decodeAll(format, data, length)), rows);
});

const unencodable: readonly (readonly [Parameters<typeof copyBinary>[0][number], unknown])[] = [
  ["int2", 32768],
  ["int4", 1.5],
  ["int4", "x"],
  ["int8", 2n ** 63n],
  ["oid", -1],
  ["bool", "true"],
  ["float8", "1"],
  ["bytea", "x"],
  ["text", {}],
  ["uuid", "0123"],
  ["date", "2024-01-01"],
  ["timestamptz", new Date(NaN)],
  ["json", () => {}],
  [1700, "1.5"],
];

for (const [type, value] of unencodable) {
  test(`${String(value)} is refused as binary ${type}`, () => {
    assert.throws(() => copyBinary([type]).encodeRow([value]), {
      code: type === 1700 ? "COPY_FORMAT" : "VALUE_UNENCODABLE",
    });
  });
}

test("a binary row has as many values as there are columns", () => {
  assert.throws(() => copyBinary(["int4"]).encodeRow([1, 2]), { code: "VALUE_UNENCODABLE" });
});

const malformed: readonly (readonly [string, CopyFormat, Uint8Array])[] = [
  ["text that ends within an escape", copyText(), utf8.encode("a\\")],
  ["csv that ends within quotes", copyCsv(), utf8.encode('a,"b')],
  ["binary without the signature", copyBinary(["int4"]), new Uint8Array(30)],
  ["binary with unknown flags", copyBinary(["int4"]), wire("'PGCOPY' 0a ff 0d 0a 00 00010000 00000000 ffff")],
  ["binary with another number of columns", copyBinary(["int4"]), wire(`${BINARY_HEADER} 0002 ffffffff ffffffff ffff`)],
  ["binary with a bad length", copyBinary(["int4"]), wire(`${BINARY_HEADER} 0001 fffffffe ffff`)],
  ["binary that has no trailer", copyBinary(["int4"]), wire(BINARY_HEADER)],
  ["binary with a value of another size", copyBinary(["int4"]), wire(`${BINARY_HEADER} 0001 00000001 00 ffff`)],
];

for (const [what, format, data] of malformed) {
  test(`refused: ${what}`, () => assert.throws(() => decodeAll(format, data, 5), { code: "VALUE_MALFORMED" }));
}

const unusable: readonly (readonly [string, () => unknown])[] = [
  ["a text delimiter of two characters", () => copyText({ delimiter: "||" })],
  ["a letter as text delimiter", () => copyText({ delimiter: "n" })],
  ["a line break for NULL", () => copyText({ null: "\n" })],
  ["a csv quote that is the delimiter", () => copyCsv({ quote: "," })],
  ["a csv NULL that has the delimiter", () => copyCsv({ null: "a,b" })],
  ["a type that binary cannot write", () => copyBinary(["numeric" as "int4"])],
  ["a type of Object.prototype", () => copyBinary(["toString" as "int4"])],
];

for (const [what, make] of unusable) test(`refused: ${what}`, () => assert.throws(make, { code: "COPY_FORMAT" }));
