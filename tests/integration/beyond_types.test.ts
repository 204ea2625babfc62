import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { Range, types } from "../../mod.ts";
import { connectClient } from "../fixtures/clients.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
/** The superuser may create schemas. */
const connect = () => connectClient(postgres, {}, "postgres");
const client = await connect();
const schema = `beyond_types_${process.pid}_${Date.now()}`;
await client.query(`
  create schema ${schema};
  set search_path to ${schema}, public;
  create type mood as enum ('sad', 'so "so"', 'happy, very');
  create domain even as int check (value % 2 = 0);
  create type place as (name text, at point, mood mood, "__proto__" int);
  create type trip as (start place, stops place[], evens even[]);
  create type textrange as range (subtype = text, collation = "C", multirange_type_name = textranges);
  create type nothing as ();
  create table people (id int8, name text, gone int, born date);
  alter table people drop column gone;`);
await client.loadTypes();
after(async () => {
  await client.query(`drop schema ${schema} cascade`);
  await client.end();
});

const place = `row('a "quoted", (name) \\ ', point(1, 2), 'so "so"', 7)::place`;
const placeValue = Object.fromEntries<unknown>([
  ["name", 'a "quoted", (name) \\ '],
  ["at", { x: 1, y: 2 }],
  ["mood", 'so "so"'],
  ["__proto__", 7],
]);
const noPlace = Object.fromEntries(Object.keys(placeValue).map((name) => [name, null]));

const values: readonly (readonly [string, unknown])[] = [
  ["'happy, very'::mood", "happy, very"],
  ["array['sad', null, 'so \"so\"']::mood[]", ["sad", null, 'so "so"']],
  ["4::even", 4],
  ["array[[2, 4], [6, 8]]::even[]", [[2, 4], [6, 8]]],
  [place, placeValue],
  ["null::place", null],
  ["row(null, null, null, null)::place", noPlace],
  ["row()::nothing", {}],
  ["row('', null, null, null)::place", { ...noPlace, name: "" }],
  [`array[${place}, null]`, [placeValue, null]],
  [`row(${place}, array[${place}], array[2, 4])::trip`, { start: placeValue, stops: [placeValue], evens: [2, 4] }],
  ["row(1, 'Ada', '1815-12-10')::people", { id: "1", name: "Ada", born: new Date(1815, 11, 10) }],
  ["int4range(1, 5)", new Range(1, 5)],
  ["int4range(1, 5, '[]')", new Range(1, 6)],
  ["int8range(null, 5)", new Range(null, "5")],
  ["numrange(1.5, null, '(]')", new Range("1.5", null, { lowerInclusive: false })],
  ["int4range(1, 1)", new Range(null, null, { empty: true })],
  ["'(,)'::daterange", new Range(null, null)],
  ["daterange('2026-01-01', '2026-02-01')", new Range(new Date(2026, 0, 1), new Date(2026, 1, 1))],
  ["textrange('a \"b', 'b,\\c]', '[]')", new Range('a "b', "b,\\c]", { upperInclusive: true })],
  ["array[int4range(1, 2), null]", [new Range(1, 2), null]],
  ["array[numrange(1, 2)]", [new Range("1", "2")]],
  ["int4multirange(int4range(1, 2), int4range(5, 7))", [new Range(1, 2), new Range(5, 7)]],
  ["'{}'::int4multirange", []],
  ["textranges(textrange('a', 'b),('), textrange('c', '}'))", [new Range("a", "b),("), new Range("c", "}")]],
];

for (const binary of [false, true]) {
  for (const [expression, expected] of values) {
    test(`${binary ? "binary" : "text"}: ${expression}`, async () => {
      const { rows } = await client.query({ text: `select ${expression} as value`, binary });
      assert.deepEqual(rows[0].value, expected);
    });
  }
}

test("a range may be given as a parameter, and comes back as it was", async () => {
  const ranges: readonly (readonly [string, Range<unknown>])[] = [
    ["int4range", new Range(1, 5)],
    ["textrange", new Range('a "b\\', "c,d]", { lowerInclusive: false, upperInclusive: true })],
    ["tstzrange", new Range(new Date(0), null)],
    ["int4range", new Range(null, null, { empty: true })],
  ];
  for (const [type, range] of ranges) {
    const { rows } = await client.query(`select $1::${type} as range`, [range]);
    assert.deepEqual(rows[0].range, range);
  }
});

test("without loading types they are strings, as in node-postgres", async () => {
  await using plain = await connect();
  const { rows } = await plain.query(`select int4range(1, 5) as range, array['sad']::${schema}.mood[] as moods`);
  assert.deepEqual(rows, [{ range: "[1,5)", moods: "{sad}" }]);
});

test("a parser that somebody registered is kept, and obeyed within other types", async () => {
  await using own = await connect();
  const { rows: [{ range, int4 }] } = await own.query(
    "select 'int4range'::regtype::oid as range, 'int4'::regtype::oid as int4",
  );
  own.setTypeParser(range, (text) => `<${text}>`);
  await own.loadTypes();
  await own.loadTypes();
  own.setTypeParser(int4, (text) => `#${text}`);
  const { rows } = await own.query(`select int4range(1, 5) as range, array[2, 4]::${schema}.even[] as evens`);
  assert.deepEqual(rows, [{ range: "<[1,5)>", evens: ["#2", "#4"] }]);
  assert.equal(types.getTypeParser(range)("[1,5)"), "[1,5)");
});

test("hstore is an object", async (context) => {
  const { rows: [{ available }] } = await client.query(
    "select count(*)::int as available from pg_available_extensions where name = 'hstore'",
  );
  if (available === 0) return context.skip("this PostgreSQL comes without hstore");
  await client.query("create extension if not exists hstore");
  await client.loadTypes();
  const expected = { a: "1", b: null, 'q"\\': "x, y=>z", "": "" };
  for (const binary of [false, true]) {
    const text = `select $1::hstore as value, array['a=>1'::hstore] as values`;
    const { rows } = await client.query({ text, binary, values: ['a=>1, b=>NULL, "q\\"\\\\"=>"x, y=>z", ""=>""'] });
    assert.deepEqual(rows[0], { value: expected, values: [{ a: "1" }] });
  }
});
