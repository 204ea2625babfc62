/** Sequelize, which requires `pg` and makes its clients itself. @module */

import assert from "node:assert/strict";
import { DataTypes, Sequelize, Transaction, UniqueConstraintError } from "sequelize";

export default async function run(stage) {
  const { host, port, user, password, database } = stage.connection;
  const sequelize = new Sequelize(database, user, password, { host, port, dialect: "postgres", logging: false });
  const Town = sequelize.define("town", {
    name: { type: DataTypes.TEXT, allowNull: false },
    inhabitants: DataTypes.INTEGER,
    founded: DataTypes.DATEONLY,
    area: DataTypes.DECIMAL(10, 2),
    mayors: DataTypes.ARRAY(DataTypes.TEXT),
    extra: DataTypes.JSONB,
    census: DataTypes.BIGINT,
    size: DataTypes.ENUM("small", "large"),
    open: DataTypes.RANGE(DataTypes.INTEGER),
  }, { tableName: "towns", indexes: [{ name: "towns_name_key", unique: true, fields: ["name"] }] });
  const vienna = {
    name: "Vienna",
    inhabitants: 2_000_000,
    founded: "1221-10-18",
    area: "414.78",
    mayors: ["Häupl", "Ludwig"],
    extra: { districts: 23 },
    census: "9007199254740993",
    size: "large",
  };

  await stage.step("create", async () => {
    await sequelize.authenticate();
    await sequelize.sync({ force: true });
  });
  await stage.step("insert", async () => {
    const town = await Town.create({ ...vienna, open: [8, 18] });
    assert.equal(town.id, 1);
    await Town.bulkCreate([{ name: "Graz" }, { name: "Linz" }]);
    assert.deepEqual(await Town.update({ inhabitants: 300_000 }, { where: { name: "Graz" } }), [1]);
  });
  await stage.step("select", async () => {
    const town = (await Town.findOne({ where: { name: "Vienna" } })).toJSON();
    const { createdAt, open, ...rest } = town;
    assert.ok(createdAt instanceof Date && Math.abs(Date.now() - createdAt) < 3_600_000);
    assert.deepEqual(open.map(({ value, inclusive }) => [value, inclusive]), [[8, true], [18, false]]);
    for (const [name, value] of Object.entries(vienna)) assert.deepEqual(rest[name], value, name);
    const [rows] = await sequelize.query("select name from towns where id = $1", { bind: [2] });
    assert.deepEqual(rows, [{ name: "Graz" }]);
    assert.equal(await Town.count(), 3);
  });
  await stage.step("transaction", async () => {
    const isolationLevel = Transaction.ISOLATION_LEVELS.SERIALIZABLE;
    await sequelize.transaction({ isolationLevel }, async (transaction) => {
      await Town.create({ name: "Wels" }, { transaction });
    });
    await assert.rejects(
      sequelize.transaction(async (transaction) => {
        await Town.destroy({ where: {}, transaction });
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    assert.equal(await Town.count(), 4);
  });
  await stage.refusal(() => Town.create({ name: "Vienna" }), (error) => {
    assert.ok(error instanceof UniqueConstraintError);
    assert.deepEqual(error.fields, { name: "Vienna" });
    return error.parent;
  });
  await sequelize.close();
}
