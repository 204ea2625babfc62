/** Other people's libraries on the npm package, in node-postgres's place, by each way to a real PostgreSQL. */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { projectRoot } from "../fixtures/project.ts";
import { nodeOf } from "../runtimes/node/runtime.ts";
import { installLibraries, NODE_VERSION } from "./install.ts";
import { LIBRARIES, type Library, waysOf } from "./libraries.ts";
import { type Outcome, runProgram } from "./stage.ts";
import { replaceTable, type Row, tableOf } from "./table.ts";

const LANES = 2; // programs at a time

const installation = installLibraries();
const node = nodeOf(NODE_VERSION);
const lanes: Promise<unknown>[] = Array.from({ length: LANES }, () => Promise.resolve());
/** Programs run ahead of the tests that ask how they ended. */
const outcomes = new Map<Library, Promise<Outcome>>(LIBRARIES.map((library, index) => {
  const outcome = lanes[index % LANES].then(async () => await runProgram(await node, await installation, library));
  lanes[index % LANES] = outcome.catch(() => {});
  return [library, outcome];
}));

const outcomeOf = async (library: Library) => await (outcomes.get(library) as Promise<Outcome>);

for (const library of LIBRARIES) {
  for (const { name, title } of waysOf(library)) {
    test(`${library.title} over ${title}`, async () => {
      const { reports, output } = await outcomeOf(library);
      const report = reports.find(({ way }) => way === name);
      assert.ok(report, `it told nothing of this way\n${output}`);
      assert.equal(report.error, undefined, `after ${report.steps.join(", ")}:\n${report.error}\n${output}`);
      assert.deepEqual(report.steps, library.steps);
    });
  }

  test(`${library.title} leaves nothing open, hears no warning, and went through the proxy`, async () => {
    const { code, output, relayed } = await outcomeOf(library);
    assert.equal(code, 0, output);
    assert.equal(output, "");
    assert.ok(relayed > 0);
  });
}

test("docs/ecosystem.md says what ran", async () => {
  const installed = await installation;
  const rows = await Promise.all(LIBRARIES.map(async (library): Promise<Row> => ({
    library,
    version: await installed.versionOf(library.package),
    ways: await outcomeOf(library).then(({ reports }) => reports.filter(({ error }) => !error).map(({ way }) => way)),
  })));
  const path = join(projectRoot(), "docs/ecosystem.md");
  const text = await readFile(path, "utf8");
  const written = replaceTable(text, tableOf(rows));
  if (Deno.env.get("PGDUPLEX_WRITE_DOCS") === "1") return await writeFile(path, written);
  assert.equal(written, text, "PGDUPLEX_WRITE_DOCS=1 deno task test ecosystem writes it anew");
});
