import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { saslprep as mongodbSaslprep } from "@mongodb-js/saslprep";
import fc from "fast-check";
import { saslprep } from "../../src/auth/saslprep.ts";
import { saslprepTablesSource } from "../../scripts/saslprep_tables.ts";
import { projectRoot } from "../fixtures/project.ts";
import { saslprepCases } from "../fixtures/saslprep_cases.ts";

// RFC 4013 §3; what is refused there comes back as it is here.
const examples: [input: string, output: string, why: string][] = [
  ["I\u00adX", "IX", "SOFT HYPHEN mapped to nothing"],
  ["user", "user", "no transformation"],
  ["USER", "USER", "case preserved"],
  ["\u00aa", "a", "output is NFKC, input in ISO 8859-1"],
  ["\u2168", "IX", "output is NFKC"],
  ["\u0007", "\u0007", "prohibited character"],
  ["\u0627\u0031", "\u0627\u0031", "bidirectional check"],
];

test("passwords are prepared as in the examples of RFC 4013", () => {
  for (const [input, output, why] of examples) assert.equal(saslprep(input), output, why);
});

test("passwords are prepared as PostgreSQL does", () => {
  for (const [input, output, why] of saslprepCases) assert.equal(saslprep(input), output, why);
});

test("a lone surrogate is prohibited", () => {
  assert.equal(saslprep("\ud800\u00aa"), "\ud800\u00aa");
});

// RFC 4013 looks for what is prohibited after NFKC, and PostgreSQL before it: in what is NFKC already there is no before.
test("every code point that is its own NFKC form is kept or refused as by an implementation of RFC 4013", () => {
  const different: string[] = [];
  for (let codePoint = 0x80; codePoint <= 0x10ffff; codePoint += codePoint < 0x30000 ? 1 : 0xfff) {
    const text = String.fromCodePoint(codePoint).normalize("NFKC");
    // Beside "a" what runs right to left is refused.
    for (const input of [text, `a${text}`]) {
      if (saslprep(input) !== rfc4013(input)) different.push(codePoint.toString(16));
    }
  }
  assert.deepEqual(different, []);
});

test("any text in NFKC is prepared as by an implementation of RFC 4013", () => {
  const blocks = [[0x20, 0x7e], [0xa0, 0x24f], [0x300, 0x33f], [0x5d0, 0x5ea], [0x621, 0x64a], [0x2000, 0x218f]];
  const character = fc.oneof(
    ...blocks.map(([min, max]) => fc.integer({ min, max }).map((n) => String.fromCodePoint(n))),
  );
  fc.assert(fc.property(fc.string({ unit: character, maxLength: 6 }), (text) => {
    const input = text.normalize("NFKC");
    assert.equal(saslprep(input), rfc4013(input));
  }));
});

test("the tables are what their script writes", async () => {
  const committed = await readFile(join(projectRoot(), "src/auth/saslprep_tables.ts"), "utf8");
  assert.equal(committed, saslprepTablesSource());
});

/** RFC 4013, with PostgreSQL's two rules on top: ASCII is left alone, and what is refused stays as it is. */
function rfc4013(text: string): string {
  // deno-lint-ignore no-control-regex -- all of ASCII
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  try {
    return mongodbSaslprep(text) || text;
  } catch {
    return text;
  }
}
