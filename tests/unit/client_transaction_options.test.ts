import assert from "node:assert/strict";
import { test } from "node:test";
import { assertNestable, beginCommand, type TransactionOptions } from "../../src/client/transaction/options.ts";

const commands: readonly (readonly [TransactionOptions, string])[] = [
  [{}, "begin"],
  [{ retries: 3 }, "begin"],
  [{ isolation: "serializable" }, "begin isolation level serializable"],
  [{ isolation: "read uncommitted", readOnly: false }, "begin isolation level read uncommitted read write"],
  [
    { isolation: "serializable", readOnly: true, deferrable: true },
    "begin isolation level serializable read only deferrable",
  ],
  [{ deferrable: false }, "begin not deferrable"],
];

for (const [options, command] of commands) {
  test(`${JSON.stringify(options)} begins by: ${command}`, () => assert.equal(beginCommand(options), command));
}

const refused: readonly (readonly [string, object])[] = [
  ["an isolation level that is none", { isolation: "serializable; drop table people" }],
  ["fewer than no retries", { retries: -1 }],
  ["half a retry", { retries: 0.5 }],
  ["endless retries", { retries: Infinity }],
];

for (const [what, options] of refused) {
  test(`refused: ${what}`, () => assert.throws(() => beginCommand(options), { code: "TRANSACTION_OPTIONS" }));
}

test("a nested transaction takes a signal alone", () => {
  assertNestable({ signal: new AbortController().signal });
  for (const options of [{ isolation: "serializable" }, { readOnly: true }, { deferrable: false }, { retries: 1 }]) {
    assert.throws(() => assertNestable(options as TransactionOptions), { code: "TRANSACTION_OPTIONS" });
  }
});
