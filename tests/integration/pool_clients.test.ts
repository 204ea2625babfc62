/** What a pool makes of clients that break under its hands, of clients of other makes, and of submittables. */

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { after, test } from "node:test";
import Cursor from "pg-cursor";
import QueryStream from "pg-query-stream";
import type { ClientConfig, ClientConstructor, Pool, PoolClient, QueryCallback } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { rejection } from "../fixtures/clients.ts";
import { poolMakers } from "../fixtures/pools.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
after(() => proxy.close({ drainMillis: 0 }));

const counts = ({ totalCount, idleCount, waitingCount }: Pool) => [totalCount, idleCount, waitingCount];

/** As much of a client as tests of pools tend to have. */
class FakeClient extends EventEmitter {
  readonly config: ClientConfig | undefined;
  _queryable = true;
  _ending = false;

  constructor(config?: ClientConfig) {
    super();
    this.config = config;
  }

  connect(callback: (error: Error | null) => void): void {
    queueMicrotask(() => callback(null));
  }

  query(_text: string, values: unknown, callback?: QueryCallback): void {
    queueMicrotask(() => (callback ?? values as QueryCallback)(null as never, { rows: [] } as never));
  }

  end(callback?: () => void): void {
    this._ending = true;
    queueMicrotask(() => callback?.());
  }
}

const fake = (FakeClass: unknown) => ({ Client: FakeClass as ClientConstructor });

for (const { name, make } of poolMakers(postgres, proxy.url)) {
  test(`${name}: a connection that is ended under its client fails it once somebody may listen`, async () => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    client.connection.end();
    const error = await new Promise<Error>((resolve) => client.once("error", resolve));
    assert.equal(error.message, "Connection terminated unexpectedly");
    assert.deepEqual(counts(pool), [1, 0, 0]);
    client.release();
    assert.deepEqual(counts(pool), [0, 0, 0]);
    assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
    await pool.end();
  });

  test(`${name}: an error of the socket fails the query, and the client leaves at once`, async () => {
    const pool = make({ max: 1 });
    const failure = rejection(pool.query("select pg_sleep(60)"));
    const [client] = pool._clients;
    await once(client, "connect");
    client.connection.stream.emit("error", new Error("network issue"));
    assert.equal((await failure as Error).message, "network issue");
    assert.equal(client.connection.stream.destroyed, true);
    assert.deepEqual(counts(pool), [0, 0, 0]);
    await pool.end();
  });

  test(`${name}: an error of an idle client is told as it is emitted, one of a client in use is its user's`, async () => {
    const pool = make({ max: 1 });
    const heard: unknown[] = [];
    pool.on("error", (error, client) => heard.push(error.message, client));
    const client = await pool.connect();
    client.once("error", (error) => heard.push(`user: ${error.message}`));
    client.emit("error", new Error("in use"));
    assert.deepEqual(counts(pool), [1, 0, 0]);
    client.release();
    client.emit("error", new Error("idle"));
    assert.deepEqual(heard, ["user: in use", "idle", client]);
    assert.deepEqual(counts(pool), [0, 0, 0]);
    await pool.end();
  });

  test(`${name}: a query that times out is told once, and takes its client with it`, async () => {
    const pool = make({ max: 1, query_timeout: 200 });
    let told = 0;
    const { message } = await new Promise<Error>((resolve) =>
      pool.query("select pg_sleep(60)", (error) => {
        told++;
        resolve(error as Error);
      })
    );
    assert.equal(message, "Query read timeout");
    assert.deepEqual(counts(pool), [0, 0, 0]);
    assert.deepEqual((await pool.query("select 1 as n")).rows, [{ n: 1 }]);
    assert.equal(told, 1);
    await pool.end();
  });

  test(`${name}: a connect of a class or library's own is there for queries, too`, async () => {
    const pool = make({ max: 1 });
    const { connect } = pool;
    let connects = 0;
    pool.connect = function (this: Pool, ...args: unknown[]) {
      connects++;
      return Reflect.apply(connect, this, args);
    } as typeof connect;
    assert.deepEqual((await pool.query("select $1::int as n", [1])).rows, [{ n: 1 }]);
    const stream = new QueryStream("select 1");
    await pool.query(stream.on("data", () => {}));
    assert.equal((await rejection(pool.query("select nonsense")) as { code: string }).code, "42703");
    assert.equal(connects, 3);
    assert.deepEqual(counts(pool), [0, 0, 0]);
    await pool.end();
  });

  test(`${name}: who looks finds the idle clients and those who wait`, async () => {
    const pool = make({ max: 1 });
    const client = await pool.connect();
    const waiting = pool.connect();
    assert.deepEqual([pool._clients.length, pool._idle.length, pool._pendingQueue.length], [1, 0, 1]);
    client.release();
    (await waiting).release();
    assert.deepEqual([pool._clients, pool._pendingQueue.length], [[client], 0]);
    assert.deepEqual(pool._idle.map(({ client }) => client), [client]);
    await pool.end();
  });

  test(`${name}: clients of another make get the pool's own options, and are kept and closed as others are`, async () => {
    const pool = make({ max: 1, maxUses: 3, ...fake(FakeClient) });
    const client = await pool.connect();
    assert.equal((client as unknown as FakeClient).config, pool.options);
    client.release();
    assert.deepEqual((await pool.query("select 1")).rows, []);
    assert.deepEqual(counts(pool), [1, 1, 0]);
    await pool.query("select 1");
    assert.deepEqual(counts(pool), [0, 0, 0]);
    assert.equal(client._ending, true);
    await pool.end();
  });

  test(`${name}: clients that do not say that they can be queried again are used once`, async () => {
    class Silent extends EventEmitter {
      connect = (callback: () => void) => callback();
      end = (callback?: () => void) => callback?.();
    }
    const pool = make(fake(Silent));
    (await pool.connect()).release();
    assert.deepEqual(counts(pool), [0, 0, 0]);
    await pool.end();
  });

  test(`${name}: an idle client that fails before a waiting connect gets it is replaced`, async () => {
    const pool = make({ max: 1, ...fake(FakeClient) });
    pool.on("error", () => {});
    const client = await pool.connect();
    client.release();
    const waiting = pool.connect();
    client.emit("error", new Error("reset"));
    const next = await waiting;
    assert.notEqual(next, client);
    next.release();
    await pool.end();
  });

  test(`${name}: clients of another make that take too long are brought down, and that is what is said`, async () => {
    class Slow extends FakeClient {
      connection: unknown;
      override connect(callback: (error: Error | null) => void): void {
        const destroy = () => callback(new Error("Connection terminated unexpectedly"));
        this.connection = { stream: { destroy } };
      }
    }
    // pg-pool asks a client that might be a native one.
    const pool = make({ connectionTimeoutMillis: 20, ...fake(Slow) });
    const error = await rejection(pool.connect()) as Error & { cause: Error };
    assert.equal(error.message, "Connection terminated due to connection timeout");
    assert.equal(error.cause.message, "Connection terminated unexpectedly");
    assert.deepEqual(counts(pool), [0, 0, 0]);
    await pool.end();
  });

  test(`${name}: pg-query-stream on the pool resolves or calls back with its result, or what it failed by`, async () => {
    const pool = make({ max: 1 });
    const rows: unknown[] = [];
    const stream = (text: string) => new QueryStream(text).on("data", (row) => rows.push(row)).on("error", () => {});
    const three = stream("select n from generate_series(1, 3) n");
    const [result] = await Promise.all([pool.query(three), once(three, "end")]);
    assert.deepEqual(rows, [{ n: 1 }, { n: 2 }, { n: 3 }]);
    assert.equal(result.command, "SELECT");
    const error = await rejection(pool.query(stream("select nonsense")));
    assert.equal((error as { code: string }).code, "42703");
    const called = await new Promise<unknown[]>((done) =>
      pool.query(stream("select 4 as n"), (...heard: unknown[]) => done(heard))
    );
    assert.equal(called[0], undefined);
    const failed = await new Promise<unknown[]>((done) =>
      pool.query(stream("select nonsense"), (...heard: unknown[]) => done(heard))
    );
    assert.equal((failed[0] as { code: string }).code, "42703");
    assert.deepEqual(counts(pool), [0, 0, 0]);
    await pool.end();
  });

  test(`${name}: cursors of pooled clients, closed or read to the end, leave them to the next`, async () => {
    const pool = make({ max: 1 });
    const read = (count: number) =>
      new Promise<void>((done, fail) =>
        pool.connect((error, client, release) => {
          if (error) return fail(error);
          const cursor = (client as PoolClient).query(new Cursor("select n from generate_series(1, 50) n"));
          cursor.read(count, (error) => {
            if (error) return fail(error);
            cursor.close().then(() => {
              release();
              done();
            }, fail);
          });
        })
      );
    await Promise.all(Array.from({ length: 10 }, (_, n) => read(n % 2 === 0 ? 25 : 100)));
    assert.deepEqual(counts(pool), [1, 1, 0]);
    await pool.end();
  });
}
