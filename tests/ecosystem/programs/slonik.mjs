/** slonik, whose driver makes clients of `pg` itself. @module */

import assert from "node:assert/strict";
import { createPool, sql, UniqueIntegrityConstraintViolationError } from "slonik";

export default async function run(stage) {
  // slonik says `ssl: false` itself, unless the connection string says otherwise.
  const url = stage.way === "WebSocket" ? `${stage.url}?sslmode=require` : stage.url;
  const pool = await createPool(url, { maximumPoolSize: 3 });

  await stage.step(
    "create",
    () =>
      pool.query(sql.unsafe`create table towns (id serial primary key, name text not null unique, inhabitants int,
      mayors text[], extra jsonb, at timestamptz not null default now())`),
  );
  await stage.step("insert", async () => {
    const { id } = await pool.one(sql.unsafe`
      insert into towns (name, extra, mayors) values (${"Vienna"}, ${sql.jsonb({ river: "Danube" })},
        ${sql.array(["a", "b"], "text")}) returning id`);
    assert.equal(id, 1);
    const rows = sql.unnest([["Graz", 300_000], ["Linz", 200_000]], ["text", "int4"]);
    assert.equal(
      (await pool.query(sql.unsafe`insert into towns (name, inhabitants) select * from ${rows}`)).rowCount,
      2,
    );
  });
  await stage.step("select", async () => {
    const vienna = await pool.one(sql.unsafe`select name, extra, mayors, at from towns where id = ${1}`);
    assert.equal(typeof vienna.at, "number"); // slonik's own parser of timestamps
    assert.deepEqual([vienna.name, vienna.extra, vienna.mayors], ["Vienna", { river: "Danube" }, ["a", "b"]]);
    assert.deepEqual(await pool.anyFirst(sql.unsafe`select name from towns where id > ${1} order by id`), [
      "Graz",
      "Linz",
    ]);
    assert.equal(await pool.oneFirst(sql.unsafe`select ${9_007_199_254_740_991n}::int8`), 9_007_199_254_740_991n);
  });
  await stage.step("transaction", async () => {
    await pool.transaction(async (transaction) => {
      await transaction.query(sql.unsafe`insert into towns (name) values ('Wels')`);
      await assert.rejects(
        transaction.transaction(async (nested) => {
          await nested.query(sql.unsafe`delete from towns`);
          throw new Error("changed my mind");
        }),
        /changed my mind/,
      );
    });
    assert.equal(await pool.oneFirst(sql.unsafe`select count(*)::int4 from towns`), 4);
  });
  await stage.refusal(() => pool.query(sql.unsafe`insert into towns (name) values (${"Vienna"})`), (error) => {
    assert.ok(error instanceof UniqueIntegrityConstraintViolationError);
    assert.deepEqual([error.table, error.constraint], ["towns", "towns_name_key"]);
    return error.cause;
  });
  await stage.step("stream", async () => {
    let sum = 0;
    await pool.stream(sql.unsafe`select n from generate_series(1, ${1000}::int4) n`, (stream) => {
      stream.on("data", ({ data }) => sum += data.n);
    });
    assert.equal(sum, 500_500);
  });
  await pool.end();
}
