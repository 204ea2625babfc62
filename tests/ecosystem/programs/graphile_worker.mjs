/** graphile-worker on our pool: it makes its schema, listens on a client of its own, and takes jobs. @module */

import assert from "node:assert/strict";
import { Pool } from "pg";
import { Logger, makeWorkerUtils, run as runWorker } from "graphile-worker";
import { TOWNS } from "./stage.mjs";

const logger = new Logger(() => () => {});

export default async function run(stage) {
  const pool = new Pool(stage.connection);
  // Without these it makes listeners of its own, and says so.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const utils = await makeWorkerUtils({ pgPool: pool, logger });
  await stage.step("create", async () => {
    await utils.migrate();
    await pool.query(TOWNS);
  });
  await stage.step("insert", async () => {
    const job = await utils.addJob("found", { name: "Vienna" }, { jobKey: "vienna" });
    assert.deepEqual([job.task_identifier, job.attempts], ["found", 0]);
  });
  const founded = [];
  let heard = () => {};
  const worker = await runWorker({
    ...{ pgPool: pool, logger, noHandleSignals: true, concurrency: 2, pollInterval: 60_000 },
    taskList: {
      async found({ name }, { withPgClient }) {
        await withPgClient((client) => client.query("insert into towns (name) values ($1)", [name]));
        founded.push(name);
        heard();
      },
    },
  });
  await stage.step("select", async () => {
    while (founded.length < 1) await new Promise((resolve) => heard = resolve);
    assert.deepEqual((await pool.query("select name from towns")).rows, [{ name: "Vienna" }]);
  });
  await stage.step("transaction", async () => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query("select graphile_worker.add_job('found', json_build_object('name', $1::text))", ["Nowhere"]);
    await client.query("rollback");
    client.release();
    assert.deepEqual(founded, ["Vienna"]);
  });
  await stage.refusal(() => utils.withPgClient((client) => client.query("insert into towns (name) values ('Vienna')")));
  await stage.step("a job that is told of by NOTIFY", async () => {
    await worker.addJob("found", { name: "Graz" });
    while (founded.length < 2) await new Promise((resolve) => heard = resolve);
    assert.deepEqual(founded, ["Vienna", "Graz"]);
  });
  await worker.stop();
  await utils.release();
  await pool.end();
}
