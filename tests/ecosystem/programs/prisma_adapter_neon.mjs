/** Prisma's adapter for Neon's driver, by the interface that its client calls. @module */

import assert from "node:assert/strict";
import { neonConfig } from "@neondatabase/serverless";
import { PrismaNeon } from "@prisma/adapter-neon";
import { TOWNS } from "./stage.mjs";

export default async function run(stage) {
  neonConfig.forceDisablePgSSL = false;
  const adapter = await new PrismaNeon({ connectionString: stage.url }).connect();
  const query = (sql, ...args) => ({
    sql,
    args,
    argTypes: args.map(() => ({ scalarType: "unknown", arity: "scalar" })),
  });

  await stage.step("create", () => adapter.executeRaw(query(TOWNS)));
  await stage.step("insert", async () => {
    const insert = query("insert into towns (name, founded, census) values ($1, $2, $3)", "Vienna", "1221-10-18", "1");
    assert.equal(await adapter.executeRaw(insert), 1);
  });
  await stage.step("select", async () => {
    const { columnNames, rows } = await adapter.queryRaw(
      query("select name, founded, census from towns where id = $1", 1),
    );
    assert.deepEqual({ columnNames, rows }, {
      columnNames: ["name", "founded", "census"],
      rows: [["Vienna", "1221-10-18", "1"]],
    });
  });
  await stage.step("transaction", async () => {
    for (const [end, expected] of [["rollback", "1"], ["commit", "2"]]) {
      const transaction = await adapter.startTransaction("SERIALIZABLE");
      await transaction.executeRaw(query("insert into towns (name) values ('Graz')"));
      await transaction.executeRaw(query(end));
      await transaction[end]();
      assert.deepEqual((await adapter.queryRaw(query("select count(*) from towns"))).rows, [[expected]]);
    }
  });
  await stage.step("error", async () => {
    const refused = adapter.executeRaw(query("insert into towns (name) values ('Vienna')"));
    const { cause } = await refused.then(() => assert.fail("the second Vienna was taken"), (error) => error);
    assert.equal(cause.kind, "UniqueConstraintViolation");
    assert.equal(cause.originalCode, "23505");
  });
  await adapter.dispose();
}
