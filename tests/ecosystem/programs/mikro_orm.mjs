/** MikroORM, which makes its clients of `pg` itself, by way of Knex. @module */

import assert from "node:assert/strict";
import { EntitySchema, MikroORM } from "@mikro-orm/postgresql";

const Town = new EntitySchema({
  name: "Town",
  tableName: "towns",
  uniques: [{ name: "towns_name_key", properties: ["name"] }],
  properties: {
    id: { type: "number", primary: true },
    name: { type: "string" },
    mayors: { type: "string[]", nullable: true },
    founded: { type: "Date", nullable: true },
    extra: { type: "json", nullable: true },
    version: { type: "number", version: true },
  },
});

export default async function run(stage) {
  const { database: dbName, ...connection } = stage.connection;
  const orm = await MikroORM.init({ entities: [Town], dbName, ...connection, pool: { min: 0, max: 3 } });
  await stage.step("create", () => orm.schema.createSchema());
  await stage.step("insert", async () => {
    const em = orm.em.fork();
    em.create("Town", { name: "Vienna", mayors: ["a", "b"], founded: new Date(0), extra: { river: ["Danube"] } });
    em.create("Town", { name: "Graz" });
    await em.flush();
  });
  await stage.step("select", async () => {
    const em = orm.em.fork();
    const vienna = await em.findOneOrFail("Town", { name: { $like: "V%" } });
    assert.deepEqual({ ...vienna }, {
      ...{ id: 1, name: "Vienna", mayors: ["a", "b"], founded: new Date(0), extra: { river: ["Danube"] }, version: 1 },
    });
    const named = em.createQueryBuilder("Town").select("name").where({ mayors: { $contains: ["a"] } });
    assert.deepEqual(await named.execute(), [{ name: "Vienna" }]);
    assert.deepEqual(await em.getConnection().execute("select ?::int + ?::int as sum", [1, 2]), [{ sum: 3 }]);
  });
  await stage.step("transaction", async () => {
    await orm.em.fork().transactional(async (em) => {
      (await em.findOneOrFail("Town", { name: "Graz" })).name = "Linz";
    });
    await assert.rejects(
      orm.em.fork().transactional(async (em) => {
        await em.nativeDelete("Town", {});
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    assert.deepEqual((await orm.em.fork().findAll("Town", { orderBy: { id: 1 } })).map(({ name }) => name), [
      "Vienna",
      "Linz",
    ]);
  });
  await stage.step("error", () =>
    assert.rejects(orm.em.fork().insert("Town", { name: "Vienna" }), {
      ...{ name: "UniqueConstraintViolationException", code: "23505", severity: "ERROR", table: "towns" },
      ...{ constraint: "towns_name_key", detail: "Key (name)=(Vienna) already exists." },
    }));
  await orm.close();
}
