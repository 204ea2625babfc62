import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import pgTypes from "pg-types";
import { encodeParameter } from "../../src/types/parameters.ts";
import { types } from "../../src/types/registry.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { comparable, decodeInside, decodeText } from "../unit/types_comparable.ts";

// node-postgres is only the courier here: it hands out the server's bytes as they came.
const raw = { getTypeParser: () => (value: unknown) => value };
const { postgres } = await servers();
const client = new pg.Client({ connectionString: connectionUrl(postgres, "scram_user") });
await client.connect();
after(() => client.end());

interface Value {
  readonly oid: number;
  /** As the server sends it in text. */
  readonly text: string;
  /** As the server sends it in binary. */
  readonly binary: Uint8Array;
}

async function ask(expression: string): Promise<Value> {
  const { rows: [{ typsend }] } = await client.query(
    `SELECT typsend::text FROM pg_type WHERE oid = pg_typeof(${expression})`,
  );
  const { fields, rows } = await client.query({
    text: `SELECT value, encode(${typsend}(value), 'hex') FROM (SELECT ${expression} AS value) AS one`,
    rowMode: "array",
    types: raw,
  });
  const [text, hex] = rows[0] as [string, string];
  const binary = Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
  return { oid: fields[0].dataTypeID, text, binary };
}

const float4s = Array.from({ length: 254 }, (_, at) => `'${2 ** (at - 126)}'::float4`);

const expressions: readonly (readonly [type: string, expressions: readonly string[]])[] = [
  ["bool", ["true", "false"]],
  ["int2", ["32767::int2", "(-32768)::int2"]],
  ["int4", ["2147483647", "-2147483648"]],
  ["oid", ["4294967295::oid"]],
  ["int8", ["0::int8", "9223372036854775807", "'-9223372036854775808'::int8", "9007199254740993"]],
  ["float4", [
    ...["0.1", "-0", "NaN", "Infinity", "1e-45", "3.4028235e38", "16777217", "1234567.9"].map((x) => `'${x}'::float4`),
    ...float4s,
  ]],
  [
    "float8",
    ["0.1", "-0", "NaN", "-Infinity", "5e-324", "1.7976931348623157e308", "123456789012345678"].map((x) =>
      `'${x}'::float8`
    ),
  ],
  [
    "numeric",
    ["0", "0.00", "12345.6789", "-0.0001", "1e30", "1e-30", "100000000", "NaN", "Infinity", "-Infinity", "9999.9999"]
      .map((x) => `'${x}'::numeric`),
  ],
  ["text", ["''::text", "'héllo'::text", "'a'::varchar", "'a'::char(3)", "'a'::name"]],
  ["bytea", ["'\\x'::bytea", "'\\x00ff5c27'::bytea"]],
  ["uuid", ["'01234567-89ab-cdef-fedc-ba9876543210'::uuid"]],
  ["json", ['\'{"a": [1, null, "é"]}\'::json', '\'{"a": [1, null, "é"]}\'::jsonb']],
  [
    "date",
    ["2025-02-01", "1999-12-31", "0099-12-31", "0001-02-28 BC", "0044-03-15 BC", "20000-01-01", "infinity", "-infinity"]
      .map((x) => `'${x}'::date`),
  ],
  [
    "timestamp",
    [
      ...[
        "2025-01-31 23:59:59.123456",
        "1999-12-31 23:59:59.999999",
        "0044-03-15 12:00:00.5 BC",
        "0099-01-01 00:00:00",
        "infinity",
      ],
      ...["2025-03-09 02:30:00", "2025-11-02 01:30:00", "9999-12-31 23:59:59.999999", "1700-01-01 00:00:00.000999"],
    ].map((x) => `'${x}'::timestamp`),
  ],
  [
    "timestamptz",
    [
      ...["2025-01-31 23:59:59.123456+00", "1999-12-31 23:59:59.999999+00", "0044-03-15 12:00:00.5+00 BC", "-infinity"],
      ...["1800-01-01 00:00:00+00", "0099-06-01 00:00:00+00", "9999-12-31 23:59:59.999999-12"],
    ].map((x) => `'${x}'::timestamptz`),
  ],
  [
    "interval",
    [
      ...[
        "0",
        "1 year 2 mons 3 days 04:05:06.789",
        "-1 year -2 mons +3 days -04:05:06.789123",
        "1 mon",
        "-00:00:00.000001",
        "400:00:00",
      ],
      ...["2562047788 hours 54.775807 seconds", "-11 mons", "13 mons -1 day"],
    ].map((x) => `'${x}'::interval`),
  ],
  ["point and circle", ["'(1.5,-2.25)'::point", "'<(1,2),0.5>'::circle", "'(1e300,-1e-300)'::point"]],
  ["arrays", [
    ...[
      "ARRAY[true,false,NULL]",
      "ARRAY[1,2,NULL]::int2[]",
      "ARRAY[[1,2],[3,4]]",
      "'{}'::int4[]",
      "ARRAY[1,NULL]::int8[]",
    ],
    ...["ARRAY[1,2]::oid[]", "ARRAY[0.1,NULL]::float4[]", "ARRAY[0.1,'NaN']::float8[]", "ARRAY[0.10,NULL,12345.678]"],
    ...[
      "ARRAY['a b','','NULL',NULL,'q\"\\,{}','é']",
      "ARRAY['a']::varchar[]",
      "ARRAY['a']::char(2)[]",
      "'[0:1]={a,b}'::text[]",
    ],
    ...[
      "ARRAY['\\x00ff'::bytea,NULL,'']",
      "ARRAY['{\"a\": \"b\\\\\"}'::json,'[1, 2]']",
      "ARRAY['{\"a\": \"b\\\\\"}'::jsonb,'1']",
    ],
    ...["ARRAY[gen_random_uuid()]", "ARRAY['2025-01-31'::date,NULL]", "ARRAY['2025-01-31 12:00:00.5'::timestamp]"],
    ...[
      "ARRAY['2025-01-31 12:00:00.5'::timestamptz,'infinity']",
      "ARRAY['1 day 00:00:01'::interval]",
      "ARRAY['(1,2)'::point]",
    ],
  ]],
];

for (const [name, sql] of expressions) {
  test(`${name}: the server's text is decoded as node-postgres does, and its binary to the same`, async () => {
    for (const expression of sql) {
      const { oid, text, binary } = await ask(expression);
      assert.ok(types.prefersBinary(oid), `${expression} has a binary decoder`);
      const decoded = comparable(decodeText(types.decoder(oid, 0), text));
      assert.deepEqual(decoded, comparable(pgTypes.getTypeParser(oid, "text")(text)), expression);
      assert.deepEqual(comparable(decodeInside(types.decoder(oid, 1), binary)), decoded, expression);
    }
  });
}

test("what stays a string is the server's text", async () => {
  for (
    const expression of [
      "'[1,5)'::int4range",
      "'10.0.0.0/8'::inet",
      "'12:00'::time",
      "'1'::bit",
      "'{a}'::name[]",
      "'a'::xml",
    ]
  ) {
    const { oid, text } = await ask(expression);
    assert.equal(decodeText(types.decoder(oid, 0), text), text, expression);
  }
});

test("intervals, dates and arrays that were decoded go back as parameters to the same values", async () => {
  const roundTrips = [
    "'1 year 2 mons -3 days 04:05:06.789'::interval",
    "'-00:00:00.5'::interval",
    "'2025-07-31 23:59:59.123+05:30'::timestamptz",
    "'0044-03-15 12:00:00+00 BC'::timestamptz",
    "ARRAY['a b','','NULL',NULL,'q\"\\,{}','é']",
    "ARRAY[[1.5,2],[3,4]]::float8[]",
    "ARRAY['\\x00ff'::bytea,NULL]",
    "ARRAY['2025-01-31 12:00:00.5'::timestamptz,NULL]",
    'ARRAY[\'{"a": "b\\\\"}\'::jsonb]',
    "'\\x00ff5c'::bytea",
  ];
  for (const expression of roundTrips) {
    const { oid, text } = await ask(expression);
    const decoded = decodeText(types.decoder(oid, 0), text);
    // In local time an ancient Date loses the seconds of its zone's offset, in node-postgres too.
    for (const datesAsUTC of expression.includes("BC") ? [true] : [false, true]) {
      const { rows } = await client.query({
        text: `SELECT ${expression} IS NOT DISTINCT FROM $1`,
        values: [encodeParameter(decoded, { datesAsUTC })],
        rowMode: "array",
      });
      assert.equal(rows[0][0], true, expression);
    }
  }
});
