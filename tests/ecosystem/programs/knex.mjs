/** Knex, which requires `pg` and makes its clients itself. @module */

import assert from "node:assert/strict";
import makeKnex from "knex";

export default async function run(stage) {
  const knex = makeKnex({ client: "pg", connection: stage.connection, pool: { min: 0, max: 4 } });

  await stage.step("create", () =>
    knex.schema.createTable("towns", (table) => {
      table.increments("id");
      table.text("name").notNullable().unique({ indexName: "towns_name_key" });
      table.integer("inhabitants");
      table.jsonb("extra");
      table.specificType("mayors", "text[]");
    }));
  await stage.step("insert", async () => {
    const rows = [{ name: "Vienna", inhabitants: 2_000_000, extra: { river: "Danube" }, mayors: ["a", "b"] }, {
      name: "Graz",
    }];
    assert.deepEqual(await knex("towns").insert(rows).returning("id"), [{ id: 1 }, { id: 2 }]);
    assert.equal(await knex("towns").where({ name: "Graz" }).update({ inhabitants: 300_000 }), 1);
  });
  await stage.step("select", async () => {
    assert.deepEqual(await knex("towns").where("inhabitants", ">", 1_000_000).first("name", "extra", "mayors"), {
      name: "Vienna",
      extra: { river: "Danube" },
      mayors: ["a", "b"],
    });
    assert.deepEqual((await knex.raw("select ?::int + ?::int as sum", [1, 2])).rows, [{ sum: 3 }]);
    assert.deepEqual(await knex("towns").count("* as towns"), [{ towns: "2" }]);
    assert.equal(await knex.schema.hasTable("villages"), false);
  });
  await stage.step("transaction", async () => {
    await knex.transaction(async (transaction) => {
      await transaction("towns").insert({ name: "Linz" });
      await assert.rejects(
        transaction.transaction(async (nested) => {
          await nested("towns").del();
          throw new Error("changed my mind");
        }),
        /changed my mind/,
      );
    }, { isolationLevel: "serializable" });
    assert.deepEqual(await knex("towns").pluck("name"), ["Vienna", "Graz", "Linz"]);
  });
  await stage.refusal(() => knex("towns").insert({ name: "Vienna" }));
  await stage.step("stream", async () => {
    let sum = 0;
    for await (const { n } of knex.select("n").from(knex.raw("generate_series(1, 1000) as n")).stream()) sum += n;
    assert.equal(sum, 500_500);
  });
  await stage.step("timeout, with cancel", async () => {
    await assert.rejects(
      knex.raw("select pg_sleep(60)").timeout(200, { cancel: true }),
      /Defined query timeout of 200ms/,
    );
    assert.deepEqual(await knex("towns").pluck("id"), [1, 2, 3]);
  });
  await knex.destroy();
}
