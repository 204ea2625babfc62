import assert from "node:assert/strict";
import { after, test } from "node:test";
import { typesWith, type ValueTypes } from "../../mod.ts";
import { connectClient } from "../fixtures/clients.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
after(() => client.end());

/** Notes what it was asked to make, as a polyfill would be. */
const noted = (name: string) => ({ from: (text: string) => `${name} ${text}` });
const temporal = {
  PlainDate: noted("PlainDate"),
  PlainTime: noted("PlainTime"),
  PlainDateTime: noted("PlainDateTime"),
  Instant: noted("Instant"),
};

const BIG = "9007199254740993";
const cases: readonly (readonly [ValueTypes, string, unknown, unknown?])[] = [
  [{ int8: "bigint" }, `${BIG}::int8`, 9007199254740993n],
  [{ int8: "bigint" }, "array[-1, null]::int8[]", [-1n, null]],
  [{ int8: "number" }, "array[[1], [-9007199254740991]]::int8[]", [[1], [-9007199254740991]]],
  [{ int8: "string" }, "array[1]::int8[]", ["1"]],
  [{ numeric: "number" }, "1.50::numeric", 1.5],
  [{ numeric: "string" }, "array[1.50]::numeric[]", ["1.50"]],
  [{ dates: "temporal", temporal }, "date '2024-02-29'", "PlainDate 2024-02-29"],
  [{ dates: "temporal", temporal }, "date '0044-03-15 BC'", "PlainDate -000043-03-15"],
  [{ dates: "temporal", temporal }, "date '12024-01-01'", "PlainDate +012024-01-01"],
  [{ dates: "temporal", temporal }, "array[date 'infinity', '-infinity', null]", [Infinity, -Infinity, null]],
  [{ dates: "temporal", temporal }, "timestamp 'infinity'", Infinity],
  [
    { dates: "temporal", temporal },
    "timestamp '1969-07-20 20:17:40.123456'",
    "PlainDateTime 1969-07-20T20:17:40.123456",
  ],
  [
    { dates: "temporal", temporal },
    "timestamptz '2024-02-29 12:00:00.000001+00'",
    "Instant 2024-02-29T12:00:00.000001+00",
    "Instant 2024-02-29T12:00:00.000001Z",
  ],
  [{ dates: "temporal", temporal }, "time '23:59:59.999999'", "PlainTime 23:59:59.999999"],
  [{ dates: "temporal", temporal }, "time '24:00:00'", "PlainTime 23:59:59.999999"],
];

for (const [wanted, expression, expected, expectedBinary = expected] of cases) {
  const { temporal: _, ...shown } = wanted;
  test(`${JSON.stringify(shown)} gives ${expression} as ${String(expected)}, in text and in binary`, async () => {
    const types = typesWith(wanted);
    for (const binary of [false, true]) {
      const { rows } = await client.query({ text: `select ${expression} as value`, types, binary });
      assert.deepEqual(rows[0].value, binary ? expectedBinary : expected);
    }
  });
}

test("dates may be their text", async () => {
  const types = typesWith({ dates: "string" });
  const text = "select date '2024-02-29' as date, array[timestamp '2024-02-29 12:00:00.000001'] as times";
  const { rows } = await client.query({ text, types });
  assert.deepEqual(rows[0], { date: "2024-02-29", times: ["2024-02-29 12:00:00.000001"] });
});

test("an int8 that no number holds exactly is refused rather than rounded", async () => {
  const types = typesWith({ int8: "number" });
  for (const binary of [false, true]) {
    await assert.rejects(client.query({ text: `select ${BIG}::int8`, types, binary }), { code: "VALUE_MALFORMED" });
  }
});

test("what is not named is as it was, and the rest of a client's parsers, too", async () => {
  await using own = await connectClient(postgres, { types: typesWith({ int8: "bigint" }) });
  own.setTypeParser(23, (text) => `#${text}`);
  const { rows } = await own.query("select 1::int8 as big, 2 as int, 1.50 as numeric");
  assert.deepEqual(rows[0], { big: 1n, int: "#2", numeric: "1.50" });
});

const skip = "Temporal" in globalThis ? false : "this runtime has no Temporal";

test("the runtime's own Temporal takes all that the server gives", { skip }, async () => {
  const types = typesWith({ dates: "temporal" });
  const text = "select date '0044-03-15 BC' as d, time '12:30' as t, timestamp '2024-02-29 12:00:00.000001' as ts, " +
    "timestamptz '2024-02-29 12:00:00.5+05:30' as tstz";
  for (const binary of [false, true]) {
    const { rows: [{ d, t, ts, tstz }] } = await client.query({ text, types, binary });
    assert.deepEqual([d, t, ts, tstz].map(String), [
      "-000043-03-15",
      "12:30:00",
      "2024-02-29T12:00:00.000001",
      "2024-02-29T06:30:00.5Z",
    ]);
  }
});

test("refused: choices that there are not, and Temporal where there is none", () => {
  for (const wanted of [{ int8: "float" }, { numeric: "bigint" }, { dates: "moment" }]) {
    assert.throws(() => typesWith(wanted as ValueTypes), { code: "TYPES_UNKNOWN" });
  }
  if (!skip) return;
  assert.throws(() => typesWith({ dates: "temporal" }), { code: "TYPES_TEMPORAL" });
});
