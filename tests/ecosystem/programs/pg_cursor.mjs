/** pg-cursor, on our client. @module */

import assert from "node:assert/strict";
import { Client } from "pg";
import Cursor from "pg-cursor";
import { TOWNS } from "./stage.mjs";

export default async function run(stage) {
  const client = new Client(stage.connection);
  await client.connect();
  await stage.step("create", () => client.query(TOWNS));
  await stage.step("insert", async () => {
    const cursor = client.query(
      new Cursor("insert into towns (name) select 'Town ' || n from generate_series(1, 25) n returning id"),
    );
    assert.equal((await cursor.read(10)).length, 10);
    assert.equal((await cursor.read(100)).length, 15);
    assert.deepEqual(await cursor.read(1), []);
    await client.query("insert into towns (name) values ('Vienna')");
  });
  await stage.step("select", async () => {
    const cursor = client.query(
      new Cursor("select id, name from towns where id > $1 order by id", [20], { rowMode: "array" }),
    );
    assert.deepEqual(await cursor.read(2), [[21, "Town 21"], [22, "Town 22"]]);
    const behind = client.query("select 1 as n");
    await cursor.close();
    assert.deepEqual((await behind).rows, [{ n: 1 }]);
    const result = await new Promise((resolve, reject) => {
      client.query(new Cursor("select name from towns where id < 3")).read(
        10,
        (error, rows, result) => error ? reject(error) : resolve({ rows, result }),
      );
    });
    assert.equal(result.rows.length, 2);
    assert.deepEqual(result.result.fields.map(({ name, dataTypeID }) => [name, dataTypeID]), [["name", 25]]);
  });
  await stage.step("transaction", async () => {
    await client.query("begin");
    const [first, second] = [1, 2].map((n) => client.query(new Cursor("select $1::int as n", [n])));
    assert.deepEqual(await first.read(2), [{ n: 1 }]);
    assert.deepEqual(await second.read(2), [{ n: 2 }]);
    await client.query("delete from towns");
    await client.query("rollback");
    assert.equal((await client.query("select * from towns")).rowCount, 26);
  });
  await stage.refusal(() => client.query(new Cursor("insert into towns (name) values ($1)", ["Vienna"])).read(1));
  await stage.step("stream", async () => {
    let count = 0;
    const cursor = client.query(new Cursor("select * from towns order by id"));
    for (let rows = await cursor.read(7); rows.length > 0; rows = await cursor.read(7)) count += rows.length;
    assert.equal(count, 26);
  });
  await client.end();
}
