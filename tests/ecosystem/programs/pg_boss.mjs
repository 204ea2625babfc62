/** pg-boss, which makes its pool of `pg` itself. @module */

import assert from "node:assert/strict";
import { once } from "node:events";
import { Client } from "pg";
import { PgBoss } from "pg-boss";
import { TOWNS } from "./stage.mjs";

export default async function run(stage) {
  const boss = new PgBoss({ ...stage.connection, max: 4, schedule: false });
  const failures = [];
  boss.on("error", (error) => failures.push(error));
  const client = new Client(stage.connection);
  await client.connect();

  await stage.step("create", async () => {
    await boss.start();
    await boss.createQueue("towns");
    await client.query(TOWNS);
  });
  await stage.step("insert", async () => {
    assert.match(await boss.send("towns", { name: "Vienna" }), /^[0-9a-f-]{36}$/);
    await boss.insert("towns", [{ data: { name: "Graz" } }, { data: { name: "Linz" } }]);
  });
  await stage.step("select", async () => {
    const jobs = await boss.fetch("towns", { batchSize: 10 });
    assert.deepEqual(jobs.map(({ data }) => data.name).sort(), ["Graz", "Linz", "Vienna"]);
    await boss.complete("towns", jobs.map(({ id }) => id), { done: true });
    const done = await boss.getJobById("towns", jobs[0].id);
    assert.equal(done.state, "completed");
    assert.ok(done.completedOn instanceof Date);
  });
  await stage.step("transaction", async () => {
    const db = { executeSql: (text, values) => client.query(text, values) };
    for (const [end, expected] of [["rollback", 0], ["commit", 1]]) {
      await client.query("begin");
      await boss.send("towns", { name: "Wels" }, { db });
      await client.query(end);
      const jobs = await boss.fetch("towns");
      assert.equal(jobs.length, expected, end);
      for (const { id } of jobs) await boss.complete("towns", id);
    }
  });
  await stage.refusal(async () => {
    await boss.getDb().executeSql("insert into towns (name) values ($1)", ["Vienna"]);
    await boss.getDb().executeSql("insert into towns (name) values ($1)", ["Vienna"]);
  });
  await stage.step("a worker", async () => {
    const names = [];
    const { promise, resolve } = Promise.withResolvers();
    await boss.work("towns", { pollingIntervalSeconds: 0.5 }, ([{ data }]) => {
      names.push(data.name);
      if (names.length === 2) resolve();
      return Promise.resolve();
    });
    for (const name of ["Steyr", "Enns"]) await boss.send("towns", { name });
    await promise;
    assert.deepEqual(names.sort(), ["Enns", "Steyr"]);
  });
  const stopped = once(boss, "stopped");
  await boss.stop({ graceful: true, timeout: 5000 });
  await stopped;
  await client.end();
  assert.deepEqual(failures, []);
}
