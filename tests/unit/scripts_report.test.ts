import assert from "node:assert/strict";
import { test } from "node:test";
import { parseJunit } from "../../scripts/testing/junit.ts";
import { count, summarize } from "../../scripts/testing/summary.ts";

const DENO = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="5" failures="1" errors="0" time="0.012">
    <testsuite name="./tests/unit/a.test.ts" tests="5" disabled="1" errors="0" failures="1">
        <testcase name="passes" classname="./tests/unit/a.test.ts" time="0.001" line="3" col="1">
        </testcase>
        <testcase name="fails &lt;at &quot;once&quot;&gt;" classname="./tests/unit/a.test.ts" time="0.002" line="4" col="1">
            <failure message="1 !== 2">AssertionError: 1 !== 2 &lt;skipped/&gt;</failure>
        </testcase>
        <testcase name="is skipped" classname="./tests/unit/a.test.ts" time="0.000" line="5" col="1">
            <skipped/>
        </testcase>
        <testcase name="whole" classname="./tests/unit/a.test.ts" time="0.000" line="6" col="1">
        </testcase>
        <testcase name="whole &gt; part" classname="./tests/unit/a.test.ts" time="0.000" line="7" col="1">
        </testcase>
    </testsuite>
</testsuites>`;

const NODE = `<?xml version="1.0" encoding="utf-8"?>
<testsuites>
	<testcase name="passes" time="0.000797" classname="test"/>
	<testcase name="fails &lt;at &amp;quot;once&amp;quot;>" time="0.001063" classname="test" failure="1 !== 2">
		<failure type="testCodeFailure" message="1 !== 2">
[Error: 1 !== 2]
		</failure>
	</testcase>
	<testcase name="is skipped" time="0.000112" classname="test">
		<skipped type="skipped" message="no PgBouncer"/>
	</testcase>
	<testsuite name="whole" time="0.006284" disabled="0" errors="0" tests="1" failures="0" skipped="0" hostname="vm">
		<testcase name="part" time="0.001298" classname="test"/>
	</testsuite>
	<!-- tests 4 -->
</testsuites>`;

const runs = [{ runtime: "deno", cases: parseJunit(DENO) }, { runtime: "node", cases: parseJunit(NODE) }];

test("Deno's and Node's reports tell the same tests and outcomes, steps counted and not what they are steps of", () => {
  const expected = [["passes", "passed"], ['fails <at "once">', "failed"], ["is skipped", "skipped"], [
    "whole > part",
    "passed",
  ]];
  for (const { cases } of runs) assert.deepEqual(cases.map(({ name, outcome }) => [name, outcome]), expected);
});

test("Node's report tells why a test was skipped, Deno's where it stands", () => {
  const [deno, node] = runs.map(({ cases }) => cases.find(({ outcome }) => outcome === "skipped"));
  assert.equal(deno?.place, "./tests/unit/a.test.ts:5");
  assert.equal(node?.reason, "no PgBouncer");
});

test("a report without tests has none", () => {
  for (const report of ["", "<testsuites></testsuites>"]) assert.deepEqual(parseJunit(report), []);
});

test("the summary counts over all runtimes, names failures and skips, and closes with one line", () => {
  const lines = summarize(runs).split("\n");
  assert.equal(count(runs, "failed"), 2);
  assert.equal(lines.at(-1), "4 passed, 2 failed, 2 skipped");
  assert.ok(lines.includes('  deno: fails <at "once"> (./tests/unit/a.test.ts:4)'));
  const reason = lines.indexOf("  1 on node: no PgBouncer");
  assert.equal(lines[reason + 1], "    is skipped");
  assert.ok(lines.includes("deno           2        1        1"));
});

test("of many tests skipped for one reason, a few are named and the rest counted", () => {
  const cases = ["a", "b", "c", "d", "e"].map((name) => ({ name, outcome: "skipped" as const, reason: "no network" }));
  const lines = summarize([{ runtime: "node", cases }]).split("\n");
  const reason = lines.indexOf("  5 on node: no network");
  assert.deepEqual(lines.slice(reason + 1, reason + 5), ["    a", "    b", "    c", "    and 2 more, named above"]);
});

test("without skips, the closing line does not mention them", () => {
  const passed = [{ runtime: "deno", cases: parseJunit(DENO).filter(({ outcome }) => outcome === "passed") }];
  assert.equal(summarize(passed).split("\n").at(-1), "2 passed, 0 failed");
});
