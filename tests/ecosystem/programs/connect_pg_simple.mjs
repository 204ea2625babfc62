/** connect-pg-simple under express-session, with a pool passed in and with one that it makes of `pg` itself. @module */

import assert from "node:assert/strict";
import makeStore from "connect-pg-simple";
import session from "express-session";
import { Pool } from "pg";
import { TOWNS } from "./stage.mjs";

const Store = makeStore(session);

export default async function run(stage) {
  const pool = new Pool(stage.connection);
  const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false });
  const call = (method, ...args) =>
    new Promise((resolve, reject) => store[method](...args, (error, value) => error ? reject(error) : resolve(value)));
  const cookie = { maxAge: 60_000, expires: new Date(Date.now() + 60_000).toISOString() };

  await stage.step("create", async () => {
    assert.equal(await call("get", "nobody"), undefined);
    assert.equal((await pool.query("select * from session")).rowCount, 0);
  });
  await stage.step("insert", () => call("set", "one", { cookie, user: "Ada" }));
  await stage.step("select", async () => {
    assert.equal((await call("get", "one")).user, "Ada");
    await call("set", "one", { cookie, user: "Grace" });
    await call("touch", "one", { cookie, user: "Grace" });
    assert.equal((await call("get", "one")).user, "Grace");
    await call("destroy", "one");
    assert.equal(await call("get", "one"), undefined);
  });
  await stage.step("transaction", async () => {
    const client = await pool.connect();
    await client.query("begin");
    await client.query(TOWNS);
    await client.query("insert into towns (name) values ('Vienna')");
    await client.query("commit");
    client.release();
  });
  await stage.refusal(() => pool.query("insert into towns (name) values ('Vienna')"));
  await stage.step("a pool of its own", async () => {
    const own = new Store({ conObject: stage.connection, pruneSessionInterval: false });
    await new Promise((resolve, reject) =>
      own.set("two", { cookie, user: "Ada" }, (error) => error ? reject(error) : resolve())
    );
    assert.equal((await call("get", "two")).user, "Ada");
    await own.close();
  });
  await store.close();
  await pool.end();
}
