/**
 * Programs in TypeScript that were written for node-postgres compile against our package as they do against @types/pg, and
 * which types of one may stand for those of the other.
 */

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { after, before, test } from "node:test";
import ts from "typescript";
import { projectRoot } from "../fixtures/project.ts";
import { type Consumer, installConsumer, NOT_ON_DENO } from "./npm_consumer.ts";

const skip = "Deno" in globalThis ? false : NOT_ON_DENO;
const PROGRAMS = join(projectRoot(), "tests/integration/pg_programs");
const THEIRS = join(projectRoot(), "node_modules/@types/pg/index.d.ts");

let consumer: Consumer;
before(async () => {
  if (!skip) consumer = await installConsumer();
});
after(async () => await consumer?.remove());

/** What the compiler has to say of programs, each with its line. */
function complaints(rootNames: readonly string[], options: ts.CompilerOptions = {}): string[] {
  const program = ts.createProgram({
    rootNames: [...rootNames],
    options: {
      strict: true,
      noUncheckedIndexedAccess: true,
      noEmit: true,
      skipDefaultLibCheck: true,
      esModuleInterop: true,
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts", "lib.esnext.disposable.d.ts"],
      types: [],
      ...options,
    },
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const line = file && file.getLineAndCharacterOfPosition(start).line + 1;
    return `${basename(file?.fileName ?? "")}:${line}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

test("the programs are right by @types/pg", { skip }, async () => {
  assert.deepEqual(complaints((await programs()).map((name) => join(PROGRAMS, name))), []);
});

test("the programs are right by our types, once they import pgduplex", { skip }, async () => {
  const changed = (await programs()).map(async (name) => {
    const text = await readFile(join(PROGRAMS, name), "utf8");
    assert.match(text, /"pg"/, name);
    return await consumer.write(name, text.replaceAll('"pg"', '"pgduplex"'));
  });
  assert.deepEqual(complaints(await Promise.all(changed)), []);
});

test("a module of CommonJS under TypeScript's older resolution is right, too", { skip }, async () => {
  const text = await readFile(join(PROGRAMS, "required.cts"), "utf8");
  const path = await consumer.write("older/required.ts", text.replaceAll('"pg"', '"pgduplex"'));
  await consumer.write("older/package.json", "{}");
  const older = { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 };
  assert.deepEqual(complaints([path], older), []);
});

async function programs(): Promise<string[]> {
  return (await readdir(PROGRAMS)).filter((name) => /\.[mc]ts$/.test(name)).sort();
}

// -- one where the other is expected

/**
 * By a type's name: whether ours may stand for that of @types/pg, and that for ours. What is false is so for good:
 *
 * - Options and queries of ours may say more than theirs: a password of null, values that are read-only.
 * - @types/pg gives its client methods that node-postgres does not have (`pauseDrain`, `copyTo` as a Node stream, ...), and
 *   its connection a Node stream, which no runtime but Node's has. What leads to a client is not a client then either. A
 *   library typed against @types/pg takes ours where it is installed as `pg`, since there are our types alone then.
 * - Our classes have private members, for which TypeScript wants the class itself.
 */
const ASSIGNABLE: readonly (readonly [type: string, oursForTheirs: boolean, theirsForOurs: boolean])[] = [
  ["ClientConfig", false, true],
  ["PoolConfig", false, false],
  ["QueryConfig", false, true],
  ["QueryArrayConfig", false, true],
  ["QueryResult", true, true],
  ["QueryArrayResult", true, true],
  ["QueryResultBase", true, true],
  ["QueryResultRow", true, true],
  ["FieldDef", true, true],
  ["Notification", true, false],
  ["Submittable", true, true],
  ["CustomTypesConfig", true, true],
  ["TypeOverrides", false, false],
  ["DatabaseError", false, false],
  ["Client", false, false],
  ["ClientBase", false, false],
  ["Pool", false, false],
  ["PoolClient", false, false],
  ["Query", false, false],
  ["Connection", false, false],
];

test("which types may stand for each other", { skip }, async () => {
  const lines = ASSIGNABLE.flatMap(([type]) => [
    `export const ${type}1 = (ours: ours.${type}): theirs.${type} => ours;`,
    `export const ${type}2 = (theirs: theirs.${type}): ours.${type} => theirs;`,
  ]);
  const text = ['import type ours from "pgduplex";', 'import type * as theirs from "pg";', ...lines].join("\n");
  const path = await consumer.write("assignable.mts", text);
  const found = complaints([path], { paths: { pg: [THEIRS] } });
  const wrong = new Set(found.map((complaint) => Number(/^assignable\.mts:(\d+):/.exec(complaint)?.[1])));
  assert.ok(!wrong.has(NaN) && !wrong.has(1) && !wrong.has(2), found.join("\n"));
  const actual = ASSIGNABLE.map(([type], index) => [type, !wrong.has(2 * index + 3), !wrong.has(2 * index + 4)]);
  assert.deepEqual(actual, ASSIGNABLE, found.join("\n"));
});
