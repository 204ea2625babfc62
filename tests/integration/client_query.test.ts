import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { Client, DatabaseError, Query, type QueryConfig, type Result } from "../../mod.ts";
import { comparableReport, comparableResult, connectClient, connectOracle, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
const oracle = await connectOracle(postgres);
after(async () => {
  await client.end();
  await oracle.end();
});

const fresh = () => new Client(connectionUrl(postgres, "scram_user"));

test("every form of arguments gives what node-postgres gives, by promise", async () => {
  const forms: readonly (readonly [config: string | QueryConfig, values?: unknown[]])[] = [
    ["select 1 as one"],
    ["select $1::int as one, $2::text as two", [1, "zwei"]],
    ["select 1 as one", []],
    [{ text: "select 1 as one" }],
    [{ text: "select $1::int as one", values: [7] }],
    [{ text: "select $1::int as one" }, [8]],
    [{ text: "select $1::int as one", values: [7] }, [8]],
    [{ text: "select $1::int as a, 2 as a, 'x' as b", values: [1], rowMode: "array" }],
    [{ text: "select 1 as one", queryMode: "extended" }],
  ];
  for (const [config, values] of forms) {
    const ours = await client.query(config, values);
    const theirs = await oracle.query(config, values);
    assert.deepEqual(comparableResult(ours), comparableResult(theirs), JSON.stringify([config, values]));
  }
});

/** As the statements of npm `sql-template-strings`, and stricter. */
class Statement implements QueryConfig {
  readonly #words = ["select", "$1::int as n"];
  values = [1];

  get text(): string {
    return this.#words.join(" ");
  }
}

test("a config may be an object of a class whose text is a getter, whatever is added to it", async () => {
  const { signal } = new AbortController();
  const rows: unknown[] = [
    (await client.query(new Statement())).rows[0],
    (await client.query(new Statement(), [2])).rows[0],
    await client.transaction(async (tx) => (await tx.query(new Statement())).rows[0], { signal }),
  ];
  for await (const row of client.stream(new Statement(), undefined, { signal })) rows.push(row);
  assert.deepEqual(rows, [{ n: 1 }, { n: 2 }, { n: 1 }, { n: 1 }]);
});

test("a deadline that no timer can wait for is none", async () => {
  const text = "select 1 as n from pg_sleep(0.05)";
  for (const query_timeout of [Infinity, 2 ** 31, Number.MAX_SAFE_INTEGER]) {
    assert.deepEqual((await client.query({ text, query_timeout })).rows, [{ n: 1 }], String(query_timeout));
  }
});

test("a callback is taken in each position, with the result or with the error", async () => {
  const ask = (run: (callback: (error: Error | null, result: Result) => void) => unknown) =>
    new Promise<Result>((resolve, reject) => {
      const returned = run((error, result) => error ? reject(error) : resolve(result));
      assert.equal(returned, undefined);
    });
  const results = await Promise.all([
    ask((callback) => client.query("select 1 as n", callback)),
    ask((callback) => client.query("select $1::int as n", [2], callback)),
    ask((callback) => client.query({ text: "select $1::int as n", values: [3] }, callback)),
    ask((callback) => client.query({ text: "select $1::int as n" }, [4], callback)),
    ask((callback) => client.query("select 5 as n", undefined, callback)),
  ]);
  assert.deepEqual(results.map(({ rows }) => rows[0].n), [1, 2, 3, 4, 5]);
  await assert.rejects(ask((callback) => client.query("select nonsense", callback)), { code: "42703" });
});

test("a query that cannot be sent fails after query() has returned, so that there is time to listen", async () => {
  const ended = fresh();
  await ended.end();
  const cases: readonly (readonly [Client, string | QueryConfig, unknown[], string])[] = [
    [client, "select $1", [Symbol("x")], "VALUE_UNENCODABLE"],
    [client, "select '\0'", [], "STRING_CONTAINS_NUL"],
    [client, { text: "select 1", signal: AbortSignal.abort() }, [], "ABORTED"],
    [ended, "select 1", [], "CLIENT_CLOSED"],
  ];
  for (const [on, config, values, code] of cases) {
    const query = on.query(new Query(config as QueryConfig, values));
    const [error] = await once(query, "error").catch((error) => [error]);
    assert.equal(error.code, code);
    assert.equal(error.safeToRetry, true);
  }
});

test("an absent callback may be null; one that is no function is refused, as in node-postgres", async () => {
  const query: unknown = client.query("select $1::int as n", [1], null as never);
  assert.deepEqual((await (query as Promise<Result>)).rows, [{ n: 1 }]);
  for (const each of [client, oracle]) {
    assert.throws(() => each.query("select 1", [], "no function" as never), {
      name: "TypeError",
      message: "callback is not a function",
    });
  }
});

test("null and undefined are refused as node-postgres refuses them", () => {
  for (const nothing of [null, undefined] as unknown as string[]) {
    assert.throws(() => client.query(nothing), TypeError);
  }
});

test("results: statements of every kind are reported as node-postgres reports them", async () => {
  const texts = [
    "create temp table results (id int primary key, name text)",
    "insert into results select n, 'name ' || n from generate_series(1, 5) n",
    "insert into results values (6, null) returning *",
    "update results set name = 'x' where id < 3",
    'delete from results where id = 1 returning id as "the id"',
    "select * from results order by id",
    "select * from results where false",
    "select from results",
    "table results",
    "values (1, 'a'), (2, 'b')",
    "",
    ";",
    "-- nothing\n/* at all */",
    "select 1 as a; select 2 as b, 3 as c",
    "select 1 as a;; insert into results values (7, 'y'); select name from results where id = 7",
    "begin; select 1; commit",
    "copy results to stdout",
    "set search_path = public",
    "show search_path",
    "explain (costs off) select 1",
    "do $$ begin null; end $$",
    "fetch 1 from nothing_yet",
    "drop table results",
  ];
  const errors = /nothing_yet/;
  for (const text of texts) {
    if (errors.test(text)) {
      const [ours, theirs] = [await rejection(client.query(text)), await rejection(oracle.query(text))];
      assert.deepEqual(comparableReport(ours), comparableReport(theirs), text);
      continue;
    }
    assert.deepEqual(withoutTables(await client.query(text)), withoutTables(await oracle.query(text)), text);
  }
});

/** Each connection's temporary table has an OID of its own. */
function withoutTables(result: unknown): unknown {
  const replacer = (key: string, value: unknown) => key === "tableID" ? value !== 0 : value;
  return JSON.parse(JSON.stringify(comparableResult(result), replacer));
}

test("the server's errors have the fields of node-postgres", async () => {
  await client.query("create table strict (id int primary key check (id < 10), name text not null)");
  const cases: readonly (readonly [text: string, values?: unknown[]])[] = [
    ["select nonsense"],
    ["select $1::int", ["zwölf"]],
    ["selec 1"],
    ["select 1 from nowhere where x = $1", [1]],
    ["insert into strict values (1, null)"],
    ["insert into strict values (11, 'a')"],
    ["insert into strict values (1, 'a'), (1, 'b')"],
    ["do $$ begin raise exception 'by hand' using detail = 'd', hint = 'h', errcode = 'XX123'; end $$"],
    ["do $$ begin execute 'select nonsense'; end $$"],
    ["select 1/0"],
    ["begin; select 1/0; select 2"], // leaves a failed transaction
    ["select 1"],
  ];
  for (const [text, values] of cases) {
    const ours = await rejection(client.query(text, values));
    assert.ok(ours instanceof DatabaseError, text);
    assert.deepEqual(comparableReport(ours), comparableReport(await rejection(oracle.query(text, values))), text);
  }
  await oracle.query("rollback");
  await client.query("rollback; drop table strict");
});

test("several statements stop at the first that fails", async () => {
  await assert.rejects(client.query("select 1; select 1/0; select 3"), { code: "22012" });
  assert.equal((await client.query("select 4 as n")).rows[0].n, 4);
});

test("10,000 parameterised queries at once are answered each with its own", async () => {
  const numbers = Array.from({ length: 10_000 }, (_, index) => index);
  const results = await Promise.all(
    numbers.map((n) => client.query("select $1::int as n, $2::text as t", [n, `t${n}`])),
  );
  assert.deepEqual(results.map(({ rows }) => rows), numbers.map((n) => [{ n, t: `t${n}` }]));
});

test("errors in a pipeline touch only their own query", async () => {
  const broken = (index: number) => index % 7 === 3;
  const kinds: readonly ((index: number) => Promise<Result>)[] = [
    (index) => client.query(broken(index) ? "select nonsense" : `select ${index} as n`),
    (index) => client.query(broken(index) ? "select 1 / ($1::int - $1::int)" : "select $1::int as n", [index]),
    (index) => client.query("select $1::int as n", [broken(index) ? Symbol("no") : index]),
    (index) => client.query({ name: `pipe ${index}`, text: broken(index) ? "selec" : `select ${index} as n` }),
  ];
  const outcomes = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => kinds[index % 4](index)));
  const found = outcomes.map((outcome) => outcome.status === "fulfilled" ? outcome.value.rows[0].n : "failed");
  assert.deepEqual(found, Array.from({ length: 100 }, (_, index) => broken(index) ? "failed" : index));
});

test("queries given before connect are answered, in their order, also those that fail", async () => {
  for (const user of ["scram_user", "trust_user", "md5_user"] as const) {
    await using early = new Client(connectionUrl(postgres, user));
    const order: unknown[] = [];
    const note = (name: string) => (error: Error | null) => order.push(error ? (error as DatabaseError).code : name);
    early.query("select 1", note("first"));
    early.query("select nonsense", note("second"));
    early.query("select $1", [Symbol("no")], note("third"));
    const last = early.query("select $1::text as user", [user]);
    await early.connect();
    assert.equal((await last).rows[0].user, user);
    assert.deepEqual(order.toSorted(), ["42703", "VALUE_UNENCODABLE", "first"]);
  }
});

test("transactions: the status follows the server's", async () => {
  await using own = fresh();
  assert.equal(own.getTransactionStatus(), null);
  await own.connect();
  const steps: readonly (readonly [text: string, status: string])[] = [
    ["select 1", "I"],
    ["begin", "T"],
    ["create temp table t (x int unique)", "T"],
    ["savepoint s", "T"],
    ["insert into t values (1), (1)", "E"],
    ["rollback to s", "T"],
    ["insert into t values (2)", "T"],
    ["commit", "I"],
  ];
  for (const [text, status] of steps) {
    await own.query(text).catch((error) => assert.equal(error.code, "23505"));
    assert.equal(own.getTransactionStatus(), status, text);
  }
  assert.deepEqual((await own.query("select x from t")).rows, [{ x: 2 }]);
});

test("notices arrive as events, with node-postgres's fields", async () => {
  const text = "do $$ begin raise warning 'careful' using detail = 'd', hint = 'h'; end $$";
  const notices: unknown[] = [];
  for (const each of [client, oracle]) {
    const heard = once(each, "notice");
    await each.query(text);
    const { name: _name, length: _length, ...notice } = comparableReport((await heard)[0]);
    notices.push(notice);
  }
  assert.deepEqual(notices[0], notices[1]);
  assert.equal((notices[0] as { message: string }).message, "careful");
});

test("LISTEN and NOTIFY work from node-postgres to us and back", async () => {
  for (const each of [client, oracle]) await each.query("listen channel");
  const heard = () => Promise.all([once(client, "notification"), once(oracle, "notification")]);
  for (const sender of [oracle, client]) {
    const both = heard();
    await sender.query("select pg_notify('channel', $1)", ["päyload"]);
    for (const [{ channel, payload, processId: from }] of await both) {
      assert.deepEqual({ channel, payload, from }, { channel: "channel", payload: "päyload", from: sender.processID });
    }
  }
  for (const each of [client, oracle]) await each.query("unlisten *");
});

test("a notification reaches a client that is idle", async () => {
  await client.query("listen idle_channel");
  const heard = once(client, "notification");
  await oracle.query("notify idle_channel");
  const [{ channel, payload }] = await heard;
  assert.deepEqual([channel, payload], ["idle_channel", ""]);
  await client.query("unlisten *");
});

test("the server's parameters are known and kept current", async () => {
  await using own = fresh();
  assert.equal(own.parameters.size, 0);
  await own.connect();
  assert.match(own.parameters.get("server_version") ?? "", /^18/);
  assert.equal(own.parameters.get("client_encoding"), "UTF8");
  await own.query("set application_name = 'näme'");
  const reported = (await own.query("show application_name")).rows[0].application_name;
  assert.equal(own.parameters.get("application_name"), reported);
});

test("events: connect once, drain each time nothing is outstanding, end at last", async () => {
  const own = fresh();
  const events: string[] = [];
  for (const name of ["connect", "drain", "end", "error"]) own.on(name, () => events.push(name));
  await own.connect();
  assert.deepEqual(events, ["connect"]);
  await Promise.all([own.query("select 1"), own.query("select 2"), own.query("select nonsense").catch(() => {})]);
  assert.deepEqual(events, ["connect", "drain"]);
  await own.query("select 3");
  await own.end();
  assert.deepEqual(events, ["connect", "drain", "drain", "end"]);
});

test("a Query reports by events: row, end, error; listeners may come after query()", async () => {
  const query = client.query(new Query("select n from generate_series(1, 3) n"));
  const rows: unknown[] = [];
  query.on("row", (row, result) => rows.push([row, result.fields[0].name]));
  const [result] = await once(query, "end");
  assert.deepEqual(rows, [[{ n: 1 }, "n"], [{ n: 2 }, "n"], [{ n: 3 }, "n"]]);
  assert.deepEqual([result.rowCount, result.rows], [3, []]); // whoever listens gathers them himself

  const [gathered] = await once(client.query(new Query({ text: "select $1::int as n", values: [4] })), "end");
  assert.deepEqual(gathered.rows, [{ n: 4 }]);

  const failing = client.query(new Query("select nonsense"));
  const [error] = await new Promise<[DatabaseError]>((resolve) => failing.on("error", (error) => resolve([error])));
  assert.equal(error.code, "42703");
});

test("a Query with a callback gathers its rows and emits them as well", async () => {
  const rows: unknown[] = [];
  const result = await new Promise<Result>((resolve, reject) => {
    const query = new Query("select $1::int as n", [5], (error, result) => error ? reject(error) : resolve(result));
    query.on("row", (row) => rows.push(row));
    assert.equal(client.query(query), query);
  });
  assert.deepEqual([result.rows, rows], [[{ n: 5 }], [{ n: 5 }]]);
});

test("escapeIdentifier and escapeLiteral do as node-postgres's", () => {
  const texts = ["", "plain", "it's", 'say "so"', "back\\slash", "\\'", "näh", "a\nb", "--", "$$", "'; drop table x"];
  for (const text of texts) {
    assert.equal(client.escapeIdentifier(text), oracle.escapeIdentifier(text));
    assert.equal(client.escapeLiteral(text), oracle.escapeLiteral(text));
  }
  for (const odd of [null, undefined, 5, ["x"]] as unknown as string[]) {
    assert.equal(client.escapeLiteral(odd), oracle.escapeLiteral(odd));
  }
});

test("escaped texts mean themselves to the server", async () => {
  for (const text of ["it's", "back\\slash\\", "\\'; select 1", 'q"q']) {
    const { rows, fields } = await client.query(
      `select ${client.escapeLiteral(text)} as ${client.escapeIdentifier(text)}`,
    );
    assert.deepEqual([rows[0][text], fields[0].name], [text, text]);
  }
});

test("processID is the server's, secretKey cancels, and both are null before connect", async () => {
  await using own = fresh();
  assert.deepEqual([own.processID, own.secretKey], [null, null]);
  await own.connect();
  assert.equal(own.processID, (await own.query("select pg_backend_pid() as pid")).rows[0].pid);
  assert.equal(typeof own.secretKey, "number");
});

test("await using ends the client", async () => {
  let inside: Client | undefined;
  {
    await using own = fresh();
    inside = own;
    await own.connect();
    await own.query("select 1");
  }
  await assert.rejects(inside.query("select 1"), { code: "CLIENT_CLOSED" });
});
