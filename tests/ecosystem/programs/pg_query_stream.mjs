/** pg-query-stream, on clients of our pool. @module */

import assert from "node:assert/strict";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Pool } from "pg";
import QueryStream from "pg-query-stream";
import { TOWNS } from "./stage.mjs";

export default async function run(stage) {
  const pool = new Pool({ ...stage.connection, max: 1 });
  const stream = async (query, work) => {
    const client = await pool.connect();
    try {
      return await work(client.query(query));
    } finally {
      client.release();
    }
  };

  await stage.step("create", () => pool.query(TOWNS));
  await stage.step("insert", async () => {
    const insert = new QueryStream("insert into towns (name) values ($1), ($2) returning id", ["Vienna", "Graz"]);
    assert.deepEqual(await stream(insert, (rows) => rows.toArray()), [{ id: 1 }, { id: 2 }]);
  });
  await stage.step("select", async () => {
    const select = new QueryStream("select name from towns order by id", [], { rowMode: "array" });
    assert.deepEqual(await stream(select, (rows) => rows.toArray()), [["Vienna"], ["Graz"]]);
  });
  await stage.step("transaction", async () => {
    const client = await pool.connect();
    await client.query("begin");
    assert.equal((await client.query(new QueryStream("delete from towns returning id")).toArray()).length, 2);
    await client.query("rollback");
    client.release();
    assert.equal((await pool.query("select * from towns")).rowCount, 2);
  });
  await stage.refusal(() =>
    stream(new QueryStream("insert into towns (name) values ('Vienna')"), (rows) => rows.toArray())
  );
  await stage.step("stream", async () => {
    const numbers = () =>
      new QueryStream("select n, repeat('x', 100) as text from generate_series(1, 20000) n", [], { batchSize: 500 });
    let sum = 0;
    const add = new Transform({
      objectMode: true,
      transform({ n }, _encoding, done) {
        sum += n;
        done();
      },
    });
    await stream(numbers(), (rows) => pipeline(rows, add));
    assert.equal(sum, 200_010_000);
    await stream(numbers(), async (rows) => {
      for await (const { n } of rows) if (n === 1000) break;
    });
    assert.equal((await pool.query("select 1 as n")).rows[0].n, 1);
  });
  await pool.end();
}
