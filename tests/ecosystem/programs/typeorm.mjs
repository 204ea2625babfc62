/** TypeORM, which loads `pg` and pg-query-stream itself. @module */

import assert from "node:assert/strict";
import "reflect-metadata";
import { DataSource, EntitySchema, QueryFailedError } from "typeorm";

const Town = new EntitySchema({
  name: "town",
  tableName: "towns",
  columns: {
    id: { type: "int", primary: true, generated: "increment" },
    name: { type: "text" },
    inhabitants: { type: "int", nullable: true },
    founded: { type: "date", nullable: true },
    area: { type: "numeric", nullable: true },
    mayors: { type: "text", array: true, nullable: true },
    extra: { type: "jsonb", nullable: true },
    at: { type: "timestamptz", createDate: true },
  },
  uniques: [{ name: "towns_name_key", columns: ["name"] }],
});

export default async function run(stage) {
  const { host, port, user, password, database } = stage.connection;
  const source = new DataSource({
    type: "postgres",
    ...{ host, port, username: user, password, database },
    entities: [Town],
    installExtensions: false,
  });
  await source.initialize();
  const towns = source.getRepository(Town);

  await stage.step("create", () => source.synchronize());
  await stage.step("insert", async () => {
    const vienna = {
      name: "Vienna",
      inhabitants: 2_000_000,
      founded: "1221-10-18",
      area: "414.78",
      mayors: ["a", "b"],
    };
    const town = await towns.save({ ...vienna, extra: { river: "Danube" } });
    assert.equal(town.id, 1);
    assert.ok(town.at instanceof Date);
    await towns.insert([{ name: "Graz" }, { name: "Linz" }]);
    assert.equal((await towns.update({ name: "Graz" }, { inhabitants: 300_000 })).affected, 1);
  });
  await stage.step("select", async () => {
    const { at: _, ...vienna } = await towns.findOneByOrFail({ name: "Vienna" });
    assert.deepEqual({ ...vienna }, {
      id: 1,
      name: "Vienna",
      inhabitants: 2_000_000,
      founded: "1221-10-18",
      area: "414.78",
      mayors: ["a", "b"],
      extra: { river: "Danube" },
    });
    const few = await towns.createQueryBuilder("town").where("town.inhabitants < :most", { most: 1_000_000 }).getMany();
    assert.deepEqual(few.map(({ name }) => name), ["Graz"]);
    assert.deepEqual(await source.query("select $1::int as n", [1]), [{ n: 1 }]);
  });
  await stage.step("transaction", async () => {
    await source.transaction("SERIALIZABLE", (manager) => manager.insert(Town, { name: "Wels" }));
    await assert.rejects(
      source.transaction(async (manager) => {
        await manager.clear(Town);
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    assert.equal(await towns.count(), 4);
  });
  await stage.refusal(() => towns.insert({ name: "Vienna" }), (error) => {
    assert.ok(error instanceof QueryFailedError);
    return error.driverError;
  });
  await stage.step("stream", async () => {
    const names = [];
    for await (const row of await towns.createQueryBuilder("town").orderBy("town.id").stream()) {
      names.push(row.town_name);
    }
    assert.deepEqual(names, ["Vienna", "Graz", "Linz", "Wels"]);
  });
  await source.destroy();
}
