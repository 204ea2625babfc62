import assert from "node:assert/strict";
import { once } from "node:events";
import process from "node:process";
import { after, test } from "node:test";
import { Client, ClientError, listen, Pool, Query, TypeRegistry, types } from "../../mod.ts";
import { comparableResult, connectClient, connectOracle, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
const oracle = await connectOracle(postgres);
after(async () => {
  await client.end();
  await oracle.end();
});

const MEGABYTE = 1024 * 1024;

test("65,535 parameters are taken, 65,536 refused before anything is sent", async () => {
  const numbers = Array.from({ length: 65_535 }, (_, index) => index);
  const { rows } = await client.query({
    text: `select array_length(array[${numbers.map((index) => `$${index + 1}`).join(",")}]::int[], 1) as n`,
  }, numbers);
  assert.deepEqual(rows, [{ n: 65_535 }]);
  await assert.rejects(client.query("select 1", [...numbers, 0]), {
    code: "TOO_MANY_PARAMETERS",
    host: postgres.host,
    port: postgres.port,
    phase: "query",
    safeToRetry: true,
  });
  assert.deepEqual((await client.query("select 1 as n")).rows, [{ n: 1 }]);
});

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

const throwing = {
  toPostgres() {
    throw "not today";
  },
};

test("what cannot be sent is refused with its place, and touches nothing else", async () => {
  const cases: readonly (readonly [name: string, run: () => Promise<unknown>, code: string])[] = [
    ["a symbol", () => client.query("select $1", [Symbol("x")]), "VALUE_UNENCODABLE"],
    ["a function", () => client.query("select $1", [() => 1]), "VALUE_UNENCODABLE"],
    ["an invalid Date", () => client.query("select $1", [new Date(NaN)]), "VALUE_UNENCODABLE"],
    ["a cycle", () => client.query("select $1", [cyclic]), "VALUE_UNENCODABLE"],
    ["a bigint in JSON", () => client.query("select $1", [{ n: 1n }]), "VALUE_UNENCODABLE"],
    ["NUL in a simple query", () => client.query("select 'a\0b'"), "STRING_CONTAINS_NUL"],
    ["NUL in a text with values", () => client.query("select $1, 'a\0b'", [1]), "STRING_CONTAINS_NUL"],
    ["NUL in a name", () => client.query({ name: "a\0b", text: "select 1" }), "STRING_CONTAINS_NUL"],
    ["values that are no array", () => client.query("select $1", "x" as unknown as string[]), "QUERY_VALUES"],
    ["a value that throws no Error", () => client.query("select $1", [throwing]), "QUERY_ENCODE"],
    ["no text", () => client.query({} as { text: string }), "QUERY_TEXT"],
    ["a text that is a number", () => client.query({ text: 1 as unknown as string }), "QUERY_TEXT"],
  ];
  for (const [name, run, code] of cases) {
    const neighbours = [client.query("select 1 as n"), client.query("select $1::int as n", [2])];
    const failing = run();
    const last = client.query("select $1::int as n", [3]);
    await assert.rejects(
      failing,
      { code, host: postgres.host, port: postgres.port, phase: "query", safeToRetry: true },
      name,
    );
    const rows = (await Promise.all([...neighbours, last])).map(({ rows }) => rows[0].n);
    assert.deepEqual(rows, [1, 2, 3], name);
  }
});

test("a value that throws no Error fails its query alone while the client still connects, too", async () => {
  await using early = new Client(connectionUrl(postgres, "scram_user"));
  const failing = rejection(early.query("select $1", [throwing]));
  const behind = early.query("select 1 as n");
  await early.connect();
  const error = await failing;
  assert.ok(error instanceof ClientError);
  assert.match(error.message, /not today/);
  assert.equal(error.cause, "not today");
  assert.deepEqual((await behind).rows, [{ n: 1 }]);
});

test("a hole among the values is NULL, as in node-postgres", async () => {
  const values = new Array<unknown>(3);
  values[1] = 2;
  const text = "select $1::int as a, $2::int as b, $3::int as c";
  const expected = [{ a: null, b: 2, c: null }];
  for (const each of [client, oracle]) assert.deepEqual((await each.query(text, values)).rows, expected);
  for await (const row of client.stream(text, values)) assert.deepEqual([row], expected);
});

test("what is no signal is refused before anything is done", async () => {
  const signal = new AbortController() as unknown as AbortSignal; // a likely slip
  await using fresh = new Client(connectionUrl(postgres, "scram_user"));
  await using pool = new Pool({ connectionString: connectionUrl(postgres, "scram_user"), max: 1 });
  const held = await pool.connect();
  const text = "select set_config('application_name', 'done', false)";
  const refused = { name: "ConfigError", code: "SIGNAL_INVALID", safeToRetry: true };
  const attempts: (() => Promise<unknown>)[] = [
    () => client.query({ text, signal }),
    () => client.transaction((transaction) => transaction.query(text), { signal }),
    () => client.stream(text, [], { signal }).next(),
    () => client.copyFrom("copy nothing from stdin", "", { signal }),
    () => fresh.connect({ signal }),
    () => pool.query({ text, signal }),
    () => pool.connect({ signal }),
    () => pool.transaction((transaction) => transaction.query(text), { signal }),
    () => pool.stream(text, [], { signal }).next(),
    () => listen(pool, "channel", { signal }).next(),
  ];
  for (const [index, attempt] of attempts.entries()) {
    await assert.rejects(async () => await attempt(), refused, String(index));
  }
  assert.equal((await client.query("show application_name")).rows[0].application_name, "");
  assert.equal(pool.waitingCount, 0);
  held.release();
  assert.equal((await pool.query("select 1 as n")).rows[0].n, 1);
  await fresh.connect();
});

test("NUL in a value is the server's to refuse, for that query alone", async () => {
  const [failed, other] = await Promise.allSettled([
    client.query("select $1::text", ["a\0b"]),
    client.query("select $1::int as n", [1]),
  ]);
  assert.equal(failed.status === "rejected" && failed.reason.code, "22021");
  assert.deepEqual(other.status === "fulfilled" && other.value.rows, [{ n: 1 }]);
});

test("a text of 20 MB goes there and back, as text and as parameter", async () => {
  const long = "é1234567".repeat(20 * MEGABYTE / 9);
  const asParameter = await client.query("select $1::text as long, length($1) as n", [long]);
  assert.ok(asParameter.rows[0].long === long);
  assert.equal(asParameter.rows[0].n, long.length);
  const asText = await client.query(`select '${long}' as long`);
  assert.ok(asText.rows[0].long === long);
  const comment = await client.query(`/*${" *".repeat(10 * MEGABYTE)}*/ select 1 as n`);
  assert.deepEqual(comment.rows, [{ n: 1 }]);
});

test("a result of 50 MB arrives whole, in many rows and in one", async () => {
  const rows = await client.query("select n, repeat(chr(97 + n % 26), 1000) as t from generate_series(1, 50000) n");
  assert.equal(rows.rowCount, 50_000);
  assert.ok(rows.rows.every(({ n, t }) => t.length === 1000 && t[999] === String.fromCharCode(97 + n % 26)));
  const one = await client.query("select repeat('x', $1) as t", [50 * MEGABYTE]);
  assert.equal(one.rows[0].t.length, 50 * MEGABYTE);
});

test("columns of any name: twice the same, empty, __proto__, constructor, numbers", async () => {
  const texts = [
    'select 1 as a, 2 as a, 3 as b, 4 as "A"',
    'select 1 as "b", 2 as "2", 3 as "1"',
    'select 1 as "constructor", 2 as "toString", 3 as "hasOwnProperty"',
    "select 1, 2, 'x'", // ?column?
    `select 1 as "näme with spaces and 'quotes'"`,
  ];
  for (const text of texts) {
    assert.deepEqual(comparableResult(await client.query(text)), comparableResult(await oracle.query(text)), text);
  }
  const { rows: [row] } = await client.query(`select 1 as a, '{"x": 1}'::json as "__proto__", 2 as b`);
  assert.deepEqual(Object.entries(row), [["a", 1], ["__proto__", { x: 1 }], ["b", 2]]);
  assert.equal(Object.getPrototypeOf(row), Object.prototype);
  assert.equal(row.x, undefined);
});

test("1,600 columns, and a row of none", async () => {
  const numbers = Array.from({ length: 1600 }, (_, index) => index);
  const { rows, fields } = await client.query(`select ${numbers.map((n) => `${n} as c${n}`).join(",")}`);
  assert.equal(fields.length, 1600);
  assert.deepEqual(rows[0], Object.fromEntries(numbers.map((n) => [`c${n}`, n])));
  assert.deepEqual((await client.query("select from generate_series(1, 2)")).rows, [{}, {}]);
});

test("COPY FROM STDIN by mistake fails by itself, however it is written and wherever it stands in the pipeline", async () => {
  await client.query("create temp table copied (t text)");
  const copies = [
    { text: "copy copied from stdin" },
    { text: "  -- a comment\n /* another */ COPY copied FROM STDIN" },
    { text: "/* one /* inside */ another */;;copy copied from stdin (format csv)" },
    { text: "copy copied from stdin", queryMode: "extended" as const },
    { text: "/* named */ copy copied from stdin", name: "copying" },
  ];
  for (const copy of copies) {
    const before = client.query("select 1 as n");
    const failing = client.query(copy);
    const after = [client.query("select $1::int as n", [2]), client.query("select 3 as n")];
    await assert.rejects(
      failing,
      { code: "57014", message: "COPY from stdin failed: No source stream defined" },
      copy.text,
    );
    const rows = (await Promise.all([before, ...after])).map(({ rows }) => rows[0].n);
    assert.deepEqual(rows, [1, 2, 3], copy.text);
  }
});

test("COPY FROM STDIN behind a first statement fails by itself where nothing is in flight behind it", async () => {
  const text = "create temp table late (t text); copy late from stdin; select 1";
  await assert.rejects(client.query(text), { message: "COPY from stdin failed: No source stream defined" });
  assert.deepEqual((await client.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("COPY FROM STDIN hidden in a pipeline ends the connection with an error that says why", async () => {
  const own = await connectClient(postgres);
  const broken = once(own, "error");
  const hidden = "create temp table hidden (t text); copy hidden from stdin";
  const outcomes = await Promise.all([rejection(own.query(hidden)), rejection(own.query("select 1"))]);
  assert.deepEqual(outcomes.map((error) => (error as { code: string }).code), ["COPY_IN_PIPELINE", "COPY_IN_PIPELINE"]);
  assert.equal((await broken)[0].code, "COPY_IN_PIPELINE");
});

test("COPY TO STDOUT by mistake gives no rows and harms nobody", async () => {
  const text = "copy (select n from generate_series(1, 1000) n) to stdout";
  const [first, , extended, last] = await Promise.all([
    client.query(text),
    client.query("select 1"),
    client.query({ text, queryMode: "extended" }),
    client.query("select 2 as n"),
  ]);
  assert.deepEqual(comparableResult(first), comparableResult(await oracle.query(text)));
  assert.deepEqual([extended.command, extended.rowCount, extended.rows], ["COPY", 1000, []]);
  assert.deepEqual(last.rows, [{ n: 2 }]);
});

test("a type parser that throws fails its query alone", async () => {
  const oops = new Error("oops");
  const throwing = new TypeRegistry(types);
  throwing.setTypeParser(23, () => {
    throw oops;
  });
  for (const text of ["select 1 as n", "select n from generate_series(1, 1000) n", "select 'a' as t; select 1 as n"]) {
    const [failed, other] = await Promise.allSettled([
      client.query({ text, types: throwing }),
      client.query("select $1::int as n", [2]),
    ]);
    assert.equal(failed.status === "rejected" && failed.reason, oops);
    assert.deepEqual(other.status === "fulfilled" && other.value.rows, [{ n: 2 }]);
  }
  const giving = { getTypeParser: () => undefined as unknown as () => void };
  await assert.rejects(client.query({ text: "select 1", types: giving }), { code: "TYPE_PARSER_INVALID" });
  assert.deepEqual((await client.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("what a parser or a value throws may be anything at all", async () => {
  const own = new TypeRegistry(types);
  for (const thrown of ["words", 5, undefined, Symbol("s"), Object.create(null), null]) {
    const raise = () => {
      throw thrown;
    };
    own.setTypeParser(types.builtins.INT4, raise);
    const error = await rejection(client.query({ text: "select 1::int", types: own }));
    assert.ok(error instanceof Error);
    assert.equal(error.cause, thrown);
    await assert.rejects(client.query("select $1", [{ toPostgres: raise }]), { code: "QUERY_ENCODE", cause: thrown });
    assert.deepEqual((await client.query("select 1 as n")).rows, [{ n: 1 }]);
  }
});

test("a value that its own decoder cannot read fails its query alone", async () => {
  const strict = new TypeRegistry(types);
  strict.setTypeParser(25, types.getTypeParser(114)); // text as JSON
  await assert.rejects(client.query({ text: "select 'no json'::text", types: strict }));
  assert.deepEqual((await client.query({ text: "select '[1]'::text as j", types: strict })).rows, [{ j: [1] }]);
});

test("type parsers: a query's own win over the client's, and those over the global ones", async () => {
  await using own = await connectClient(postgres);
  await using given = await connectClient(postgres, {
    types: { getTypeParser: () => (text: string) => `given ${text}` },
  });
  const text = "select 1::int8 as n";
  const ask = async (on: Client, more = {}) => (await on.query({ text, ...more })).rows[0].n;
  const original = types.getTypeParser(20);
  assert.equal(await ask(own), "1");
  try {
    types.setTypeParser(20, (text) => `global ${text}`);
    assert.deepEqual([await ask(own), await ask(given)], ["global 1", "given 1"]);
    own.setTypeParser(20, (text) => `own ${text}`);
    assert.deepEqual([await ask(own), await ask(client)], ["own 1", "global 1"]);
    const perQuery = { types: { getTypeParser: () => (text: string) => `query ${text}` } };
    assert.deepEqual([await ask(own, perQuery), await ask(own)], ["query 1", "own 1"]);
  } finally {
    types.setTypeParser(20, original);
  }
  assert.equal(await ask(client), "1");
});

test("what a callback or listener throws is the program's own, and the connection lives on", async () => {
  const caught: unknown[] = [];
  const thrown = (what: string) => () => {
    throw new Error(what);
  };
  const expected = ["result", "failure", "row", "end", "notice", "drain"];
  const own = await connectClient(postgres);
  const all = new Promise<void>((resolve) => {
    catchUncaught((error) => {
      caught.push((error as Error).message);
      if (caught.length === expected.length) resolve();
    });
  });
  try {
    own.query("select 1", thrown("result"));
    own.query("select nonsense", thrown("failure"));
    own.query(new Query("select 1")).once("row", thrown("row")).once("end", thrown("end"));
    own.once("notice", thrown("notice")).once("drain", thrown("drain"));
    await own.query("do $$ begin raise notice 'x'; end $$");
    await all;
    assert.deepEqual(caught.toSorted(), expected.toSorted());
    assert.deepEqual((await own.query("select 1 as n")).rows, [{ n: 1 }]);
  } finally {
    catchUncaught(undefined);
    await own.end();
  }
});

let releaseUncaught = () => {};

/** Takes what nobody catches, in place of the runtime and its test runner. */
function catchUncaught(take: ((error: unknown) => void) | undefined): void {
  releaseUncaught();
  releaseUncaught = () => {};
  if (take === undefined) return;
  if ("Deno" in globalThis) {
    const onError = (event: Event) => {
      event.preventDefault();
      take((event as ErrorEvent).error);
    };
    globalThis.addEventListener("error", onError);
    releaseUncaught = () => globalThis.removeEventListener("error", onError);
    return;
  }
  const before = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException");
  process.on("uncaughtException", take);
  releaseUncaught = () => {
    process.removeAllListeners("uncaughtException");
    for (const listener of before) process.on("uncaughtException", listener);
  };
}
