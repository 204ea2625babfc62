import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { connectClient } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { projectRoot } from "../fixtures/project.ts";
import { programsIn } from "../fixtures/readme.ts";
import { servers } from "../fixtures/servers.ts";
import { type Consumer, installConsumer, NOT_ON_DENO, run } from "./npm_consumer.ts";

// The programs of docs/beyond-pg.md as they stand there, with the packages that npm will have: they run, and print what
// their comments say.

const skip = "Deno" in globalThis ? false : NOT_ON_DENO;
const programs = programsIn(await readFile(join(projectRoot(), "docs/beyond-pg.md"), "utf8"));

const DATABASE = "docs_programs";
let consumer: Consumer | undefined;
before(async () => {
  if (skip) return;
  consumer = await installConsumer();
  const client = await connectClient((await servers()).postgres, {}, "postgres");
  await client.query(`create database ${DATABASE}`); // the programs make tables
  await client.end();
});
after(() => consumer?.remove());

const PRINTED: Readonly<Record<string, string>> = {
  "transactions.mjs": "1000",
  "template.mjs": "[ { n: 3, square: 9 }, { n: 4, square: 16 } ]",
  "rows.mjs": "5000050000\n4",
  "copy.mjs": '2\n1 Ada\n2 null\n3 the "third"\n4 Grace\n5 Edsger',
  "listen.mjs": "orders 42",
  "giving_up.mjs": "AbortError ABORTED false\nalive",
  "types.mjs": "{ large: 9007199254740993n, small: 1.5 }\n1 true [ 'calm' ]",
};

test("every program has its expected output here", () => {
  assert.deepEqual([...programs.keys()], Object.keys(PRINTED));
});

for (const [name, expected] of Object.entries(PRINTED)) {
  test(`docs/beyond-pg.md: ${name}`, { skip }, async () => {
    assert.ok(consumer !== undefined);
    const { postgres } = await servers();
    await consumer.write(name, programs.get(name) ?? "");
    const env = { ...process.env, DATABASE_URL: connectionUrl(postgres, "postgres", { database: DATABASE }) };
    assert.equal((await run("node", [name], consumer.folder, env)).trimEnd(), expected);
  });
}
