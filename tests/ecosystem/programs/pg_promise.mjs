/** pg-promise, which requires `pg` and makes its pool itself. @module */

import assert from "node:assert/strict";
import pgPromise from "pg-promise";
import QueryStream from "pg-query-stream";
import { TOWNS } from "./stage.mjs";

const pgp = pgPromise({ noWarnings: true });

export default async function run(stage) {
  const db = pgp(stage.connection);

  await stage.step("create", () => db.none(TOWNS));
  await stage.step("insert", async () => {
    const { id } = await db.one(
      "insert into towns (name, inhabitants, extra) values ($/name/, $/inhabitants/, $/extra/) " +
        "returning id",
      { name: "Vienna", inhabitants: 2_000_000, extra: { river: "Danube" } },
    );
    assert.equal(id, 1);
    const rows = [{ name: "Graz", mayors: ["a", 'b"'] }, { name: "Linz", mayors: [] }];
    await db.none(pgp.helpers.insert(rows, ["name", { name: "mayors", cast: "text[]" }], "towns"));
  });
  await stage.step("select", async () => {
    const vienna = await db.one("select name, inhabitants, extra from towns where id = $1", [1]);
    assert.deepEqual({ ...vienna }, { name: "Vienna", inhabitants: 2_000_000, extra: { river: "Danube" } });
    assert.deepEqual(await db.map("select mayors from towns where id > $1 order by id", [1], (row) => row.mayors), [
      ["a", 'b"'],
      [],
    ]);
    assert.equal(await db.oneOrNone("select 1 from towns where name = $1", ["Rome"]), null);
    const prepared = new pgp.PreparedStatement({ name: "by-id", text: "select name from towns where id = $1" });
    for (const [id, name] of [[1, "Vienna"], [2, "Graz"]]) assert.equal((await db.one(prepared, [id])).name, name);
    const results = await db.multi("select 1 as n; select 2 as n");
    assert.deepEqual(results.map(([{ n }]) => n), [1, 2]);
    await assert.rejects(db.one("select 1 from towns where false"), { code: pgp.errors.queryResultErrorCode.noData });
  });
  await stage.step("transaction", async () => {
    const { TransactionMode, isolationLevel } = pgp.txMode;
    const mode = new TransactionMode({ tiLevel: isolationLevel.serializable });
    const names = await db.tx({ mode }, async (transaction) => {
      await transaction.none("insert into towns (name) values ('Wels')");
      await assert.rejects(
        transaction.tx(async (nested) => {
          await nested.none("delete from towns");
          throw new Error("changed my mind");
        }),
        /changed my mind/,
      );
      return await transaction.batch([transaction.one("select 1 as n"), transaction.one("select 2 as n")]);
    });
    assert.deepEqual(names.map(({ n }) => n), [1, 2]);
    assert.equal((await db.one("select count(*)::int as n from towns")).n, 4);
  });
  await stage.refusal(() => db.none("insert into towns (name) values ('Vienna')"));
  await stage.step("stream", async () => {
    let sum = 0;
    const { processed } = await db.stream(
      new QueryStream("select n from generate_series(1, 1000) n"),
      async (stream) => {
        for await (const { n } of stream) sum += n;
      },
    );
    assert.equal(sum, 500_500);
    assert.equal(processed, 1000);
  });
  await stage.step("listen", async () => {
    const connection = await db.connect({ direct: true });
    const heard = new Promise((resolve) => connection.client.once("notification", resolve));
    await connection.none("listen news");
    await db.any("select pg_notify('news', 'spring')");
    assert.equal((await heard).payload, "spring");
    await connection.done();
  });
  await db.$pool.end();
}
