import assert from "node:assert/strict";
import { after, test } from "node:test";
import { sql } from "../../mod.ts";
import { connectClient } from "../fixtures/clients.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
after(() => client.end());

test("a fragment is a query, for whatever takes one", async () => {
  const table = sql.identifier('odd "table" $1');
  await client.query(sql`create temp table ${table} (id int, ${sql.identifier("a b")} text)`);
  const rows = [[1, "'; drop table x; --"], [2, null]];
  const values = sql.join(rows.map((row) => sql`(${sql.join(row)})`));
  assert.equal((await client.query(sql`insert into ${table} values ${values}`)).rowCount, 2);
  const all = sql`select * from ${table} where id = any(${[1, 2]}) order by id`;
  const expected = [{ id: 1, "a b": "'; drop table x; --" }, { id: 2, "a b": null }];
  assert.deepEqual((await client.query(all)).rows, expected);
  const streamed: unknown[] = [];
  for await (const row of client.stream(all)) streamed.push(row);
  assert.deepEqual(streamed, expected);
  assert.deepEqual(await client.cursor(all).read(10), expected);
  const [first] = await client.transaction(async (transaction) => (await transaction.query(all)).rows);
  assert.deepEqual(first, expected[0]);
  assert.deepEqual((await client.query({ ...all, rowMode: "array" })).rows[0], Object.values(expected[0]));
});
