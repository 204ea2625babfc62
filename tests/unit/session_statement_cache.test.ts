import assert from "node:assert/strict";
import { test } from "node:test";
import { StatementCache } from "../../src/session/statement_cache.ts";

test("a text has one name, and no two texts the same", () => {
  const cache = new StatementCache(2);
  const first = cache.nameFor("a");
  assert.notEqual(first, undefined);
  assert.equal(cache.nameFor("a"), first);
  assert.notEqual(cache.nameFor("b"), first);
  assert.notEqual(new StatementCache(2).nameFor("a"), first);
});

test("those that were used last are kept, and the others are to be closed", () => {
  const cache = new StatementCache(2);
  const [a, b] = ["a", "b"].map((text) => cache.nameFor(text));
  cache.nameFor("a");
  cache.nameFor("c");
  assert.deepEqual(cache.dropped, [b]);
  cache.dropsSent();
  assert.deepEqual(cache.dropped, []);
  assert.equal(cache.nameFor("a"), a);
  assert.notEqual(cache.nameFor("b"), b);
});

test("what was dropped is to be closed, what was lost is not, and neither name comes again", () => {
  const cache = new StatementCache(5);
  const [a = "", b = ""] = ["a", "b"].map((text) => cache.nameFor(text));
  cache.drop("a", a);
  cache.drop("a", a);
  cache.lose("b", b);
  assert.deepEqual(cache.dropped, [a]);
  assert.ok(![a, b].includes(cache.nameFor("a") ?? ""));
  assert.ok(![a, b].includes(cache.nameFor("b") ?? ""));
});

test("where the server loses one after the other, none is kept any more", () => {
  const cache = new StatementCache(5);
  for (let time = 0; time < 3; time++) cache.lose("a", cache.nameFor("a") ?? "");
  assert.equal(cache.nameFor("a"), undefined);
});

test("a very long text is not kept", () => {
  const cache = new StatementCache(5);
  assert.equal(cache.nameFor("x".repeat(16_385)), undefined);
  assert.notEqual(cache.nameFor("x".repeat(16_384)), undefined);
});
