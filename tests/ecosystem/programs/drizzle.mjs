/** Drizzle, which makes its pool itself, and with a client passed in. @module */

import assert from "node:assert/strict";
import { eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { bigint, date, integer, jsonb, numeric, pgTable, serial, text, timestamp } from "drizzle-orm/pg-core";
import { Client } from "pg";

const towns = pgTable("towns", {
  id: serial().primaryKey(),
  name: text().notNull().unique("towns_name_key"),
  inhabitants: integer(),
  founded: date(),
  area: numeric(),
  mayors: text().array(),
  extra: jsonb(),
  census: bigint({ mode: "bigint" }),
  at: timestamp({ withTimezone: true }).notNull(),
});

export default async function run(stage) {
  const db = drizzle({ connection: stage.url, schema: { towns } });
  const vienna = {
    name: "Vienna",
    inhabitants: 2_000_000,
    founded: "1221-10-18",
    area: "414.78",
    mayors: ["Häupl", 'the "other"', "Ludwig"],
    extra: { districts: [1, 23] },
    census: 9_007_199_254_740_993n,
    at: new Date("2020-01-02T03:04:05.678Z"),
  };

  await stage.step(
    "create",
    () =>
      db.execute(sql`create table ${towns} (id serial primary key, name text not null unique, inhabitants int,
      founded date, area numeric, mayors text[], extra jsonb, census bigint, at timestamptz not null)`),
  );
  await stage.step("insert", async () => {
    const graz = { name: "Graz", at: vienna.at };
    assert.deepEqual(await db.insert(towns).values([vienna, graz]).returning({ id: towns.id }), [{ id: 1 }, { id: 2 }]);
  });
  await stage.step("select", async () => {
    assert.deepEqual(await db.select().from(towns).where(eq(towns.name, "Vienna")), [{ id: 1, ...vienna }]);
    const found = await db.query.towns.findFirst({ columns: { name: true }, where: eq(towns.id, 2) });
    assert.deepEqual(found, { name: "Graz" });
    const prepared = db.select({ name: towns.name }).from(towns).where(eq(towns.id, sql.placeholder("id"))).prepare(
      "one",
    );
    for (const [id, name] of [[1, "Vienna"], [2, "Graz"]]) assert.deepEqual(await prepared.execute({ id }), [{ name }]);
  });
  await stage.step("transaction", async () => {
    await db.transaction(async (transaction) => {
      await transaction.insert(towns).values({ name: "Linz", at: vienna.at });
      await assert.rejects(transaction.transaction(async (nested) => {
        await nested.delete(towns);
        nested.rollback();
      }));
    }, { isolationLevel: "repeatable read" });
    await assert.rejects(
      db.transaction(async (transaction) => {
        await transaction.delete(towns);
        throw new Error("changed my mind");
      }),
      /changed my mind/,
    );
    assert.equal(await db.$count(towns), 3);
  });
  await stage.refusal(() => db.insert(towns).values({ name: "Vienna", at: vienna.at }), (error) => error.cause);
  await db.$client.end();

  const client = new Client(stage.connection);
  await client.connect();
  assert.equal(await drizzle({ client }).$count(towns), 3);
  await client.end();
}
