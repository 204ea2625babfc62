/** Prisma's driver adapter, by the interface that its client calls. @module */

import assert from "node:assert/strict";
import { PrismaPg } from "@prisma/adapter-pg";
import { Pool } from "pg";
import { TOWNS } from "./stage.mjs";

const parameter = (scalarType, arity = "scalar") => ({ scalarType, arity });

export default async function run(stage) {
  const adapter = await new PrismaPg(stage.connection).connect();
  const query = (sql, args = [], argTypes = args.map(() => parameter("unknown"))) => ({ sql, args, argTypes });

  await stage.step("create", () => adapter.executeScript(`${TOWNS}; create type size as enum ('small', 'large')`));
  await stage.step("insert", async () => {
    const insert =
      "insert into towns (name, inhabitants, founded, area, extra, census) values ($1, $2, $3, $4, $5, $6)";
    const args = ["Vienna", 2_000_000, "1221-10-18T00:00:00.000Z", "414.78", '{"river":"Danube"}', "9007199254740993"];
    const types = ["string", "int", "datetime", "decimal", "json", "bigint"].map((type) => parameter(type));
    assert.equal(await adapter.executeRaw(query(insert, args, types)), 1);
  });
  await stage.step("select", async () => {
    const result = await adapter.queryRaw(query(
      "select name, inhabitants, founded, area, extra, census, array[1, 2] as list, 'large'::size as size, true as yes, " +
        "'2020-01-02 03:04:05+00'::timestamptz as at from towns where name = $1",
      ["Vienna"],
    ));
    assert.deepEqual(result.columnNames, [
      ...["name", "inhabitants", "founded", "area", "extra", "census", "list", "size", "yes", "at"],
    ]);
    assert.deepEqual(result.rows, [[
      ...["Vienna", 2_000_000, "1221-10-18", "414.78", '{"river": "Danube"}', "9007199254740993"],
      ...[[1, 2], "large", true, "2020-01-02T03:04:05+00:00"],
    ]]);
    assert.equal(result.columnTypes.length, 10);
  });
  await stage.step("transaction", async () => {
    for (const [end, expected] of [["rollback", 1], ["commit", 2]]) {
      const transaction = await adapter.startTransaction("SERIALIZABLE");
      await transaction.executeRaw(query("insert into towns (name) values ($1)", ["Graz"]));
      // With usePhantomQuery off, the client says COMMIT or ROLLBACK itself.
      if (!transaction.options.usePhantomQuery) await transaction.executeRaw(query(end));
      await transaction[end]();
      const { rows } = await adapter.queryRaw(query("select count(*)::int from towns"));
      assert.deepEqual(rows, [[expected]], end);
    }
  });
  await stage.step("error", async () => {
    const refused = adapter.executeRaw(query("insert into towns (name) values ('Vienna')"));
    const { cause } = await refused.then(() => assert.fail("the second Vienna was taken"), (error) => error);
    assert.deepEqual(cause, {
      kind: "UniqueConstraintViolation",
      table: "towns",
      constraint: { index: "towns_name_key" },
      originalCode: "23505",
      originalMessage: 'duplicate key value violates unique constraint "towns_name_key"',
    });
    const syntax = await adapter.queryRaw(query("select nonsense")).then(() => undefined, (error) => error);
    assert.equal(syntax.cause.originalCode ?? syntax.cause.code, "42703");
  });
  await adapter.dispose();

  await stage.step("a pool passed in", async () => {
    const pool = new Pool(stage.connection);
    const own = await new PrismaPg(pool, { disposeExternalPool: true }).connect();
    assert.deepEqual((await own.queryRaw(query("select 1 as n"))).rows, [[1]]);
    await own.dispose();
    assert.ok(pool.ended);
  });
}
