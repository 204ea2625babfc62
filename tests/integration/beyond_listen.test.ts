import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { type ClientConfig, type DriverError, listen, type ListenOptions, Pool } from "../../mod.ts";
import { deferred } from "../../src/duplex/waiting.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const connectionString = connectionUrl(postgres, "scram_user");
const admin = await connectClient(postgres);
after(() => admin.end());

let number = 0;

/** A channel, and an application name by which its listener is found. */
function fresh(): { channel: string; config: ClientConfig; name: string } {
  const name = `beyond_listen_${process.pid}_${Date.now()}_${++number}`;
  return { channel: `odd "channel" ${name}`, config: { connectionString, application_name: name }, name };
}

const notify = (channel: string, payload: string) => admin.query("select pg_notify($1, $2)", [channel, payload]);
const kill = (name: string) =>
  admin.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = $1", [name]);

/** Waits until the server has no connection of this name any more. */
async function gone(name: string): Promise<void> {
  for (let count = 1; count > 0;) {
    const { rows } = await admin.query("select count(*)::int from pg_stat_activity where application_name = $1", [
      name,
    ]);
    count = rows[0].count;
  }
}

/** Listens, and has `subscribed` called each time. */
function listening(source: Parameters<typeof listen>[0], channel: string, options: ListenOptions = {}) {
  let told = (_again: boolean) => {};
  const waiting: boolean[] = [];
  const notifications = listen(source, [channel], {
    ...options,
    onSubscribe: (again) => {
      waiting.push(again);
      told(again);
    },
  });
  const subscribed = () =>
    new Promise<boolean>((resolve) => {
      told = () => resolve(waiting.shift() ?? false);
      if (waiting.length > 0) told(true);
    });
  return { notifications, subscribed };
}

test("notifications come in their order, and leaving the loop closes the connection", async () => {
  const { channel, config, name } = fresh();
  const { notifications, subscribed } = listening(config, channel);
  const first = notifications.next();
  assert.equal(await subscribed(), false);
  for (const payload of ["one", "two", ""]) await notify(channel, payload);
  const payloads = [(await first).value?.payload];
  for await (const notification of notifications) {
    assert.deepEqual(notification, { channel, payload: notification.payload, processId: admin.processID });
    payloads.push(notification.payload);
    if (notification.payload === "") break;
  }
  assert.deepEqual(payloads, ["one", "two", ""]);
  await gone(name);
});

test("a connection that is lost is made again, as often as needed, and tells so", async () => {
  const { channel, config, name } = fresh();
  const { notifications, subscribed } = listening(config, channel);
  for (const round of ["first", "second", "third"]) {
    const next = notifications.next();
    assert.equal(await subscribed(), round !== "first");
    await notify(channel, round);
    assert.equal((await next).value?.payload, round);
    await kill(name);
    await gone(name);
  }
  await notifications.return();
});

test("a pool may lend the connection, and gets none back that still listens", async () => {
  const { channel, config } = fresh();
  await using pool = new Pool({ ...config, max: 1 });
  const { notifications, subscribed } = listening(pool, channel);
  const next = notifications.next();
  await subscribed();
  await notify(channel, "hello");
  assert.equal((await next).value?.payload, "hello");
  await notifications.return();
  assert.deepEqual((await pool.query("select pg_listening_channels() as channel")).rows, []);
});

test("a signal ends it: while it waits, while it connects again, and before it began", async () => {
  const reason = new Error("enough");
  for (const at of ["waiting", "pausing", "before"]) {
    const { channel, config, name } = fresh();
    const controller = new AbortController();
    if (at === "before") controller.abort(reason);
    const { notifications, subscribed } = listening(config, channel, { signal: controller.signal });
    const next = rejection(notifications.next());
    if (at !== "before") await subscribed();
    if (at === "pausing") {
      await kill(name);
      await gone(name);
    }
    controller.abort(reason);
    const error = await next as DriverError;
    assert.equal(error.code, "ABORTED", at);
    assert.equal(error.cause, reason, at);
    await gone(name);
  }
});

test("what onSubscribe throws ends listening, the first time and every other", async () => {
  for (const failsAt of [1, 2]) {
    const { channel, config, name } = fresh();
    let calls = 0;
    const subscribed = deferred<void>();
    const notifications = listen(config, channel, {
      onSubscribe: () => {
        if (++calls === failsAt) throw new Error("the table is gone");
        subscribed.resolve();
      },
    });
    const next = rejection(notifications.next());
    if (failsAt > 1) {
      await subscribed.promise;
      await kill(name);
    }
    assert.match(String(await next), /the table is gone/);
    assert.equal(calls, failsAt);
    await gone(name);
  }
});

test("who is too slow is told, rather than memory filled", async () => {
  const { channel, config, name } = fresh();
  const { notifications, subscribed } = listening(config, channel, { maxWaiting: 3 });
  const first = notifications.next();
  await subscribed();
  await notify(channel, "first");
  await first;
  await admin.query("select pg_notify($1, n::text) from generate_series(1, 10) n", [channel]);
  const error = await rejection((async () => {
    for await (const _ of notifications) await admin.query("select pg_sleep(0.02)");
  })()) as DriverError;
  assert.equal(error.code, "LISTEN_OVERFLOW");
  await gone(name);
});

test("a connection that does not answer any more is given up", async () => {
  const { channel, config, name } = fresh();
  const { notifications, subscribed } = listening(config, channel, { heartbeatMillis: 50 });
  const next = notifications.next();
  await subscribed();
  const { rows: [{ pid }] } = await admin.query("select pid from pg_stat_activity where application_name = $1", [name]);
  process.kill(pid, "SIGSTOP");
  try {
    assert.equal(await subscribed(), true);
    await notify(channel, "after all");
    assert.equal((await next).value?.payload, "after all");
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await notifications.return();
  await gone(name);
});

test("what the first connection fails for is thrown", async () => {
  const wrong = connectionUrl(postgres, "scram_user", { password: "wrong" });
  await assert.rejects(listen(wrong, "channel").next(), { code: "28P01" });
  await assert.rejects(listen({ host: "127.0.0.1", port: 1 }, "channel").next(), {
    driverCode: "TRANSPORT_OPEN_FAILED",
  });
});

for (const channels of ["", [], ["a", ""], ["a\0"], [1 as unknown as string]]) {
  test(`refused as channels: ${JSON.stringify(channels)}`, async () => {
    await assert.rejects(listen(connectionString, channels).next(), { code: "LISTEN_CHANNELS" });
  });
}
