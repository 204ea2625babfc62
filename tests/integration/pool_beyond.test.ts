/** What our pool does apart from what pg-pool does. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import Cursor from "pg-cursor";
import QueryStream from "pg-query-stream";
import { Client, type ClientConfig, Pool, type PoolClient, type PoolConfig } from "../../mod.ts";
import { rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { COUNTING_DELAY_MILLIS, startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const url = connectionUrl(postgres, "scram_user");
const make = (config: PoolConfig = {}) => new Pool({ connectionString: url, ...config });

test("the first query of a new client leaves with the authentication, unless somebody wants to see the client first", async () => {
  const cases: readonly (readonly [what: string, turns: number, config: PoolConfig, listen: string[]])[] = [
    ["nothing said", 2, {}, []],
    ["a listener for what comes later", 2, {}, ["remove", "release", "error"]],
    ["onConnect", 3, { onConnect: () => {} }, []],
    ["verify", 3, { verify: (_client, done) => done() }, []],
    ["a listener of connect", 3, {}, ["connect"]],
    ["a listener of acquire", 3, {}, ["acquire"]],
  ];
  for (const [what, turns, config, events] of cases) {
    await using relay = await startRelay({ target: postgres, delayMillis: COUNTING_DELAY_MILLIS });
    const pool = make({ ...config, connectionString: connectionUrl(relay, "scram_user") });
    for (const event of events) pool.on(event, () => {});
    assert.deepEqual((await pool.query("select $1::int as n", [7])).rows, [{ n: 7 }]);
    assert.equal(relay.connections[0].turns, turns, what);
    await pool.end();
  }
});

test("a listener of connect may prepare the client before the query that it was made for", async () => {
  await using pool = make();
  pool.on("connect", (client: PoolClient) => void client.query("set application_name = 'prepared'"));
  assert.equal((await pool.query("show application_name")).rows[0].application_name, "prepared");
});

test("a pool of a request: await using ends it, with all its clients closed", async () => {
  const clients: PoolClient[] = [];
  {
    await using pool = new Pool(url);
    await using client = await pool.connect();
    clients.push(client);
    await client.query("select 1");
    await pool.query("select 1");
    assert.equal(pool.totalCount, 2);
  }
  assert.equal(clients[0].connection.stream.destroyed, true);
});

test("await using gives a client back, once", async () => {
  await using pool = make();
  {
    await using first = await pool.connect();
    assert.equal(pool.idleCount, 0);
    await first.query("select 1");
  }
  assert.equal(pool.idleCount, 1);
  {
    await using second = await pool.connect();
    second.release();
    assert.equal(pool.idleCount, 1);
  }
  assert.equal(pool.idleCount, 1);
  const third = await pool.connect();
  third[Symbol.dispose]();
  assert.equal(pool.idleCount, 1);
});

test("who has asked before end is served; then the pool ends, after its last client is closed", async () => {
  const pool = make({ max: 1 });
  const removed: PoolClient[] = [];
  pool.on("remove", (client: PoolClient) => removed.push(client));
  const answers = [1, 2, 3].map((n) => pool.query("select $1::int as n", [n]));
  await pool.end();
  assert.equal(removed.length, 1);
  assert.deepEqual((await Promise.all(answers)).map(({ rows }) => rows[0].n), [1, 2, 3]);
  await pool[Symbol.asyncDispose]();
});

test("an idle client that dies unheard leaves quietly, and the next query gets another", async () => {
  await using pool = make();
  const client = await pool.connect();
  client.release();
  const removed = new Promise((resolve) => pool.on("remove", resolve));
  client.connection.stream.destroy();
  await removed;
  assert.equal(pool.totalCount, 0);
  assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("an idle client that its former user ends is not handed out again", async () => {
  await using pool = make();
  const client = await pool.connect();
  client.release();
  await client.end();
  assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
  assert.equal(pool.totalCount, 1);
});

test("a signal ends waiting, for a client and for an answer, and leaves the pool as it was", async () => {
  await using pool = make({ max: 1 });
  const client = await pool.connect();
  const controller = new AbortController();
  const { signal } = controller;
  const waiting = [pool.connect({ signal }), pool.query({ text: "select 1", signal })];
  const failures = Promise.all(waiting.map(rejection));
  controller.abort(new Error("enough"));
  for (const failure of await failures) assert.equal((failure as { code: string }).code, "ABORTED");
  assert.equal(pool.waitingCount, 0);
  assert.equal((await rejection(pool.connect({ signal })) as { code: string }).code, "ABORTED");
  client.release();
  const running = new AbortController();
  const asleep = pool.query({ text: "select pg_sleep(60)", signal: running.signal });
  running.abort();
  assert.equal((await rejection(asleep) as { code: string }).code, "ABORTED");
  assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("a query that is given up while its client connects fails at once, and the client serves the next", async () => {
  await using relay = await startRelay({ target: postgres, delayMillis: COUNTING_DELAY_MILLIS });
  await using pool = make({ connectionString: connectionUrl(relay, "scram_user"), max: 1 });
  const controller = new AbortController();
  const early = pool.query({ text: "select 1", signal: controller.signal });
  controller.abort();
  assert.equal((await rejection(early) as { code: string }).code, "ABORTED");
  assert.equal(relay.connections.filter(({ turns }) => turns > 1).length, 0);
  assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("a server that says nothing is given up after connectionTimeoutMillis, in node-postgres's words", async () => {
  await using relay = await startRelay({ target: postgres, fault: { from: "client", after: 1, action: "stall" } });
  await using pool = make({ connectionString: connectionUrl(relay, "scram_user"), connectionTimeoutMillis: 100 });
  for (const failure of [rejection(pool.connect()), rejection(pool.query("select 1"))]) {
    const { message, code, cause } = await failure as { message: string; code: string; cause: Error };
    assert.deepEqual([message, code], ["Connection terminated due to connection timeout", "TIMEOUT_CONNECT"]);
    assert.match(cause.message, /timeout expired/);
  }
  assert.equal(pool.totalCount, 0);
});

test("what is to wait for longer than timers can is not given up at once", async () => {
  await using pool = make({ max: 1, connectionTimeoutMillis: Infinity, idleTimeoutMillis: Infinity });
  const client = await pool.connect();
  const waiting = pool.query("select pg_backend_pid() as id");
  const { rows } = await client.query("select pg_backend_pid() as id from pg_sleep(0.05)");
  client.release();
  assert.deepEqual((await waiting).rows, rows);
  await using another = make();
  await another.query("select pg_sleep(0.05)"); // meanwhile it is idle
  assert.deepEqual((await pool.query("select pg_backend_pid() as id")).rows, rows);
});

test("a client that does not even answer is given up, and closed where it connects too late", async () => {
  let connectLate = () => {};
  class Late extends Client {
    // deno-lint-ignore no-explicit-any -- one of the forms is enough here
    override connect(callback: any): any {
      connectLate = () => super.connect(callback);
    }
  }
  await using pool = make({ Client: Late, connectionTimeoutMillis: 20, max: 1 });
  const { message } = await rejection(pool.connect()) as Error;
  assert.equal(message, "Connection terminated due to connection timeout");
  assert.equal(pool.totalCount, 0);
  connectLate();
});

test("options that cannot be used fail each who asks, and hold up nobody", async () => {
  await using pool = new Pool({ connectionString: url, port: 99_999 as number, max: 1 });
  await using wrong = new Pool({ ...pool.options, connectionString: "postgres://host:port" });
  const failures = [wrong.connect(), wrong.query("select 1"), wrong.query("select 1")].map(rejection);
  for (const failure of await Promise.all(failures)) {
    assert.match((failure as { code: string }).code, /^CONFIG_/);
  }
  assert.throws(() => new Pool({ max: -1 }), { code: "POOL_OPTION" });
});

test("the pool's idle timeout is none of its clients' business", async () => {
  await using pool = make({ idleTimeoutMillis: 20 });
  const client = await pool.connect();
  await client.query("select pg_sleep(0.1)");
  const still = await pool.query("select pg_sleep(0.1), 1 as n");
  assert.equal(still.rows[0].n, 1);
  assert.deepEqual((await client.query("select 2 as n")).rows, [{ n: 2 }]);
  client.release();
});

test("no password shows when a pool, its options or its clients are printed, and all can be read", async () => {
  const key = "-----KEY-----";
  const secret = "pass-never-shown";
  const own = {
    ...{ password: secret, connectionString: `postgres://u:${secret}@h/d`, sslpassword: secret },
    ...{ ssl: { key, passphrase: secret, pfx: secret }, oauthBearerToken: secret },
  };
  const pool = new Pool(own);
  for (const shown of [inspect(pool, { depth: 9 }), JSON.stringify(pool.options), inspect(pool.options)]) {
    assert.ok(!shown.includes(secret) && !shown.includes(key), shown);
  }
  assert.equal(pool.options.password, secret);
  assert.deepEqual(Object.keys(own.ssl), ["key", "passphrase", "pfx"], "what was given is left as it was");
  assert.equal((pool.options.ssl as { passphrase?: string }).passphrase, secret);
  await using real = make();
  const client = await real.connect();
  assert.ok(!inspect(client, { depth: 9 }).includes(String(client.password)));
  client.release();
});

test("a class of the program's own, or a copy of the options by spread, has the connection string", async () => {
  class Named extends Client {
    constructor(config?: ClientConfig) {
      super({ ...config, application_name: "named" });
    }
  }
  await using pool = new Pool({ connectionString: url, Client: Named, max: 1 });
  await using copy = new Pool({ ...pool.options });
  for (const one of [pool, copy]) {
    assert.deepEqual((await one.query("show application_name")).rows, [{ application_name: "named" }]);
  }
});

test("the options given are not changed, and those of the pool may be", async () => {
  const options = { connectionString: url, max: 1 };
  await using pool = new Pool(options);
  const first = await pool.connect();
  assert.deepEqual(options, { connectionString: url, max: 1 });
  pool.options.max = 2;
  const second = await pool.connect();
  first.release();
  second.release();
  assert.equal(pool.totalCount, 2);
});

test("a submittable given to the pool has a client of its own until it has ended", async () => {
  await using pool = make({ max: 1 });
  const cursor = new Cursor("select n from generate_series(1, 5) n");
  const over = pool.query(cursor);
  const behind = pool.query("select 'behind' as place");
  assert.equal((await cursor.read(2)).length, 2);
  assert.equal(pool.waitingCount, 1);
  await cursor.close();
  await over;
  assert.deepEqual((await behind).rows, [{ place: "behind" }]);
  const stream = new QueryStream("select n from generate_series(1, 500) n");
  pool.query(stream);
  const rows: unknown[] = [];
  for await (const row of stream) rows.push(row);
  assert.equal(rows.length, 500);
  const failing = new Cursor("select nonsense");
  pool.query(failing);
  assert.equal((await rejection(failing.read(1)) as { code: string }).code, "42703");
  assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("a submittable for which there is no client is told", async () => {
  const pool = make();
  await pool.end();
  const cursor = new Cursor("select 1");
  const failure = rejection(pool.query(cursor));
  assert.equal((await rejection(cursor.read(1)) as { code: string }).code, "POOL_ENDED");
  assert.equal((await failure as { code: string }).code, "POOL_ENDED");
});

test("the time that a query has begins when its client is connected", async () => {
  const { username, password, pathname } = new URL(url);
  const patience = 200;
  await using pool = make({
    connectionString: undefined,
    host: postgres.host,
    port: postgres.port,
    database: pathname.slice(1),
    user: username,
    password: () => new Promise((resolve) => setTimeout(resolve, patience + 100, decodeURIComponent(password))),
    query_timeout: patience,
  });
  assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("a client whose connect throws leaves the pool, and whoever asked is told", async () => {
  class Throwing extends Client {
    override connect(): never {
      throw new Error("of my own");
    }
  }
  await using pool = make({ Client: Throwing, max: 1 });
  for (const failure of [rejection(pool.connect()), rejection(pool.query("select 1"))]) {
    assert.equal((await failure as Error).message, "of my own");
  }
  assert.equal(pool.totalCount, 0);
});

test("what listeners and callbacks throw leaves the pool as it is", async () => {
  await using pool = make({ max: 1 });
  const thrown: unknown[] = [];
  const catchUncaught = (error: unknown) => void thrown.push(error);
  process.prependListener("uncaughtException", catchUncaught);
  const listeners = process.listeners("uncaughtException").filter((listener) => listener !== catchUncaught);
  for (const listener of listeners) process.removeListener("uncaughtException", listener);
  try {
    pool.once("acquire", () => {
      throw new Error("of a listener");
    });
    pool.query("select 1", () => {
      throw new Error("of a callback");
    });
    while (thrown.length < 2) await pool.query("select 1");
    assert.deepEqual(thrown.map((error) => (error as Error).message), ["of a listener", "of a callback"]);
  } finally {
    process.removeListener("uncaughtException", catchUncaught);
    for (const listener of listeners) process.on("uncaughtException", listener);
  }
});

test("an error's stack leads to whoever awaits", async () => {
  await using pool = make();
  async function innerFunction(run: () => PromiseLike<unknown>) {
    return await run();
  }
  async function outerFunction(run: () => PromiseLike<unknown>) {
    await innerFunction(run);
  }
  const refusing = make({ connectionString: undefined, host: "127.0.0.1", port: 1 });
  const client = await pool.connect();
  const fresh = new (client.constructor as new (config: PoolConfig) => PoolClient)({ host: "127.0.0.1", port: 1 });
  for (
    const run of [
      () => client.query("select nonsense"),
      () => client.query("select $1::int", ["x"]),
      () => pool.query("select nonsense"),
      () => refusing.query("select 1"),
      () => refusing.connect(),
      () => fresh.connect(),
    ]
  ) {
    const { stack } = await rejection(outerFunction(run)) as { stack: string };
    assert.match(stack, /innerFunction[^]*outerFunction/);
  }
  client.release();
});
