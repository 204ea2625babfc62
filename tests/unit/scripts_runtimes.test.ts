import assert from "node:assert/strict";
import { test } from "node:test";
import { withSupportTable } from "../../scripts/runtimes/support_table.ts";
import { isGood, judge, type Judged, type Row, testCases } from "../../scripts/runtimes/verdict.ts";
import type { StepReport } from "../runtimes/program.ts";
import type { Combination, Runtime } from "../runtimes/runtime.ts";
import { stepNames } from "../runtimes/steps.ts";

const reason = "its TLS shows no certificate";
const lacking: Combination = {
  transport: "deno",
  tls: "platform",
  lacks: { "SCRAM-PLUS": { code: "TLS_OPTION_UNSUPPORTED", reason } },
};

test("a step is judged by its error and by what is known to be lacking", () => {
  const refused = { code: "TLS_OPTION_UNSUPPORTED", message: "cannot" };
  const cases: [step: StepReport["step"], error: StepReport["error"], expected: Omit<Judged, "step">][] = [
    ["connect", undefined, { outcome: "passed" }],
    ["connect", refused, { outcome: "failed", reason: "TLS_OPTION_UNSUPPORTED: cannot" }],
    ["connect", { code: undefined, message: "odd" }, { outcome: "failed", reason: "odd" }],
    ["SCRAM-PLUS", refused, { outcome: "lacking", reason }],
    ["SCRAM-PLUS", { code: "TRANSPORT_LOST", message: "gone" }, { outcome: "failed", reason: "TRANSPORT_LOST: gone" }],
    ["SCRAM-PLUS", undefined, { outcome: "failed", reason: `works now: it need not be called lacking (${reason})` }],
  ];
  for (const [step, error, expected] of cases) {
    const judged = judge({ steps: [{ step, millis: 1, error }] }, lacking);
    assert.deepEqual(judged.find((one) => one.step === step), { step, ...expected });
  }
});

test("a step that is not in the report has failed, and so has a program without a report", () => {
  const row = rowOf(runtime("one", "Group", [lacking]), lacking);
  assert.equal(isGood(row), true);
  const incomplete = { ...row, steps: judge({ steps: [] }, lacking) };
  assert.equal(isGood(incomplete), false);
  assert.equal(testCases(incomplete).filter(({ outcome }) => outcome === "failed").length, row.steps.length);
  const crashed = { ...row, steps: [], failure: "it crashed" };
  assert.equal(isGood(crashed), false);
  assert.deepEqual(testCases(crashed), [{ name: "Deno.connect, platform TLS: it crashed", outcome: "failed" }]);
});

const readme = (table: string) =>
  "# Title\n\n<!-- The support table is written by `deno task test:runtimes`. -->\n" + table +
  "<!-- The end of the support table. -->\n\nMore.\n";

test("a line of the support table is written when all its runtimes were run, kept until then, dropped with them", () => {
  const webSocket: Combination = { transport: "websocket", tls: "wolfssl", note: "noted" };
  const [one, two] = [runtime("one", "Group", [webSocket]), runtime("two", "Group", [webSocket])];
  const other = runtime("other", "Other", [lacking]);
  const all = [one, two, other];
  const rows = [rowOf(one, webSocket), rowOf(two, webSocket), rowOf(other, lacking)];

  const full = withSupportTable(readme(""), rows, all);
  const lines = full.split("\n").filter((line) => line.startsWith("| ")).slice(2);
  assert.deepEqual(lines, [
    "| Group | WebSocket | WolfSSL | ✓ | ✓ | ✓ | ✓ | ✓ | ✓ | ✓ | noted |",
    `| Other | Deno.connect | platform TLS | ✓ | ✓ | ✓ | ✓ | ✓ | – | ✓ | SCRAM-PLUS: ${reason} |`,
  ]);
  assert.match(full, /^# Title\n/);
  assert.match(full, /\n\nMore\.\n$/);

  assert.equal(withSupportTable(full, rows, all), full, "the same rows change nothing");
  assert.equal(withSupportTable(full, rows.slice(0, 1), all), full, "a part of them changes nothing");
  assert.equal(
    withSupportTable(readme(""), rows.slice(0, 1), all).includes("| Group |"),
    false,
    "nor does it begin a line",
  );
  assert.equal(withSupportTable(full, [], [other]).includes("| Group |"), false, "one without runtimes goes");
});

test("a README without a place for the table is refused", () => {
  assert.throws(() => withSupportTable("# Title\n", [], []), /README\.md has no support table/);
});

function runtime(name: string, group: string, combinations: readonly Combination[]): Runtime {
  return { name, title: name, group, combinations, prepare: () => assert.fail("it is not run") };
}

/** A way on which all is as it is known to be. */
function rowOf(runtime: Runtime, combination: Combination): Row {
  const steps = stepNames(combination.transport === "websocket").map((step): StepReport => {
    const code = combination.lacks?.[step]?.code;
    return { step, millis: 1, error: code === undefined ? undefined : { code, message: "cannot" } };
  });
  return { runtime, combination, version: "1", millis: 1, steps: judge({ steps }, combination) };
}
