/** node-postgres's types are those of npm pg-types: what a program registers there reaches us, too. */

import assert from "node:assert/strict";
import { realpath, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connectionUrl } from "../fixtures/postgres.ts";
import { projectRoot } from "../fixtures/project.ts";
import { servers } from "../fixtures/servers.ts";
import { type Consumer, installConsumer, NOT_ON_DENO } from "./npm_consumer.ts";

const skip = "Deno" in globalThis ? false : NOT_ON_DENO;

let consumer: Consumer;
before(async () => {
  if (!skip) consumer = await installConsumer();
});
after(async () => await consumer?.remove());

/** What a program has of a query, whatever it has registered before and after it first asked. */
const BODY = `
  const [connectionString] = process.argv.slice(2);
  const client = await new Client({ connectionString }).connect();
  const first = async (text, config = {}) => (await client.query({ text, rowMode: "array", ...config })).rows[0];
  const seen = [await first("select 7::int8, '{\\"a\\": 1}'::json, null::numeric, '{1,2}'::int8[]")];
  pgTypes.setTypeParser(1700, (text) => ["numeric", text]);
  pgTypes.setTypeParser(1700, "binary", (bytes) => ["binary", bytes.length]);
  pgTypes.setTypeParser(114, (text) => ["json", text]);
  seen.push(await first("select 1.50::numeric, '{}'::json, '[2]'::jsonb, 3::int4"));
  seen.push(await first("select 1.50::numeric, true, 'x'::text", { binary: true }));
  seen.push(await first("select 1.50::numeric", { types: new TypeOverrides() }));
  types.setTypeParser(1700, Number);
  seen.push(await first("select 1.50::numeric"));
  await client.end();
  console.log(JSON.stringify(seen, (_, value) => typeof value === "bigint" ? value + "n" : value));
`;

const PROGRAMS: readonly [name: string, text: string][] = [
  [
    "registers.mjs",
    `import pgTypes from "pg-types";
     pgTypes.setTypeParser(20, BigInt);
     const { Client, TypeOverrides, types } = await import("pgduplex");
     ${BODY}`,
  ],
  [
    "registers.cjs",
    `const { Client, TypeOverrides, types } = require("pgduplex");
     const pgTypes = require("pg-types");
     pgTypes.setTypeParser(20, BigInt);
     (async () => {${BODY}})();`,
  ],
];

for (const [name, text] of PROGRAMS) {
  test(`${name}: what a program registers with npm pg-types counts, and what it registers with ours goes before`, {
    skip,
  }, async () => {
    const { postgres } = await servers();
    await using _ = await beside("pg-types");
    const program = await consumer.write(name, text);
    assert.deepEqual(JSON.parse(await consumer.node(program, connectionUrl(postgres, "scram_user"))), [
      ["7n", { a: 1 }, null, ["1", "2"]],
      [["numeric", "1.50"], ["json", "{}"], [2], 3],
      [["binary", 12], true, "x"],
      [["numeric", "1.50"]],
      [1.5],
    ]);
  });
}

/** Installs a package of the checkout beside ours. */
async function beside(name: string): Promise<AsyncDisposable> {
  const path = join(consumer.folder, "node_modules", name);
  await symlink(await realpath(join(projectRoot(), "node_modules", name)), path, "dir");
  return { [Symbol.asyncDispose]: () => rm(path) };
}
