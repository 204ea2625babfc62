/** Drizzle for Neon's driver: its pool in a session, and its single queries. @module */

import assert from "node:assert/strict";
import { neon, neonConfig } from "@neondatabase/serverless";
import { eq, sql } from "drizzle-orm";
import { drizzle as drizzleHttp } from "drizzle-orm/neon-http";
import { drizzle } from "drizzle-orm/neon-serverless";
import { integer, pgTable, serial, text, timestamp } from "drizzle-orm/pg-core";
import { TOWNS } from "./stage.mjs";

const towns = pgTable("towns", {
  id: serial().primaryKey(),
  name: text().notNull().unique("towns_name_key"),
  inhabitants: integer(),
  at: timestamp({ withTimezone: true }).notNull().defaultNow(),
});

export default async function run(stage) {
  neonConfig.forceDisablePgSSL = false;
  const db = drizzle(stage.url);

  await stage.step("create", () => db.execute(sql.raw(TOWNS)));
  await stage.step("insert", async () => {
    const at = new Date("2020-01-02T03:04:05.678Z");
    const inserted = await db.insert(towns).values([{ name: "Vienna", inhabitants: 2_000_000, at }, { name: "Graz" }])
      .returning({ id: towns.id });
    assert.deepEqual(inserted, [{ id: 1 }, { id: 2 }]);
  });
  await stage.step("select", async () => {
    assert.deepEqual(await db.select().from(towns).where(eq(towns.name, "Vienna")), [
      { id: 1, name: "Vienna", inhabitants: 2_000_000, at: new Date("2020-01-02T03:04:05.678Z") },
    ]);
  });
  await stage.step("transaction", async () => {
    await db.transaction(async (transaction) => {
      await transaction.insert(towns).values({ name: "Linz" });
      await assert.rejects(transaction.transaction(async (nested) => {
        await nested.delete(towns);
        nested.rollback();
      }));
    });
    assert.equal(await db.$count(towns), 3);
  });
  await stage.refusal(() => db.insert(towns).values({ name: "Vienna" }), (error) => error.cause ?? error);
  await db.$client.end();

  await stage.step("single queries", async () => {
    const single = drizzleHttp({ client: neon(stage.url) });
    const names = single.select({ name: towns.name }).from(towns).orderBy(towns.id);
    assert.deepEqual(await names, ["Vienna", "Graz", "Linz"].map((name) => ({ name })));
    const [deleted, left] = await single.batch([single.delete(towns).where(eq(towns.id, 3)).returning(), names]);
    assert.deepEqual([deleted.length, left.length], [1, 2]);
  });
}
