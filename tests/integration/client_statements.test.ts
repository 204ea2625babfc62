import assert from "node:assert/strict";
import { after, test } from "node:test";
import { type Client, DatabaseError } from "../../mod.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const client = await connectClient(postgres);
after(() => client.end());

/** The names of the statements that the server keeps for this connection. */
async function prepared(on: Client): Promise<string[]> {
  const { rows } = await on.query("select name from pg_prepared_statements order by name");
  return rows.map(({ name }) => name);
}

test("a named statement is parsed once and reused, with its columns and with each result format", async () => {
  await using relay = await startRelay({ target: postgres });
  await using own = await connectClient(relay);
  const statement = { name: "reused", text: "select $1::int as n, 'parsed-once' as t" };
  for (const n of [1, 2, 3]) {
    const { rows, fields } = await own.query(statement, [n]);
    assert.deepEqual(rows, [{ n, t: "parsed-once" }]);
    assert.deepEqual(fields.map(({ name, dataTypeID, format }) => [name, dataTypeID, format]), [
      ["n", 23, "text"],
      ["t", 25, "text"],
    ]);
  }
  const binary = await own.query({ ...statement, binary: true }, [4]);
  assert.deepEqual([binary.rows, binary.fields[0].format], [[{ n: 4, t: "parsed-once" }], "binary"]);
  assert.deepEqual((await own.query(statement, [5])).rows, [{ n: 5, t: "parsed-once" }]);
  const sent = new TextDecoder().decode(relay.connections[0].bytes("client"));
  assert.equal(sent.split("'parsed-once'").length - 1, 1);
});

test("a name is not taken for another text, and the statement stays usable", async () => {
  await client.query({ name: "taken", text: "select 1 as n" });
  await assert.rejects(client.query({ name: "taken", text: "select 2 as n" }), {
    code: "STATEMENT_NAME_TAKEN",
    message: /Prepared statements must be unique - 'taken' was used for a different statement/,
    phase: "query",
  });
  assert.deepEqual((await client.query({ name: "taken", text: "select 1 as n" })).rows, [{ n: 1 }]);
});

test("a statement that could not be parsed is forgotten, so that its name can be used again", async () => {
  await assert.rejects(client.query({ name: "typo", text: "selec 1" }), { code: "42601" });
  assert.deepEqual((await client.query({ name: "typo", text: "select 1 as n" })).rows, [{ n: 1 }]);
});

test("a statement that failed when it ran stays prepared", async () => {
  const divide = { name: "divide", text: "select 6 / $1::int as n" };
  await assert.rejects(client.query(divide, [0]), { code: "22012" });
  assert.ok((await prepared(client)).includes("divide"));
  assert.deepEqual((await client.query(divide, [2])).rows, [{ n: 3 }]);
});

test("a value that cannot be encoded leaves the name free", async () => {
  await assert.rejects(client.query({ name: "unsent", text: "select $1" }, [Symbol("no")]), {
    code: "VALUE_UNENCODABLE",
  });
  await assert.rejects(client.query({ name: "unsent\0", text: "select 1" }), { code: "STRING_CONTAINS_NUL" });
  assert.deepEqual((await client.query({ name: "unsent", text: "select 1 as n" })).rows, [{ n: 1 }]);
});

test("after DEALLOCATE by hand one query fails, and the next prepares anew", async () => {
  const statement = { name: "gone", text: "select 1 as n" };
  await client.query(statement);
  await client.query("deallocate gone");
  await assert.rejects(client.query(statement), { code: "26000" });
  assert.deepEqual((await client.query(statement)).rows, [{ n: 1 }]);
});

test("a statement that itself raises 'invalid statement name' is not mistaken for one that is gone", async () => {
  const statement = { name: "raises", text: "select raises()" };
  await client.query(
    "create function pg_temp.raises() returns int language plpgsql as " +
      "$$ begin raise exception 'mine' using errcode = '26000'; end $$",
  );
  const pathed = { ...statement, text: "select pg_temp.raises()" };
  for (let round = 0; round < 3; round++) {
    const error = await rejection(client.query(pathed));
    assert.ok(error instanceof DatabaseError);
    assert.equal(error.message, "mine");
  }
});

test("pipelined: one Parse serves all, also where some of them fail", async () => {
  const statement = { name: "piped", text: "select 10 / $1::int as n" };
  const outcomes = await Promise.allSettled([1, 0, 2, 0, 5].map((n) => client.query(statement, [n])));
  const found = outcomes.map((outcome) =>
    outcome.status === "fulfilled" ? outcome.value.rows[0].n : outcome.reason.code
  );
  assert.deepEqual(found, [10, "22012", 5, "22012", 2]);
});

test("pipelined: all that share a statement that cannot be parsed hear why", async () => {
  const statement = { name: "piped typo", text: "selec $1" };
  const outcomes = await Promise.all([1, 2, 3].map((n) => rejection(client.query(statement, [n]))));
  assert.deepEqual(outcomes.map((error) => (error as DatabaseError).code), ["42601", "42601", "42601"]);
  assert.deepEqual((await client.query({ ...statement, text: "select $1::int as n" }, [4])).rows, [{ n: 4 }]);
});

test("columns that have changed since the statement was prepared are the server's error, not a wrong row", async () => {
  await client.query("create temp table changing (a int); insert into changing values (1)");
  const statement = { name: "changing", text: "select * from changing" };
  assert.deepEqual((await client.query(statement)).rows, [{ a: 1 }]);
  for (const change of ["rename a to b", "add c text", "alter b type text"]) {
    await client.query(`alter table changing ${change}`);
    await assert.rejects(client.query(statement), { code: "0A000" }, change);
  }
});

test("a named statement without rows or text is answered each time", async () => {
  await client.query("create temp table silent (n int)");
  for (let round = 1; round <= 3; round++) {
    const { command, rowCount, rows, fields } = await client.query({
      name: "silent insert",
      text: "insert into silent select generate_series(1, $1::int)",
    }, [round]);
    assert.deepEqual([command, rowCount, rows, fields], ["INSERT", round, [], []]);
    const empty = await client.query({ name: "empty text", text: "" });
    assert.deepEqual([empty.command, empty.rowCount, empty.rows], [null, null, []]);
  }
});
