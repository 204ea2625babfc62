import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compilePattern } from "../../src/proxy/pattern.ts";

test("a pattern matches the whole text or not at all, in either case", () => {
  const cases: [pattern: string, text: string, matches: boolean][] = [
    ["db:5432", "db:5432", true],
    ["db:5432", "xdb:5432", false],
    ["db:5432", "db:54321", false],
    ["^db:5432$", "db:5432", true],
    ["\\Adb:5432\\z", "db:5432", true],
    ["d^b", "db", false],
    ["a$b", "ab", false],
    [".*", "anything:1", true],
    [".*", "", true],
    ["DB:5432", "db:5432", true],
    ["(?i)DB", "db", true],
    ["[A-C]+", "abc", true],
    ["[^A]", "a", false],
    ["a|b", "b", true],
    ["a|b|", "", true],
    ["(eu|us)-[0-9]+\\.db\\.example\\.com:(5432|6432)", "us-12.db.example.com:6432", true],
    ["(eu|us)-[0-9]+\\.db\\.example\\.com:(5432|6432)", "us-.db.example.com:6432", false],
    ["db\\.example", "dbxexample", false],
    ["db.example", "dbxexample", true],
    ["a{3}", "aaa", true],
    ["a{3}", "aa", false],
    ["a{2,}", "aaaa", true],
    ["a{2,3}", "aaaa", false],
    ["a{0}b", "b", true],
    ["a{,3}", "a{,3}", true],
    ["a??b", "b", true],
    ["(a*)*b", "aab", true],
    ["(?:ab)+", "abab", true],
    ["[\\w.-]+:\\d+", "a_b.c-d:12", true],
    ["\\S+\\s", "ab ", true],
    ["[]a]+", "]a", true],
    ["[a-]+", "-a", true],
    ["[a\\-z]+", "-z", true],
    ["[a\\-z]", "b", false],
    ["\\[::1\\]:5432", "[::1]:5432", true],
    ["[[]x", "[x", true],
  ];
  for (const [pattern, text, matches] of cases) {
    assert.equal(compilePattern(pattern).matches(text), matches, `${pattern} on ${JSON.stringify(text)}`);
  }
});

test("a pattern that cannot be matched in linear time, or means nothing, is refused with its position", () => {
  const cases: [pattern: string, message: RegExp][] = [
    ["(a)\\1", /\\1 is not supported.*character 6/],
    ["(?=a)b", /lookaround/],
    ["(?<!a)b", /lookaround/],
    ["(?P<n>a)", /plain groups/],
    ["a\\bb", /\\b is not supported/],
    ["a**", /a quantifier after a quantifier/],
    ["*a", /nothing before \*/],
    ["a|+", /nothing before \+/],
    ["(a", /missing \)/],
    ["a)", /unmatched \)/],
    ["[a", /missing \]/],
    ["[z-a]", /range/],
    ["[[:alpha:]]", /\[:alpha:\]/],
    ["a\\", /ends too early/],
    ["a{5,2}", /bound/],
    ["a{1001}", /1000 repetitions/],
    ["(a{1000}){1000}", /too large/],
    ["((){1000}){1000}", /too large/],
    ["a".repeat(2001), /longer than 2000/],
  ];
  for (const [pattern, message] of cases) {
    assert.throws(() => compilePattern(pattern), { code: "PROXY_PATTERN_INVALID", message }, pattern);
  }
});

test("patterns that make a backtracking matcher run for ages end at once", () => {
  const text = "a".repeat(258) + "!";
  for (const source of ["(a+)+", "(a|a)*", "(a|aa)+$", "(.*a){20}", "([a-z]+)*b", "(a?){250}a{250}"]) {
    assert.equal(compilePattern(source).matches(text), false, source);
  }
});

test("on the syntax that both know, patterns agree with RegExp", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\d", "\\.", "(a|b)", "(ab)", "(?:a|)", "(a*b)");
  const piece = fc.tuple(atom, fc.constantFrom("", "", "*", "+", "?", "{2}", "{1,2}", "*?")).map((parts) =>
    parts.join("")
  );
  const source = fc.array(fc.array(piece, { maxLength: 4 }).map((pieces) => pieces.join("")), {
    minLength: 1,
    maxLength: 2,
  })
    .map((branches) => branches.join("|"));
  const text = fc.string({ unit: fc.constantFrom("a", "b", "1", "."), maxLength: 7 });
  fc.assert(
    fc.property(source, text, (source, text) => {
      assert.equal(compilePattern(source).matches(text), new RegExp(`^(?:${source})$`, "s").test(text));
    }),
    { numRuns: 1000 },
  );
});
