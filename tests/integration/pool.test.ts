import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, test } from "node:test";
import type { Client, ClientConstructor, Pool, PoolClient } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { rejection } from "../fixtures/clients.ts";
import { poolMakers } from "../fixtures/pools.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
after(() => proxy.close({ drainMillis: 0 }));

const counts = ({ totalCount, idleCount, waitingCount, expiredCount }: Pool) => [
  totalCount,
  idleCount,
  waitingCount,
  expiredCount,
];

/** All events of a pool, in their order. */
function recordEvents(pool: Pool): string[] {
  const events: string[] = [];
  for (const event of ["connect", "acquire", "release", "remove", "error"]) pool.on(event, () => events.push(event));
  return events;
}

const processId = async (on: Pool | Client): Promise<number> =>
  (await on.query("select pg_backend_pid() as id")).rows[0].id;

for (const { name, make } of poolMakers(postgres, proxy.url)) {
  test(`${name}: query takes every form of arguments`, async () => {
    const pool = make();
    const ask = (run: (callback: (error: unknown, result: { rows: unknown[] }) => void) => unknown) =>
      new Promise<unknown[]>((resolve, reject) => {
        const returned = run((error, result) => error === undefined ? resolve(result.rows) : reject(error));
        assert.equal(returned, undefined);
      });
    assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
    assert.deepEqual((await pool.query("select $1::int as n", [2])).rows, [{ n: 2 }]);
    assert.deepEqual((await pool.query({ text: "select $1::int as n", values: [3] })).rows, [{ n: 3 }]);
    assert.deepEqual((await pool.query({ text: "select $1::int", values: [4], rowMode: "array" })).rows, [[4]]);
    assert.deepEqual(await ask((callback) => pool.query("select 5 as n", callback)), [{ n: 5 }]);
    assert.deepEqual(await ask((callback) => pool.query("select $1::int as n", [6], callback)), [{ n: 6 }]);
    assert.deepEqual(await ask((callback) => pool.query({ text: "select 7 as n" }, callback)), [{ n: 7 }]);
    assert.deepEqual(counts(pool), [1, 1, 0, 0]);
    await pool.end();
  });

  test(`${name}: connect takes a callback or promises; the last client given back is the next one taken`, async () => {
    const pool = make();
    const first = await pool.connect();
    const second = await pool.connect();
    assert.deepEqual(counts(pool), [2, 0, 0, 0]);
    first.release();
    second.release();
    assert.deepEqual(counts(pool), [2, 2, 0, 0]);
    await new Promise<void>((done) => {
      let returned = false;
      const value = pool.connect((error, client, release) => {
        assert.ok(returned, "the callback came before connect() had returned");
        assert.equal(error, undefined);
        assert.equal(client, second);
        assert.equal(client?.release, release);
        release();
        done();
      });
      returned = true;
      assert.equal(value, undefined);
    });
    await pool.end();
  });

  test(`${name}: max is the most there are, and who waits is served in order`, async () => {
    const pool = make({ max: 2 });
    const order: number[] = [];
    const all = Array.from({ length: 6 }, async (_, n) => {
      const client = await pool.connect();
      order.push(n);
      await client.query("select 1");
      client.release();
    });
    assert.deepEqual(counts(pool), [2, 0, 4, 0]);
    await Promise.all(all);
    assert.deepEqual(order.filter((n) => n >= 2), [2, 3, 4, 5]);
    assert.deepEqual(counts(pool), [2, 2, 0, 0]);
    await pool.end();
  });

  test(`${name}: events`, async () => {
    const pool = make();
    const events = recordEvents(pool);
    const reasons: unknown[] = [];
    pool.on("release", (error) => reasons.push(error));
    const client = await pool.connect();
    assert.deepEqual(events, ["connect", "acquire"]);
    client.release();
    const again = await pool.connect();
    assert.equal(again, client);
    const failure = new Error("of my own");
    const removed = once(pool, "remove");
    again.release(failure);
    assert.deepEqual(await removed, [client]);
    assert.deepEqual(events, ["connect", "acquire", "release", "acquire", "release", "remove"]);
    assert.deepEqual(reasons, [undefined, failure]);
    assert.deepEqual(counts(pool), [0, 0, 0, 0]);
    await pool.end();
  });

  test(`${name}: a client given back with true is closed, one whose query has failed too`, async () => {
    const pool = make();
    const client = await pool.connect();
    const removed = once(pool, "remove");
    client.release(true);
    await removed;
    assert.equal((await rejection(pool.query("select nonsense")) as { code: string }).code, "42703");
    assert.deepEqual(counts(pool), [0, 0, 0, 0]);
    assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
    await pool.end();
  });

  test(`${name}: a client cannot be given back twice`, async () => {
    const pool = make();
    const client = await pool.connect();
    const { release } = client;
    release();
    const message = "Release called on client which has already been released to the pool.";
    assert.throws(() => client.release(), { message });
    const again = await pool.connect();
    assert.throws(() => release(), { message }, "an old release gives back what somebody else has taken");
    again.release();
    await pool.end();
  });

  test(`${name}: an idle client whose connection dies leaves, and the pool tells of it`, async () => {
    const pool = make();
    const client = await pool.connect();
    const id = await processId(client);
    client.release();
    const failed = once(pool, "error");
    const other = await pool.connect();
    const killer = await pool.connect();
    other.release();
    await killer.query("select pg_terminate_backend($1)", [id]);
    const [error, dead] = await failed;
    assert.equal(error.code, "57P01");
    assert.equal(error.client, dead);
    assert.equal(dead, client);
    killer.release();
    assert.deepEqual(counts(pool), [1, 1, 0, 0]);
    await pool.end();
  });

  test(`${name}: a client that dies in somebody's hands is closed when it is given back`, async () => {
    const pool = make();
    const victim = await pool.connect();
    victim.on("error", () => {});
    const id = await processId(victim);
    const ended = new Promise((resolve) => victim.on("end", resolve));
    await pool.query("select pg_terminate_backend($1)", [id]);
    await ended;
    victim.release();
    assert.deepEqual(counts(pool), [1, 1, 0, 0]);
    await pool.end();
  });

  test(`${name}: who waits longer than connectionTimeoutMillis is told, and takes no client any more`, async () => {
    const pool = make({ max: 1, connectionTimeoutMillis: 1_000 });
    const client = await pool.connect();
    assert.equal(
      (await rejection(pool.query("select 1")) as Error).message,
      "timeout exceeded when trying to connect",
    );
    const waiting = pool.connect();
    client.release();
    const next = await waiting;
    assert.equal(next, client);
    next.release();
    assert.deepEqual(counts(pool), [1, 1, 0, 0]);
    await pool.end();
  });

  test(`${name}: a server that cannot be reached fails whoever asked, and leaves no client behind`, async () => {
    const pool = make({ connectionString: undefined, host: "127.0.0.1", port: 1, max: 1 });
    const failures = await Promise.all([
      rejection(pool.query("select 1")),
      rejection(pool.connect()),
      new Promise((done) => pool.query("select 1", (error, result) => done(result === undefined ? error : result))),
      new Promise((done) => pool.connect((error, client) => done(client === undefined ? error : client))),
    ]);
    for (const failure of failures) assert.ok(failure instanceof Error);
    assert.deepEqual(counts(pool), [0, 0, 0, 0]);
    await pool.end();
  });

  test(`${name}: idle clients are closed after idleTimeoutMillis, but for min of them`, async () => {
    const pool = make({ idleTimeoutMillis: 20, min: 1 });
    const removed = once(pool, "remove");
    const clients = await Promise.all([pool.connect(), pool.connect()]);
    for (const client of clients) client.release();
    assert.deepEqual(counts(pool), [2, 2, 0, 0]);
    await removed;
    assert.deepEqual(counts(pool), [1, 1, 0, 0]);
    await pool.end();
  });

  test(`${name}: a client that was used maxUses times is closed`, async () => {
    const pool = make({ maxUses: 2 });
    const [first, second, third] = [await processId(pool), await processId(pool), await processId(pool)];
    assert.equal(first, second);
    assert.notEqual(second, third);
    await pool.end();
  });

  test(`${name}: a client older than maxLifetimeSeconds is closed once nobody uses it`, async () => {
    const pool = make({ maxLifetimeSeconds: 0.05 });
    const client = await pool.connect();
    while (pool.expiredCount === 0) await client.query("select pg_sleep(0.01)");
    const removed = once(pool, "remove");
    client.release();
    assert.deepEqual(await removed, [client]);
    const idle = once(pool, "remove");
    await pool.query("select 1");
    await idle;
    assert.deepEqual(counts(pool), [0, 0, 0, 0]);
    await pool.end();
  });

  test(`${name}: onConnect prepares a new client, and what it throws fails whoever asked`, async () => {
    const prepared = make({ onConnect: (client) => client.query("set application_name = 'prepared'") });
    assert.equal((await prepared.query("show application_name")).rows[0].application_name, "prepared");
    await prepared.end();
    const failing = make({ onConnect: () => Promise.reject(new Error("not today")) });
    assert.equal((await rejection(failing.connect()) as Error).message, "not today");
    assert.equal((await rejection(failing.query("select 1")) as Error).message, "not today");
    assert.deepEqual(counts(failing), [0, 0, 0, 0]);
    await failing.end();
  });

  test(`${name}: verify looks at a new client, and refuses it by an error`, async () => {
    let verified = 0;
    const pool = make({ verify: (_client, done) => done(++verified === 1 ? new Error("unfit") : undefined) });
    assert.equal((await rejection(pool.connect()) as Error).message, "unfit");
    await pool.query("select 1");
    await pool.query("select 1");
    assert.equal(verified, 2);
    await pool.end();
  });

  test(`${name}: after end nothing is handed out, and end is told apart from a second one`, async () => {
    const pool = make();
    const running = pool.query("select pg_sleep(0.05), 1 as n");
    const ended = pool.end();
    assert.equal(pool.ending, true);
    const message = "Cannot use a pool after calling end on the pool";
    assert.equal((await rejection(pool.query("select 1")) as Error).message, message);
    assert.equal((await rejection(pool.connect()) as Error).message, message);
    assert.equal((await rejection(pool.end()) as Error).message, "Called end on pool more than once");
    assert.equal((await running).rows[0].n, 1);
    await ended;
    assert.equal(pool.ended, true);
  });

  test(`${name}: promises are made by the option Promise`, async () => {
    class OwnPromise<T> extends Promise<T> {}
    const pool = make({ Promise: OwnPromise as PromiseConstructorLike });
    const promises = [pool.query("select 1"), pool.connect(), pool.query("select nonsense")];
    for (const promise of promises) assert.ok(promise instanceof OwnPromise);
    await rejection(promises[2]);
    (await promises[1] as PoolClient).release();
    await promises[0];
    await pool.end();
  });

  test(`${name}: log is told what happens, in words that tests compare`, async () => {
    const messages: unknown[] = [];
    const pool = make({ log: (message) => messages.push(message), maxUses: 1 });
    await pool.query("select 1");
    await pool.end();
    for (const each of ["connecting new client", "new client connected", "remove expended client", "ending"]) {
      assert.ok(messages.includes(each), each);
    }
  });

  test(`${name}: a function for a text is refused by calling it back`, async () => {
    const pool = make();
    const error = await new Promise<Error>((done) => pool.query(done as never));
    assert.equal(error.message, "Passing a function as the first parameter to pool.query is not supported");
    await pool.end();
  });

  test(`${name}: a thousand queries at once on few clients`, async () => {
    const pool = make({ max: 4 });
    const results = await Promise.all(
      Array.from({ length: 1000 }, (_, n) => pool.query("select $1::int as n", [n])),
    );
    assert.deepEqual(results.map(({ rows }) => rows[0].n), results.map((_, n) => n));
    assert.deepEqual(counts(pool), [4, 4, 0, 0]);
    await pool.end();
  });

  test(`${name}: clients that only have node-postgres's shape will do`, async () => {
    const failing = class extends EventEmitter {
      connect(callback: (error: Error) => void) {
        queueMicrotask(() => callback(new Error("bad news")));
      }
    };
    const pool = make({ Client: failing as unknown as ClientConstructor });
    pool.on("connect", () => assert.fail("no client was connected"));
    assert.equal((await rejection(pool.connect()) as Error).message, "bad news");
    assert.equal((await rejection(pool.query("select 1")) as Error).message, "bad news");
    await pool.end();
  });
}
