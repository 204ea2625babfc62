import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import pgTypes from "pg-types";
import { decodeHexDigits } from "../../src/types/bytea.ts";
import { arrays, builtins, otherTypes } from "../../src/types/oids.ts";
import { types } from "../../src/types/registry.ts";
import { comparable, decodeInside, decodeText } from "./types_comparable.ts";

/** npm pg-types, which node-postgres uses, says what each text is worth. */
function oracle(oid: number, text: string): unknown {
  return pgTypes.getTypeParser(oid, "text")(text);
}

function assertAsOracle(oid: number, text: string): void {
  const expected = comparable(oracle(oid, text));
  const message = `type ${oid}, ${JSON.stringify(text)}`;
  assert.deepEqual(comparable(decodeText(types.decoder(oid, 0), text)), expected, message);
  assert.deepEqual(comparable(types.getTypeParser(oid)(text)), expected, `${message}, as a parser`);
}

const { BOOL, BYTEA, INT2, INT4, INT8, OID, FLOAT4, FLOAT8, NUMERIC, TEXT, VARCHAR, BPCHAR, JSON: JSON_, JSONB } =
  builtins;
const { DATE, TIMESTAMP, TIMESTAMPTZ, INTERVAL, CIRCLE, UUID } = builtins;
const { POINT } = otherTypes;

const cases: readonly (readonly [name: string, oids: readonly number[], texts: readonly string[]])[] = [
  ["bool", [BOOL], ["t", "f", "true", "false", "TRUE", "y", "yes", "on", "1", "0", "no", "T"]],
  ["integers", [INT2, INT4, OID], [
    "0",
    "-1",
    "7",
    "32767",
    "-32768",
    "2147483647",
    "-2147483648",
    "4294967295",
    "",
    "12x",
    "x",
  ]],
  ["int8 and numeric, as strings", [INT8, NUMERIC], [
    "0",
    "-9223372036854775808",
    "9223372036854775807",
    "1.500",
    "NaN",
  ]],
  ["floats", [FLOAT4, FLOAT8], [
    ...[
      "0",
      "-0",
      "1",
      "-1.5",
      "0.1",
      "0.30000000000000004",
      "3.141592653589793",
      "1e+20",
      "1.5e-07",
      "123456789012345680",
    ],
    ...[
      "NaN",
      "Infinity",
      "-Infinity",
      "1.7976931348623157e+308",
      "5e-324",
      "9007199254740993",
      "0.00012345678901234567",
    ],
    ...["", "-", ".", "1.", "1.2.3", "12abc", "9007199254740991", "9007199254740992", "99999999999999999999999.5"],
  ]],
  ["strings", [TEXT, VARCHAR, BPCHAR, UUID, otherTypes.NAME], [
    "",
    "a",
    "héllo wörld",
    "\u{1f418} and \ufeff",
    "NULL",
    "  padded  ",
  ]],
  ["types that stay strings", [
    builtins.TIME,
    builtins.INET,
    builtins.MONEY,
    builtins.BIT,
    3904,
    602,
    1003,
    1002,
    719,
    99_999,
  ], [
    ...["12:34:56.789", "192.168.0.0/24", "$1,234.56", "10101", "[1,5)", "((0,0),(1,1))", "{a,b}", ""],
  ]],
  ["bytea", [BYTEA], ["\\x", "\\x00", "\\xdeadBEEF", "", "abc", "a\\\\b", "\\000\\377", "\\\\\\001x", "\\\\\\\\"]],
  ["json", [JSON_, JSONB], ["null", "1", '"s"', '{"a": [1, 2, {"b": null}]}', "[]", '"\\u00e9 \u{1f418}"']],
  ["dates", [DATE], [
    ...[
      "2025-01-31",
      "2024-02-29",
      "1970-01-01",
      "0044-03-15 BC",
      "0099-12-31",
      "0100-01-01",
      "0001-01-01",
      "0001-02-28 BC",
    ],
    ...[
      "10000-01-01",
      "275760-09-12",
      "5874897-12-31",
      "4713-01-01 BC",
      "infinity",
      "-infinity",
      "31/01/2025",
      "",
      "x",
    ],
  ]],
  ["timestamps", [TIMESTAMP], [
    ...["2025-01-31 23:59:59", "2025-01-31 23:59:59.1", "2025-01-31 23:59:59.999999", "1999-12-31 23:59:59.0004"],
    ...[
      "0044-03-15 12:00:00 BC",
      "0099-12-31 23:59:59.5",
      "0000-01-01 00:00:00",
      "10000-01-01 00:00:00.25",
      "294276-12-31 23:59:59",
    ],
    ...[
      "2025-03-09 02:30:00",
      "2025-11-02 01:30:00",
      "infinity",
      "-infinity",
      "Fri Jan 31 23:59:59 2025",
      "2025-01-31T23:59:59",
    ],
    ...[
      "2025-01-31 23:59",
      "2025-13-31 23:59:59",
      "2025-01-00 00:00:00",
      "2025-01-31 ",
      "2025-1-31 23:59:59",
      "2o25-01-31 23:59:59",
    ],
  ]],
  ["timestamps with time zone", [TIMESTAMPTZ], [
    ...[
      "2025-01-31 23:59:59+00",
      "2025-01-31 23:59:59.123456+00",
      "2025-01-31 23:59:59.999999-08",
      "2024-02-29 12:00:00+05:30",
    ],
    ...[
      "1883-11-18 12:03:57-04:56:02",
      "1800-01-01 00:00:00+05:53:28",
      "0044-03-15 12:00:00+00 BC",
      "0044-03-15 12:00:00.5-03:30 BC",
    ],
    ...[
      "0099-12-31 23:59:59.5+02",
      "0100-03-01 00:00:00+00",
      "1600-02-29 00:00:00+00",
      "1700-03-01 00:00:00+00",
      "9999-12-31 23:59:59-12",
    ],
    ...[
      "10000-01-01 00:00:00+01",
      "275760-09-13 00:00:00+00",
      "275760-09-13 00:00:00.001+00",
      "294276-12-31 23:59:59+00",
    ],
    ...["2025-01-31 23:59:59Z", "2025-01-31 23:59:59 UTC", "infinity", "-infinity"],
  ]],
  ["intervals", [INTERVAL], [
    ...[
      "00:00:00",
      "1 year",
      "-1 years",
      "1 year 2 mons 3 days 04:05:06.789",
      "-1 years -2 mons +3 days -04:05:06.789123",
      "1 mon",
    ],
    ...[
      "-00:00:00.5",
      "00:00:00.000001",
      "123456:00:01",
      "1 day",
      "-1 days +02:03:00",
      "2562047788:00:54.775807",
      "10 years 00:00:01.5",
    ],
    ...["", "P1Y2M3DT4H5M6S", "1-2 3 4:05:06", "@ 1 year 2 mons", "x", "3 days 1 year", "1 year junk"],
  ]],
  ["points", [POINT], ["(0,0)", "(1.5,-2.25)", "(1e+20,NaN)", "(Infinity,-0)", "", "1,2"]],
  ["circles", [CIRCLE], ["<(0,0),1>", "<(1.5,-2.25),0.5>", "<(-1e-07,2),1e+20>", ""]],
  ["arrays of bool", [arrays.BOOL], ["{}", "{t,f,NULL}", "{{t,f},{f,t}}", ""]],
  ["arrays of integers", [arrays.INT2, arrays.INT4, arrays.OID], [
    "{}",
    "{1}",
    "{1,-2,NULL}",
    "{{1,2},{3,4}}",
    "[0:2]={1,2,3}",
    "{{{1}},{{2}}}",
  ]],
  ["arrays of int8, strings", [arrays.INT8], ["{}", "{9223372036854775807,-1,NULL}", "[-1:0][2:3]={{1,2},{3,4}}"]],
  ["arrays of floats, numeric too", [arrays.FLOAT4, arrays.FLOAT8, arrays.NUMERIC], [
    "{}",
    "{1.5,NULL,-2e+30,NaN,Infinity}",
    "{0.1}",
  ]],
  ["arrays of strings", [
    ...[
      arrays.TEXT,
      arrays.VARCHAR,
      arrays.BPCHAR,
      arrays.UUID,
      arrays.INET,
      arrays.CIDR,
      arrays.MACADDR,
      arrays.MONEY,
    ],
    ...[arrays.NUMRANGE, arrays.REGPROC, arrays.TIME, arrays.TIMETZ],
  ], [
    "{}",
    "{a,b}",
    '{"a b",NULL,"NULL",""}',
    '{"a\\"b","c\\\\d","{,}"}',
    '{{"x,y",z},{NULL,"é\u{1f418}"}}',
    '[2:3]={"]=",b}',
    "{null,nulls}",
  ]],
  ["arrays of bytea", [arrays.BYTEA], ["{}", '{"\\\\xdead","\\\\x",NULL}']],
  ["arrays of json", [arrays.JSON, arrays.JSONB], ["{}", '{"{\\"a\\": \\"b\\\\\\\\c\\"}",1,NULL,null,"[1, 2]"}']],
  ["arrays of dates", [arrays.DATE, arrays.TIMESTAMP, arrays.TIMESTAMPTZ], [
    ...[
      "{}",
      "{2025-01-31,infinity,NULL}",
      '{"2025-01-31 12:00:00.5","2025-07-01 00:00:00+05:30"}',
      '{"0044-03-15 BC"}',
    ],
  ]],
  ["arrays of intervals", [arrays.INTERVAL], ["{}", '{"1 day 02:00:00",00:00:01,NULL}']],
  ["arrays of points", [arrays.POINT], ["{}", '{"(1,2)","(3.5,-4)",NULL}']],
];

for (const [name, oids, texts] of cases) {
  test(`text of ${name} is decoded as node-postgres does`, () => {
    for (const oid of oids) {
      for (const text of texts) assertAsOracle(oid, text);
    }
  });
}

test("every type that pg-types knows is among these cases", () => {
  const covered = new Set(cases.flatMap(([, oids]) => oids));
  const parser = (oid: number): unknown => pgTypes.getTypeParser(oid, "text");
  for (let oid = 0; oid < 10_000; oid++) {
    if (parser(oid) !== parser(99_999)) assert.ok(covered.has(oid), `type ${oid}`);
  }
});

const digits = (length: number, max = 10 ** length - 1) =>
  fc.integer({ min: 0, max }).map((value) => String(value).padStart(length, "0"));
const fraction = fc.oneof(
  fc.constant(""),
  fc.integer({ min: 1, max: 999_999 }).map((micros) => `.${String(micros).padStart(6, "0").replace(/0+$/, "")}`),
);
const month = fc.integer({ min: 1, max: 12 }).map((value) => String(value).padStart(2, "0"));
const day = fc.integer({ min: 1, max: 28 }).map((value) => String(value).padStart(2, "0"));
const year = fc.oneof(
  digits(4).filter((text) => text !== "0000"),
  digits(4, 120).filter((text) => text !== "0000"),
  fc.integer({ min: 10_000, max: 280_000 }).map(String),
);
const era = fc.constantFrom("", "", "", " BC");
const zone = fc.oneof(
  fc.tuple(fc.constantFrom("+", "-"), digits(2, 15)).map((parts) => parts.join("")),
  fc.tuple(fc.constantFrom("+", "-"), digits(2, 15), fc.constant(":"), digits(2, 59)).map((parts) => parts.join("")),
  fc.tuple(fc.constantFrom("+", "-"), digits(2, 15), fc.constant(":"), digits(2, 59), fc.constant(":"), digits(2, 59))
    .map((parts) => parts.join("")),
);
const calendarDay = fc.tuple(year, month, day).map((parts) => parts.join("-"));
const clock = fc.tuple(digits(2, 23), digits(2, 59), digits(2, 59)).map((parts) => parts.join(":"));
const double = fc.oneof(fc.double(), fc.integer({ min: -1_000_000, max: 1_000_000 }).map((value) => value / 1000));
/** As the server writes a float. */
const floatText = double.map((value) => Object.is(value, -0) ? "-0" : String(value));
const intervalText = fc.tuple(
  fc.option(fc.integer({ min: -9999, max: 9999 }).map((value) => `${value} years`), { nil: "" }),
  fc.option(fc.integer({ min: -11, max: 11 }).map((value) => `${value} mons`), { nil: "" }),
  fc.option(fc.integer({ min: -99_999, max: 99_999 }).map((value) => `+${value} days`.replace("+-", "-")), { nil: "" }),
  fc.option(fc.tuple(fc.constantFrom("", "-", "+"), clock, fraction).map((parts) => parts.join("")), { nil: "" }),
).map((parts) => parts.filter((part) => part !== "").join(" "));

const properties: readonly (readonly [name: string, oid: number, texts: fc.Arbitrary<string>])[] = [
  ["integers", INT4, fc.oneof(fc.integer(), fc.maxSafeInteger()).map(String)],
  ["floats", FLOAT8, floatText],
  [
    "decimal fractions of any length",
    FLOAT8,
    fc.tuple(fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n }), fc.nat(24)).map(
      ([value, places]) => `${value}.${"0".repeat(places)}${places}`,
    ),
  ],
  ["dates", DATE, fc.tuple(calendarDay, era).map((parts) => parts.join(""))],
  [
    "timestamps",
    TIMESTAMP,
    fc.tuple(calendarDay, fc.constant(" "), clock, fraction, era).map((parts) => parts.join("")),
  ],
  [
    "timestamps with time zone",
    TIMESTAMPTZ,
    fc.tuple(calendarDay, fc.constant(" "), clock, fraction, zone, era).map(
      (parts) => parts.join(""),
    ),
  ],
  ["intervals", INTERVAL, intervalText],
  ["points", POINT, fc.tuple(floatText, floatText).map(([x, y]) => `(${x},${y})`)],
  ["circles", CIRCLE, fc.tuple(floatText, floatText, floatText).map(([x, y, radius]) => `<(${x},${y}),${radius}>`)],
  [
    "bytea",
    BYTEA,
    fc.uint8Array().map((bytes) => `\\x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`),
  ],
  ["json", JSONB, fc.json()],
];

for (const [name, oid, texts] of properties) {
  test(`whatever the text of ${name}, it is decoded as node-postgres does`, () => {
    fc.assert(fc.property(texts, (text) => assertAsOracle(oid, text)), { numRuns: 500 });
  });
}

/** An array literal as the server writes it. */
function literal(value: unknown): string {
  if (value === null) return "NULL";
  if (Array.isArray(value)) return `{${value.map(literal).join(",")}}`;
  const text = String(value);
  return /^$|^null$|[\s"\\{},]/i.test(text) ? `"${text.replace(/["\\]/g, "\\$&")}"` : text;
}

test("an array of any strings, in one dimension or two, comes back as it was", () => {
  const element = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.constantFrom(null, "NULL", "", '"', "\\", "{}", ",", "é"),
  );
  const rows = fc.oneof(fc.array(element), fc.array(fc.array(element, { minLength: 1 }), { minLength: 1 }));
  fc.assert(fc.property(rows, (value) => {
    const text = literal(value);
    assert.deepEqual(decodeText(types.decoder(arrays.TEXT, 0), text), value);
    assertAsOracle(arrays.TEXT, text);
  }));
});

test("a text of any length is decoded, wherever its characters are not ASCII", () => {
  const ascii = "The quick brown fox jumps.";
  for (let length = 0; length <= ascii.length; length++) {
    const text = ascii.slice(0, length);
    assert.equal(decodeText(types.decoder(TEXT, 0), text), text);
    for (let at = 0; at <= length; at++) {
      const mixed = `${text.slice(0, at)}\u{1f418}${text.slice(at)}`;
      assert.equal(decodeText(types.decoder(TEXT, 0), mixed), mixed);
    }
  }
});

test("a long bytea, which a native decoder may take, is decoded as a short one is", () => {
  const bytes = Uint8Array.from({ length: 4096 }, (_, at) => at * 7);
  const digits = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  assertAsOracle(BYTEA, `\\x${digits}`);
  assert.deepEqual(comparable(decodeInside(decodeHexDigits, new TextEncoder().encode(digits))), {
    bytes: Array.from(bytes),
    class: "Buffer" in globalThis ? "Buffer" : "Uint8Array",
  });
  for (const wrong of [`${digits}0`, `${digits}zz`, `zz${digits}`, `${digits} 0`]) {
    assert.throws(() => decodeText(types.decoder(BYTEA, 0), `\\x${wrong}`), { code: "VALUE_MALFORMED" });
  }
});

test("text that its type cannot have is refused, not guessed at", () => {
  const malformed: readonly (readonly [number, string])[] = [
    ...["a,b", "{a", "{", '{"a', '{"a\\', "{{a}", "[1:2", "[1:2]=", "{".repeat(8) + "}".repeat(8)]
      .map((text) => [arrays.TEXT, text] as const),
    ...["\\xabc", "\\xzz", "\\1", "\\", "a\\8xx"].map((text) => [BYTEA, text] as const),
    ...["", "{", "undefined"].map((text) => [JSONB, text] as const),
  ];
  for (const [oid, text] of malformed) {
    assert.throws(
      () => decodeText(types.decoder(oid, 0), text),
      { name: "ProtocolError", code: "VALUE_MALFORMED" },
      `type ${oid}, ${text}`,
    );
  }
});

test("no bytes at all make a decoder of text do anything but return or raise VALUE_MALFORMED", () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.string({ maxLength: 40 }).map((text) => new TextEncoder().encode(text)),
  );
  const oids = cases.flatMap(([, oids]) => oids);
  fc.assert(
    fc.property(fc.constantFrom(...oids), bytes, (oid, bytes) => {
      try {
        types.decoder(oid, 0)(bytes, 0, bytes.length);
      } catch (error) {
        assert.equal((error as { code?: string }).code, "VALUE_MALFORMED", String(error));
      }
    }),
    { numRuns: 3000 },
  );
});
