import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { sql } from "../../mod.ts";
import { SqlFragment } from "../../src/client/sql.ts";

const minimum = sql`price >= ${10}`;
const cases: readonly (readonly [string, SqlFragment, string, unknown[]])[] = [
  ["text alone", sql`select 1`, "select 1", []],
  ["values", sql`select ${1}, ${"two"}, ${null}, ${undefined}`, "select $1, $2, $3, $4", [1, "two", null, undefined]],
  ["a value at each end", sql`${1} + ${2}`, "$1 + $2", [1, 2]],
  ["a value that looks like SQL", sql`select ${"1; drop table x"}`, "select $1", ["1; drop table x"]],
  ["an array, which is one value", sql`= any(${[1, 2]})`, "= any($1)", [[1, 2]]],
  ["a fragment", sql`select * from p where ${minimum}`, "select * from p where price >= $1", [10]],
  [
    "fragments between values",
    sql`a = ${1} and ${minimum} and b = ${2} and ${minimum}`,
    "a = $1 and price >= $2 and b = $3 and price >= $4",
    [1, 10, 2, 10],
  ],
  ["fragments in fragments", sql`(${sql`(${sql`${1}`}, ${2})`})`, "(($1, $2))", [1, 2]],
  ["nothing", sql`a ${sql.empty} b`, "a  b", []],
  ["a name", sql`select ${sql.identifier("a b")}`, 'select "a b"', []],
  ["names with dots and quotes", sql`${sql.identifier("s", 't"."u')}`, '"s"."t"".""u"', []],
  ["values joined", sql`in (${sql.join([1, 2, 3])})`, "in ($1, $2, $3)", [1, 2, 3]],
  ["fragments joined", sql.join([sql`a = ${1}`, sql`b = ${2}`], sql` and `), "a = $1 and b = $2", [1, 2]],
  ["a separator with a value", sql.join([1, 2], sql` + ${0} + `), "$1 + $2 + $3", [1, 0, 2]],
  ["one joined", sql.join(new Set([1])), "$1", [1]],
  ["none joined", sql.join([]), "", []],
  [
    "rows",
    sql`values ${sql.join([[1, "a"], [2, "b"]].map((row) => sql`(${sql.join(row)})`))}`,
    "values ($1, $2), ($3, $4)",
    [
      1,
      "a",
      2,
      "b",
    ],
  ],
];

for (const [what, fragment, text, values] of cases) {
  test(`composed: ${what}`, () => {
    assert.equal(fragment.text, text);
    assert.deepEqual(fragment.values, values);
    assert.deepEqual({ ...fragment }, { text, values });
  });
}

test("what is no fragment is a value, whatever it looks like", () => {
  const real = sql`drop table people`;
  const forgeries: unknown[] = [
    { text: "drop table people", values: [] },
    JSON.parse(JSON.stringify(real)),
    { ...real },
    Object.create(SqlFragment.prototype),
    Object.create(real),
    Object.assign(Object.create(SqlFragment.prototype), real),
    new Proxy(real, {}),
    structuredClone({ ...real }),
    JSON.parse('{"raw": ["drop table people"], "0": "drop table people", "length": 1}'),
  ];
  for (const forgery of forgeries) {
    const { text, values } = sql`select ${forgery}`;
    assert.equal(text, "select $1");
    assert.equal(values[0], forgery);
    assert.equal(SqlFragment.is(forgery), false);
  }
  assert.equal(SqlFragment.is(real), true);
});

test("no value becomes SQL, whatever it is and wherever it stands", () => {
  const shape = fc.array(fc.oneof(fc.anything(), fc.string()), { maxLength: 6 });
  fc.assert(fc.property(shape, (values) => {
    const joined = sql`select ${sql.join(values)} where ${sql.join(values, sql` or `)}`;
    assert.match(joined.text, /^select (?:\$\d+(?:, )?)* where (?:\$\d+(?: or )?)*$/);
    assert.equal(joined.values.length, values.length * 2);
  }));
});

test("a name is always one quoted name", () => {
  fc.assert(fc.property(fc.string({ minLength: 1 }).filter((name) => !name.includes("\0")), (name) => {
    const { text } = sql.identifier(name);
    assert.match(text, /^"(?:[^"]|"")+"$/);
    assert.equal(text.slice(1, -1).replaceAll('""', '"'), name);
  }));
});

const refused: readonly (readonly [string, () => unknown, string])[] = [
  ["a text", () => sql("drop table people" as never), "SQL_TEMPLATE"],
  ["an array of texts", () => sql(["drop table people"] as never), "SQL_TEMPLATE"],
  ["what JSON makes of a template", () => sql(JSON.parse('{"0":"x","length":1,"raw":["x"]}') as never), "SQL_TEMPLATE"],
  ["fewer values than gaps", () => sql(Object.assign(["a", "b"], { raw: ["a", "b"] }) as never), "SQL_TEMPLATE"],
  ["an invalid escape", () => sql`\unicode`, "SQL_TEMPLATE"],
  ["no name", () => sql.identifier(), "SQL_IDENTIFIER"],
  ["an empty name", () => sql.identifier("a", ""), "SQL_IDENTIFIER"],
  ["a name with NUL", () => sql.identifier("a\0"), "SQL_IDENTIFIER"],
  ["a name that is no string", () => sql.identifier(["a"] as never), "SQL_IDENTIFIER"],
  ["a separator that is text", () => sql.join([1, 2], " or " as never), "SQL_SEPARATOR"],
];

for (const [what, make, code] of refused) test(`refused: ${what}`, () => assert.throws(make, { code }));
