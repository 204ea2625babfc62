import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arrays, builtins, otherTypes } from "../../src/types/oids.ts";
import { types } from "../../src/types/registry.ts";
import { comparable, decodeInside, decodeText } from "./types_comparable.ts";

/** Bytes from hexadecimal digits, spaced as the fields are. */
function hex(digits: string): Uint8Array {
  const packed = digits.replaceAll(" ", "");
  return Uint8Array.from({ length: packed.length / 2 }, (_, at) => parseInt(packed.slice(2 * at, 2 * at + 2), 16));
}

/** What PostgreSQL's send functions (`SELECT int4send(1)`) and output functions say of the same value. */
const cases: readonly (readonly [name: string, oid: number, binary: string, text: string])[] = [
  ["true", builtins.BOOL, "01", "t"],
  ["false", builtins.BOOL, "00", "f"],
  ["an int2", builtins.INT2, "7fff", "32767"],
  ["a negative int2", builtins.INT2, "8000", "-32768"],
  ["an int4", builtins.INT4, "7fffffff", "2147483647"],
  ["a negative int4", builtins.INT4, "ffffffff", "-1"],
  ["the largest oid", builtins.OID, "ffffffff", "4294967295"],
  ["a small int8", builtins.INT8, "0000000000000000", "0"],
  ["a negative int8", builtins.INT8, "ffffffffffffffff", "-1"],
  ["an int8 at the end of 53 bits", builtins.INT8, "001fffffffffffff", "9007199254740991"],
  ["an int8 beyond 53 bits", builtins.INT8, "0020000000000001", "9007199254740993"],
  ["an int8 below 53 bits", builtins.INT8, "ffdfffffffffffff", "-9007199254740993"],
  ["the largest int8", builtins.INT8, "7fffffffffffffff", "9223372036854775807"],
  ["the smallest int8", builtins.INT8, "8000000000000000", "-9223372036854775808"],
  ["a float4 that is no double", builtins.FLOAT4, "3dcccccd", "0.1"],
  ["a float4 of nine digits", builtins.FLOAT4, "4b189681", "10000001"],
  ["a float4 between two decimals", builtins.FLOAT4, "c760b750", "-57527.312"],
  ["a float4 between two others", builtins.FLOAT4, "4c7cd184", "6.6274832e+07"],
  ["a float4 that is a power of two", builtins.FLOAT4, "0f800000", "1.2621775e-29"],
  ["the smallest float4", builtins.FLOAT4, "00000001", "1e-45"],
  ["the largest float4", builtins.FLOAT4, "7f7fffff", "3.4028235e+38"],
  ["a negative zero float4", builtins.FLOAT4, "80000000", "-0"],
  ["an infinite float4", builtins.FLOAT4, "ff800000", "-Infinity"],
  ["a float4 that is no number", builtins.FLOAT4, "7fc00000", "NaN"],
  ["a float8", builtins.FLOAT8, "3ff8000000000000", "1.5"],
  ["the smallest float8", builtins.FLOAT8, "0000000000000001", "5e-324"],
  ["a numeric", builtins.NUMERIC, "0003 0001 0000 0004 0001 0929 1a85", "12345.6789"],
  ["a negative numeric", builtins.NUMERIC, "0001 ffff 4000 0004 0001", "-0.0001"],
  ["a numeric zero", builtins.NUMERIC, "0000 0000 0000 0000", "0"],
  ["a numeric zero with decimals", builtins.NUMERIC, "0000 0000 0000 0002", "0.00"],
  ["a tiny numeric", builtins.NUMERIC, "0001 fffd 0000 000a 0064", "0.0000000001"],
  ["a large round numeric", builtins.NUMERIC, "0001 0002 0000 0000 0001", "100000000"],
  ["a numeric that is no number", builtins.NUMERIC, "0000 0000 c000 0000", "NaN"],
  ["an infinite numeric", builtins.NUMERIC, "0000 0000 d000 0020", "Infinity"],
  ["a negative infinite numeric", builtins.NUMERIC, "0000 0000 f000 0020", "-Infinity"],
  ["a text", builtins.TEXT, "68c3a96c6c6f", "héllo"],
  ["a varchar", builtins.VARCHAR, "61", "a"],
  ["a bpchar", builtins.BPCHAR, "612020", "a  "],
  ["a name", otherTypes.NAME, "61", "a"],
  ["an empty text", builtins.TEXT, "", ""],
  ["a bytea", builtins.BYTEA, "00ff5c", "\\x00ff5c"],
  ["a uuid", builtins.UUID, "0123456789abcdef fedcba9876543210", "01234567-89ab-cdef-fedc-ba9876543210"],
  ["a json", builtins.JSON, "7b2261223a5b315d7d", '{"a":[1]}'],
  ["a jsonb", builtins.JSONB, "01 7b2261223a205b315d7d", '{"a":[1]}'],
  ["a date", builtins.DATE, "000023cb", "2025-02-01"],
  ["a date before 2000", builtins.DATE, "ffffffff", "1999-12-31"],
  ["a date of the first century", builtins.DATE, "fff56937", "0099-12-31"],
  ["an infinite date", builtins.DATE, "7fffffff", "infinity"],
  ["a negative infinite date", builtins.DATE, "80000000", "-infinity"],
  ["a timestamp", builtins.TIMESTAMP, "0000000000000001", "2000-01-01 00:00:00.000001"],
  ["a timestamp before 2000", builtins.TIMESTAMP, "ffffffffffffffff", "1999-12-31 23:59:59.999999"],
  ["an infinite timestamp", builtins.TIMESTAMP, "7fffffffffffffff", "infinity"],
  ["a timestamptz", builtins.TIMESTAMPTZ, "0002d0081bdbbe40", "2025-01-31 23:59:59.123008+00"],
  ["a timestamptz before 2000", builtins.TIMESTAMPTZ, "ffffffffffffffff", "1999-12-31 23:59:59.999999+00"],
  ["a negative infinite timestamptz", builtins.TIMESTAMPTZ, "8000000000000000", "-infinity"],
  ["an interval", builtins.INTERVAL, "000000036c97ca88 00000003 0000000e", "1 year 2 mons 3 days 04:05:06.789"],
  [
    "a negative interval",
    builtins.INTERVAL,
    "ffffffffffffffff ffffffff fffffff3",
    "-1 years -1 mons -1 days -00:00:00.000001",
  ],
  ["the longest interval", builtins.INTERVAL, "7fffffffffffffff 00000000 00000000", "2562047788:00:54.775807"],
  ["an empty interval", builtins.INTERVAL, "0000000000000000 00000000 00000000", "00:00:00"],
  ["a point", otherTypes.POINT, "3ff8000000000000 c002000000000000", "(1.5,-2.25)"],
  ["a circle", builtins.CIRCLE, "3ff0000000000000 4000000000000000 3fe0000000000000", "<(1,2),0.5>"],
  ["an empty array", arrays.INT4, "00000000 00000000 00000017", "{}"],
  [
    "an array with NULL",
    arrays.INT4,
    "00000001 00000001 00000017 00000002 00000001 00000004 00000007 ffffffff",
    "{7,NULL}",
  ],
  [
    "an array of two dimensions",
    arrays.TEXT,
    "00000002 00000000 00000019 00000002 00000001 00000001 00000001 00000001 61 00000000",
    '{{a},{""}}',
  ],
  [
    "an array of numeric, floats",
    arrays.NUMERIC,
    "00000001 00000000 000006a4 00000001 00000001 0000000a 0001 0000 0000 0000 0005",
    "{5}",
  ],
  [
    "an array of int8, strings",
    arrays.INT8,
    "00000001 00000000 00000014 00000001 00000001 00000008 0000000000000005",
    "{5}",
  ],
];

test("a value in binary is the same value as in text", () => {
  for (const [name, oid, binary, text] of cases) {
    const expected = comparable(decodeText(types.decoder(oid, 0), text));
    assert.deepEqual(comparable(decodeInside(types.decoder(oid, 1), hex(binary))), expected, name);
    assert.deepEqual(comparable(types.getTypeParser(oid, "binary")(hex(binary))), expected, `${name}, as a parser`);
  }
});

function int64(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value);
  return bytes;
}

test("any int8 is printed exactly", () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
    assert.equal(decodeInside(types.decoder(builtins.INT8, 1), int64(value)), String(value));
  }));
});

test("any float8 is read exactly", () => {
  fc.assert(fc.property(fc.double(), (value) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value);
    assert.equal(decodeInside(types.decoder(builtins.FLOAT8, 1), bytes), value);
  }));
});

test("any float4 is a number that is that float4, in nine digits at most", () => {
  fc.assert(fc.property(fc.float(), (value) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value);
    const decoded = decodeInside(types.decoder(builtins.FLOAT4, 1), bytes) as number;
    assert.equal(Math.fround(decoded), value);
    assert.ok(Number.isNaN(value) || Number(decoded.toPrecision(9)) === decoded);
  }));
});

/** The microseconds of Date's whole range, from 2000. */
const microseconds = fc.bigInt({ min: -8_640_946_684_800_000_000n, max: 8_639_053_315_200_000_000n });

test("any timestamptz is the millisecond it falls into", () => {
  fc.assert(fc.property(microseconds, (micros) => {
    const expected = micros / 1000n - (micros % 1000n < 0n ? 1n : 0n) + 946_684_800_000n;
    const decoded = decodeInside(types.decoder(builtins.TIMESTAMPTZ, 1), int64(micros)) as Date;
    assert.equal(decoded.getTime(), Number(expected));
  }));
});

test("any timestamp and date have the local fields that their text has", () => {
  fc.assert(
    fc.property(
      fc.date({ min: new Date("0101-01-01T00:00:00Z"), max: new Date("9999-12-31T00:00:00Z"), noInvalidDate: true }),
      (date) => {
        const micros = BigInt(date.getTime() - 946_684_800_000) * 1000n;
        const text = date.toISOString().replace("T", " ").replace("Z", "");
        assert.deepEqual(
          decodeInside(types.decoder(builtins.TIMESTAMP, 1), int64(micros)),
          decodeText(types.decoder(builtins.TIMESTAMP, 0), text),
        );
        const days = Math.floor((date.getTime() - 946_684_800_000) / 86_400_000);
        assert.deepEqual(
          decodeInside(types.decoder(builtins.DATE, 1), int64(BigInt(days)).subarray(4)),
          decodeText(types.decoder(builtins.DATE, 0), text.slice(0, 10)),
        );
      },
    ),
  );
});

/** `numeric_send` of a decimal text. */
function numericBytes(text: string): Uint8Array {
  const [, sign, integer, fraction = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  const left = integer.padStart(Math.ceil(integer.length / 4) * 4, "0");
  const right = fraction.padEnd(Math.ceil(fraction.length / 4) * 4, "0");
  let groups = ((left + right).match(/\d{4}/g) ?? []).map(Number);
  let weight = left.length / 4 - 1;
  while (groups.length > 0 && groups[0] === 0) [groups, weight] = [groups.slice(1), weight - 1];
  while (groups.at(-1) === 0) groups.pop();
  const fields = [
    groups.length,
    groups.length === 0 ? 0 : weight,
    sign === "-" ? 0x4000 : 0,
    fraction.length,
    ...groups,
  ];
  return Uint8Array.from(fields.flatMap((field) => [(field >> 8) & 0xff, field & 0xff]));
}

test("any numeric is printed with every digit", () => {
  const decimal = fc.tuple(
    fc.constantFrom("", "-"),
    fc.bigInt({ min: 0n, max: 10n ** 40n }),
    fc.stringMatching(/^\d{0,30}$/),
  )
    .map(([sign, integer, fraction]) => `${sign}${integer}${fraction && "."}${fraction}`);
  fc.assert(fc.property(decimal, (text) => {
    assert.equal(decodeInside(types.decoder(builtins.NUMERIC, 1), numericBytes(text)), text);
  }));
});

test("binary that its type cannot have is refused", () => {
  const malformed: readonly (readonly [number, string])[] = [
    ...[builtins.BOOL, builtins.INT2, builtins.INT4, builtins.INT8, builtins.OID, builtins.FLOAT4, builtins.FLOAT8].map(
      (oid) => [oid, "000000"] as const,
    ),
    ...[builtins.DATE, builtins.TIMESTAMP, builtins.TIMESTAMPTZ, builtins.INTERVAL, builtins.UUID, otherTypes.POINT]
      .map(
        (oid) => [oid, ""] as const,
      ),
    [builtins.CIRCLE, "00"],
    [builtins.NUMERIC, "0001 0000 0000"],
    [builtins.NUMERIC, "0002 0000 0000 0000 0001"],
    [builtins.JSONB, ""],
    [builtins.JSONB, "02 31"],
    [arrays.INT4, ""],
    [arrays.INT4, "00000007 00000000 00000017"],
    [arrays.INT4, "ffffffff 00000000 00000017"],
    [arrays.INT4, "00000001 00000000 00000017"],
    [arrays.INT4, "00000001 00000000 00000017 7fffffff 00000001"],
    [arrays.INT4, "00000002 00000000 00000017 7fffffff 00000001 00000000 00000001"],
    [arrays.INT4, "00000001 00000000 00000017 00000001 00000001 00000005 00000000"],
    [arrays.INT4, "00000001 00000000 00000017 00000001 00000001 fffffffe"],
    [arrays.INT4, "00000001 00000000 00000017 00000002 00000001 00000004 00000000"],
  ];
  for (const [oid, bytes] of malformed) {
    const expected = { name: "ProtocolError", code: "VALUE_MALFORMED" };
    assert.throws(() => decodeInside(types.decoder(oid, 1), hex(bytes)), expected, `type ${oid}, ${bytes}`);
  }
});

test("no bytes at all make a binary decoder do anything but return or raise VALUE_MALFORMED", () => {
  const oids = cases.map(([, oid]) => oid);
  const header = fc.tuple(fc.constantFrom(0, 1, 2, 6, 7), fc.array(fc.nat(3), { maxLength: 24 }), fc.uint8Array())
    .map(([dimensions, words, rest]) =>
      Uint8Array.from([0, 0, 0, dimensions, ...words.flatMap((word) => [0, 0, 0, word]), ...rest])
    );
  fc.assert(
    fc.property(fc.constantFrom(...oids), fc.oneof(fc.uint8Array({ maxLength: 60 }), header), (oid, bytes) => {
      try {
        types.decoder(oid, 1)(bytes, 0, bytes.length);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "VALUE_MALFORMED", String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
