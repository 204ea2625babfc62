/** Kysely, with a pool passed in, and a cursor of pg-cursor. @module */

import assert from "node:assert/strict";
import { Kysely, PostgresDialect, sql } from "kysely";
import Cursor from "pg-cursor";
import { Pool } from "pgduplex";

export default async function kysely(stage) {
  const db = new Kysely({ dialect: new PostgresDialect({ pool: new Pool(stage.connection), cursor: Cursor }) });

  await stage.step("create", () =>
    db.schema.createTable("towns")
      .addColumn("id", "serial", (column) => column.primaryKey())
      .addColumn("name", "text", (column) => column.notNull().unique())
      .addColumn("inhabitants", "integer")
      .addColumn("extra", "jsonb")
      .execute());
  await stage.step("insert", async () => {
    const inserted = await db.insertInto("towns")
      .values([{ name: "Vienna", inhabitants: 2_000_000, extra: { river: "Danube" } }, { name: "Graz" }])
      .returning("id").execute();
    assert.deepEqual(inserted, [{ id: 1 }, { id: 2 }]);
    const { numUpdatedRows } = await db.updateTable("towns").set({ inhabitants: 300_000 }).where("name", "=", "Graz")
      .executeTakeFirstOrThrow();
    assert.equal(numUpdatedRows, 1n);
  });
  await stage.step("select", async () => {
    const towns = await db.selectFrom("towns").select(["name", "inhabitants", "extra"])
      .where("name", "in", ["Vienna", "Graz"]).orderBy("id").execute();
    assert.deepEqual(towns, [
      { name: "Vienna", inhabitants: 2_000_000, extra: { river: "Danube" } },
      { name: "Graz", inhabitants: 300_000, extra: null },
    ]);
    assert.equal((await sql`select ${[1, 2]}::int[] as list`.execute(db)).rows[0].list[1], 2);
  });
  await stage.step("transaction", async () => {
    const cities = await db.transaction().setIsolationLevel("serializable").execute(async (transaction) => {
      await transaction.insertInto("towns").values({ name: "Linz" }).execute();
      return await transaction.selectFrom("towns").select("name").execute();
    });
    assert.equal(cities.length, 3);
    await assert.rejects(
      db.transaction().execute(async (transaction) => {
        await transaction.deleteFrom("towns").execute();
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    const controlled = await db.startTransaction().execute();
    const saved = await controlled.savepoint("before").execute();
    await saved.deleteFrom("towns").execute();
    await (await saved.rollbackToSavepoint("before").execute()).commit().execute();
    assert.equal((await db.selectFrom("towns").selectAll().execute()).length, 3);
  });
  await stage.refusal(() => db.insertInto("towns").values({ name: "Vienna" }).execute());
  await stage.step("stream", async () => {
    let sum = 0;
    for await (const { n } of db.selectFrom(sql`generate_series(1, 1000)`.as("n")).select("n").stream(100)) sum += n;
    assert.equal(sum, 500_500);
    for await (const _ of db.selectFrom(sql`generate_series(1, 1000)`.as("n")).select("n").stream(10)) break;
    assert.equal((await db.selectFrom("towns").selectAll().execute()).length, 3);
  });
  await db.destroy();
}
