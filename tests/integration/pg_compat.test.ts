/** What programs made for node-postgres find here: the same names, the same values, the same words. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { Socket } from "node:net";
import { test } from "node:test";
import { inspect } from "node:util";
import pg from "pg";
import ours, * as everything from "../../mod.ts";
import { Client, type ClientConfig, Connection, type Pool, Query } from "../../mod.ts";
import { rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const url = connectionUrl(postgres, "scram_user");

type ClientClass = new (config?: string | ClientConfig) => Client;
const classes: readonly ClientClass[] = [Client, pg.Client as unknown as ClientClass];
const poolClasses: readonly (new (config: object) => Pool)[] = [ours.Pool, pg.Pool as unknown as typeof Pool];

test("all that node-postgres exports is here, by name and in the default export", () => {
  const theirs = Object.keys(pg).filter((name) => !name.startsWith("_"));
  for (const name of theirs) {
    assert.ok(name in ours, `${name} of the default export`);
    assert.equal((everything as Record<string, unknown>)[name], (ours as unknown as Record<string, unknown>)[name]);
  }
  assert.equal(Client.Query, Query);
  assert.equal(ours.native, null);
});

test("the defaults are node-postgres's, and say nothing until they are changed", async () => {
  assert.deepEqual({ ...ours.defaults }, { ...pg.defaults });
  const before = new Client(url);
  assert.equal(before.connectionParameters.application_name, undefined);
  ours.defaults.application_name = "shop";
  ours.defaults.parseInt8 = true;
  try {
    const client = await new Client(url).connect();
    const { rows } = await client.query("select current_setting('application_name') as name, 1::int8, array[2::int8]");
    assert.deepEqual(rows, [{ name: "shop", int8: 1, array: [2] }]);
    ours.defaults.parseInt8 = false;
    assert.deepEqual((await client.query("select 1::int8, array[2::int8]")).rows, [{ int8: "1", array: ["2"] }]);
    await client.end();
  } finally {
    ours.defaults.application_name = undefined;
    ours.defaults.parseInt8 = false;
  }
});

test("a client shows what node-postgres's shows, and no password", async () => {
  for (const ClientClass of classes) {
    const parts = partsOf(url);
    const client = new ClientClass({ ...parts, ssl: false, binary: true });
    const { user, database, host, port, binary, password, pipeline, ssl } = client;
    assert.deepEqual({ user, database, host, port, password }, parts);
    assert.deepEqual({ binary, pipeline, ssl }, { binary: true, pipeline: false, ssl: false });
    assert.equal(client.connectionParameters.database, database);
    assert.equal(client.connectionParameters.password, password);
    for (const shown of [client, client.connectionParameters]) {
      assert.ok(!inspect(shown, { depth: 9 }).includes(String(password)));
      assert.ok(!JSON.stringify(Object.keys(shown)).includes("password"));
    }
    await client.end();
  }
});

test("the words of an error are node-postgres's, exactly", async () => {
  const scenarios: Readonly<Record<string, (client: Client) => PromiseLike<unknown>>> = {
    "a second connect": (client) => client.connect(),
    "values that are no array": (client) => client.query("select $1", "foo" as never),
    "neither text nor name": (client) => client.query({} as never),
    "a text that is no string": (client) => client.query({ text: {} } as never),
    "a name that was taken": async (client) => {
      await client.query({ name: "taken", text: "select 1" });
      return await client.query({ name: "taken", text: "select 2" });
    },
    "an error of the server": (client) => client.query("select nonsense"),
    "query_timeout": (client) => client.query({ text: "select pg_sleep(60)", query_timeout: 20 }),
    "a connection that is lost in a query": (client) => {
      const query = client.query("select pg_sleep(60)");
      client.connection.stream.destroy();
      return query;
    },
    "end with a query outstanding": (client) => {
      const query = client.query("select pg_sleep(60)");
      void client.end();
      return query;
    },
    "a query after end": async (client) => {
      await client.end();
      return await client.query("select 1");
    },
    "a query after the connection was lost": async (client) => {
      const ended = new Promise((resolve) => client.on("end", resolve));
      client.connection.stream.destroy();
      await ended;
      return await client.query("select 1");
    },
  };
  for (const [what, scenario] of Object.entries(scenarios)) {
    const [here, there] = await Promise.all(classes.map(async (ClientClass) => {
      const client = new ClientClass(url);
      client.on("error", () => {});
      await client.connect();
      const error = await rejection(scenario(client));
      client.connection.stream.destroy();
      return (error as Error).message;
    }));
    assert.equal(here, there, what);
  }
});

test("null and a callback that is none are refused in node-postgres's words", () => {
  for (const ClientClass of classes) {
    const client = new ClientClass(url);
    const cases = [
      [() => client.query(null as never), "Client was passed a null or undefined query"],
      [() => client.query("select 1", [], 3 as never), "callback is not a function"],
    ] as const;
    for (const [work, message] of cases) assert.throws(work, { name: "TypeError", message });
  }
});

test("an error emitted on the connection breaks the client, as tests of node-postgres's do it", async () => {
  for (const ClientClass of classes) {
    const client = new ClientClass(url);
    await client.connect();
    const failed = new Promise<Error>((resolve) => client.on("error", resolve));
    client.connection.emit("error", new Error("expected"));
    assert.equal((await failed).message, "expected");
    assert.equal((await rejection(client.query("select 1")) as Error).message, NOT_QUERYABLE);
    client.connection.stream.destroy();
  }
});

test("the connection tells parameters, notices, notifications and its end", async () => {
  for (const ClientClass of classes) {
    const client = new ClientClass(url);
    const events: string[] = [];
    client.connection.on("parameterStatus", ({ parameterName }) => {
      if (parameterName === "server_version") events.push("parameterStatus");
    });
    for (const event of ["notice", "notification", "end"]) client.connection.on(event, () => events.push(event));
    await client.connect();
    await client.query("do $$ begin raise notice 'hello'; end $$");
    await client.query("listen here");
    await client.query("notify here");
    await client.end();
    assert.deepEqual(events, ["parameterStatus", "notice", "notification", "end"]);
  }
});

test("a notice is a message and no error, with node-postgres's fields", async () => {
  const [here, there] = await Promise.all(classes.map(async (ClientClass) => {
    const client = new ClientClass(url);
    await client.connect();
    const heard = new Promise<object>((resolve) => client.on("notice", resolve));
    await client.query("do $$ begin raise notice 'hello' using detail = 'more', hint = 'less'; end $$");
    const notice = await heard as Record<string, unknown>;
    await client.end();
    assert.ok(!(notice instanceof Error));
    return Object.fromEntries(Object.entries(notice).filter(([, value]) => value !== undefined).sort());
  }));
  assert.deepEqual(here, there);
});

test("Result and TypeOverrides do by themselves what node-postgres's do", () => {
  const fields = [
    { name: "n", dataTypeID: 23, format: "text" },
    { name: "nothing", dataTypeID: 25, format: "text" },
    { name: "own", dataTypeID: 1082, format: "text" },
  ];
  for (const { Result, TypeOverrides } of [ours, pg as unknown as typeof ours]) {
    const types = new TypeOverrides();
    types.setTypeParser(1082, (text: string) => `date ${text}`);
    assert.equal((types.getTypeParser(1082) as (text: string) => unknown)("x"), "date x");
    for (const mode of ["array", undefined]) {
      const result = new Result(mode, types);
      result.addFields(fields as never);
      result.addRow(result.parseRow(["1", null, "2020-01-02"]));
      result.addCommandComplete({ text: "INSERT 0 1" });
      const row = mode === "array" ? [1, null, "date 2020-01-02"] : { n: 1, nothing: null, own: "date 2020-01-02" };
      assert.deepEqual(result.rows, [row]);
      assert.deepEqual([result.command, result.oid, result.rowCount], ["INSERT", 0, 1]);
    }
  }
});

test("utils prepares values and configs as node-postgres's", () => {
  const theirs = (pg as unknown as { utils: typeof ours.utils }).utils;
  const values = [null, undefined, "text", 1, true, [1, [2, "x,y"]], { a: 1 }, new Date(0), Uint8Array.of(1, 2)];
  for (const value of values) {
    const [here, there] = [ours.utils.prepareValue(value), theirs.prepareValue(value)];
    assert.deepEqual(here instanceof Uint8Array ? [...here] : here, there instanceof Uint8Array ? [...there] : there);
    assert.equal(here instanceof Buffer, there instanceof Buffer);
  }
  const callback = () => {};
  for (const args of [["a"], ["a", [1]], ["a", callback], ["a", [1], callback], [{ text: "a" }, [1]]] as const) {
    const [config, ...rest] = args as unknown as [string, unknown, unknown];
    const copy = () => typeof config === "string" ? config : { ...config as object } as never;
    assert.deepEqual(
      ours.utils.normalizeQueryConfig(copy(), ...rest),
      theirs.normalizeQueryConfig(copy(), ...rest),
    );
    for (const { normalizeQueryConfig } of [ours.utils, theirs]) {
      const given = copy();
      assert.notEqual(normalizeQueryConfig(given, ...rest), given);
      assert.deepEqual(given, copy());
    }
  }
});

test("pools: callbacks and promises, in the words of node-postgres's", async () => {
  for (const PoolClass of poolClasses) {
    const pool = new PoolClass({ connectionString: url });
    const { rows } = await pool.query("select 1 as n");
    assert.deepEqual(rows, [{ n: 1 }]);
    await new Promise<void>((resolve) => pool.end(() => resolve()));
  }
});

test("a connection that was not opened does nothing and takes nothing amiss", () => {
  const connection = new Connection();
  connection.query("select 1");
  connection.parse({ text: "select 1" });
  connection.bind();
  connection.sync();
  connection.end();
  assert.equal(connection.stream.write(Uint8Array.of(1)), true);
});

test("a statement that was prepared runs by its name alone; one that was not is refused", async () => {
  for (const ClientClass of classes) {
    const client = new ClientClass(url);
    await client.connect();
    await client.query({ name: "twice", text: "select $1::int * 2 as n", values: [1] });
    const again = { name: "twice", values: [4] } as unknown as everything.QueryConfig;
    assert.deepEqual((await client.query(again)).rows, [{ n: 8 }]);
    await client.end();
  }
  const client = await new Client(url).connect();
  await assert.rejects(client.query({ name: "never" } as never), { code: "QUERY_TEXT", hint: /prepared as "never"/ });
  await client.end();
});

test("a query that could not be sent ends in drain, as any other", async () => {
  for (const ClientClass of classes) {
    const client = new ClientClass(url);
    await client.connect();
    const drained = new Promise((resolve) => {
      client.query({ text: {} } as never, () => client.on("drain", resolve));
    });
    await drained;
    await client.end();
  }
});

test("the option Promise makes a client's promises", async () => {
  class OwnPromise<T> extends Promise<T> {}
  for (const ClientClass of classes) {
    const client = new ClientClass({ connectionString: url, Promise: OwnPromise as PromiseConstructorLike });
    const promises = [client.connect(), client.query("select 1"), client.query("select nonsense")];
    for (const promise of promises) assert.ok(promise instanceof OwnPromise);
    await Promise.allSettled(promises);
    assert.equal((await rejection(promises[2]) as { code: string }).code, "42703");
    await client.end();
  }
});

test("the status of the transaction is where node-postgres keeps it", async () => {
  for (const ClientClass of classes) {
    const client = new ClientClass(url);
    await client.connect();
    const statuses: unknown[] = [];
    for (const text of ["select 1", "begin", "select nonsense", "rollback"]) {
      await client.query(text).catch(() => {});
      await client.query("").catch(() => {});
      statuses.push(client._txStatus);
    }
    assert.deepEqual(statuses, ["I", "T", "E", "I"]);
    await client.end();
  }
});

test("a pipeline is answered before its end, and refuses what would hold it up", async () => {
  for (const ClientClass of classes) {
    const client = new ClientClass({ connectionString: url, pipeline: true });
    await client.connect();
    const failures: string[] = [];
    const handleError = ({ message }: Error) => void failures.push(message);
    client.query({ submit() {}, handleError });
    const paged = client.query({ text: "select 1", rows: 3 });
    failures.push((await rejection(paged) as Error).message);
    assert.deepEqual(failures, [
      "Custom query classes such as pg-cursor and pg-query-stream are not supported in pipeline mode",
      "The `rows` option is not supported in pipeline mode",
    ]);
    const answers = [1, 2, 3].map((n) => client.query("select pg_sleep(0.01), $1::int as n", [n]));
    const ended = client.end();
    assert.deepEqual((await Promise.all(answers)).map(({ rows }) => rows[0].n), [1, 2, 3]);
    await ended;
  }
});

test("the connection tells how the server authenticates, and an empty password is refused in the same words", async () => {
  for (const ClientClass of classes) {
    for (const password of [undefined, "wrong", () => ""]) {
      const client = new ClientClass({ ...partsOf(url), ...(password === undefined ? {} : { password }) });
      let asked = 0;
      client.connection.on("authenticationSASL", () => asked++);
      const connected = client.connect();
      if (password === undefined) await connected.then(() => client.end());
      else if (password === "wrong") await assert.rejects(connected, { code: "28P01" });
      else await assert.rejects(connected, { message: EMPTY_PASSWORD });
      assert.equal(asked, 1);
      client.connection.stream.destroy(); // node-postgres leaves its own open
    }
  }
});

const EMPTY_PASSWORD = "SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string";
const NOT_QUERYABLE = "Client has encountered a connection error and is not queryable";

function partsOf(text: string): { user: string; password: string; host: string; port: number; database: string } {
  const { username, password, hostname, port, pathname } = new URL(text);
  const database = pathname.slice(1);
  return { user: username, password: decodeURIComponent(password), host: hostname, port: Number(port), database };
}

test("the option stream brings the socket, as an object or by a function", async () => {
  for (const ClientClass of classes) {
    for (const stream of [new Socket(), () => new Socket()]) {
      const client = new ClientClass({ connectionString: url, stream });
      await client.connect();
      assert.deepEqual((await client.query("select $1::int as n", [1])).rows, [{ n: 1 }]);
      await client.end();
    }
  }
  const refused = new Client({ ...partsOf(url), port: 1, stream: () => new Socket() });
  await assert.rejects(refused.connect(), { driverCode: "TRANSPORT_OPEN_FAILED", transport: "stream" });
  const nonsense = new Client({ connectionString: url, stream: () => 7 });
  await assert.rejects(nonsense.connect(), { code: "CONFIG_STREAM" });
  await using pool = new ours.Pool({ connectionString: url, stream: () => new Socket() });
  assert.deepEqual((await pool.query("select 2 as n")).rows, [{ n: 2 }]);
});
