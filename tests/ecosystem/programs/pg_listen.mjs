/** pg-listen, which requires `pg` and makes its client itself. @module */

import assert from "node:assert/strict";
import { once } from "node:events";
import { Client } from "pg";
import createSubscriber from "pg-listen";
import { TOWNS } from "./stage.mjs";

export default async function run(stage) {
  const client = new Client(stage.connection);
  await client.connect();
  const subscriber = createSubscriber(stage.connection, { retryInterval: 50, retryTimeout: 20_000 });
  subscriber.events.on("error", () => {}); // told of below, by "reconnect"

  await stage.step("create", async () => {
    await client.query(TOWNS);
    await client.query(
      "create function tell() returns trigger language plpgsql as " +
        "$$ begin perform pg_notify('towns', json_build_object('name', new.name)::text); return new; end $$",
    );
    await client.query("create trigger tell after insert on towns for each row execute function tell()");
    await subscriber.connect();
    await subscriber.listenTo("towns");
  });
  const heard = async (work) => {
    const [[payload]] = await Promise.all([once(subscriber.notifications, "towns"), work()]);
    return payload;
  };
  await stage.step("insert", async () => {
    assert.deepEqual(await heard(() => client.query("insert into towns (name) values ('Vienna')")), { name: "Vienna" });
  });
  await stage.step("select", async () => {
    assert.deepEqual(await heard(() => subscriber.notify("towns", { to: ["all"] })), { to: ["all"] });
    assert.deepEqual(subscriber.getSubscribedChannels(), ["towns"]);
  });
  await stage.step("transaction", async () => {
    await client.query("begin");
    await client.query("insert into towns (name) values ('Nowhere')");
    await client.query("rollback");
    assert.deepEqual(await heard(() => client.query("insert into towns (name) values ('Graz')")), { name: "Graz" });
  });
  await stage.refusal(() => client.query("insert into towns (name) values ('Vienna')"));
  await stage.step("a connection that breaks is made again", async () => {
    const reconnected = once(subscriber.events, "connected");
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity " +
        "where pid <> pg_backend_pid() and datname = current_database()",
    );
    await reconnected;
    assert.deepEqual(await heard(() => client.query("insert into towns (name) values ('Linz')")), { name: "Linz" });
  });
  await subscriber.close();
  await client.end();
}
