import assert from "node:assert/strict";
import { test } from "node:test";
import { beginsWithCopy } from "../../src/session/copy_text.ts";

const cases: readonly (readonly [text: string, expected: boolean])[] = [
  ["copy t from stdin", true],
  ["COPY t TO STDOUT", true],
  ["CoPy\tt from stdin", true],
  ["copy(select 1) to stdout", true],
  ["\n  \t copy t from stdin", true],
  ["-- why\ncopy t from stdin", true],
  ["-- why\r\n-- and why not\r\n copy t from stdin", true],
  ["--\ncopy t from stdin", true],
  ["/* why */copy t from stdin", true],
  ["/* a /* nested */ one */ copy t from stdin", true],
  ["/***/ /* ** / */ copy t from stdin", true],
  [";; ; copy t from stdin", true],
  ["", false],
  ["--", false],
  ["-- copy t from stdin", false],
  ["/* copy t from stdin */", false],
  ["/* never ended copy t from stdin", false],
  ["/* /* ended once */ copy t from stdin", false],
  ["/*/ copy t from stdin", false],
  ["copying", false],
  ["copy_t", false],
  ["select 1; copy t from stdin", false],
  ["select 'copy'", false],
  ["- copy", false],
  ["/ copy", false],
];

test("a text begins with COPY behind white space, comments and empty statements alone", () => {
  for (const [text, expected] of cases) assert.equal(beginsWithCopy(text), expected, JSON.stringify(text));
});

test("long beginnings cost neither stack nor patience", () => {
  const long = 1_000_000;
  for (
    const beginning of [" ".repeat(long), "-- x\n".repeat(long / 5), "/* */".repeat(long / 5), "/*".repeat(long / 2)]
  ) {
    beginsWithCopy(beginning + "x");
  }
  assert.ok(beginsWithCopy(`${" ".repeat(long)}/*${" ".repeat(long)}*/ copy t from stdin`));
});
