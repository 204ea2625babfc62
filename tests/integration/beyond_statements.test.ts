import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import { Client, type DriverError } from "../../mod.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const admin = await connectClient(postgres);
const table = `beyond_statements_${process.pid}_${Date.now()}`;
await admin.query(`create table ${table} (a int)`);
await admin.query(`insert into ${table} values (1)`);
after(async () => {
  await admin.query(`drop table ${table}`);
  await admin.end();
});

/** The texts of the statements that the server keeps for the client. */
async function prepared(client: Client): Promise<string[]> {
  const { rows } = await client.query("select statement from pg_prepared_statements order by prepare_time, name");
  return rows.map(({ statement }) => statement);
}

const add = (n: number) => `select $1::int + ${n} as sum`;

test("statements are kept prepared where that was asked for, and run again and again", async () => {
  await using client = await connectClient(postgres, { statementCache: 10 });
  for (let time = 0; time < 3; time++) {
    assert.deepEqual((await client.query(add(1), [time])).rows, [{ sum: time + 1 }]);
  }
  assert.deepEqual(await prepared(client), [add(1)]);
});

test("nothing is kept by default", async () => {
  await using client = await connectClient(postgres);
  await client.query(add(1), [1]);
  assert.deepEqual(await prepared(client), []);
});

test("of more than fit, those are kept that were used last", async () => {
  await using client = await connectClient(postgres, { statementCache: 3 });
  const order = [1, 2, 3, 1, 4, 5, 1, 6];
  const sums = await Promise.all(order.map(async (n) => (await client.query(add(n), [10])).rows[0].sum));
  assert.deepEqual(sums, order.map((n) => n + 10));
  assert.deepEqual((await prepared(client)).sort(), [add(1), add(5), add(6)]);
});

test("a statement of the program's own name, a text without values and a COPY are as ever", async () => {
  await using client = await connectClient(postgres, { statementCache: 3 });
  await client.query({ name: "mine", text: add(1), values: [1] });
  await client.query("select 1; select 2");
  await assert.rejects(client.query({ text: `copy ${table} from stdin`, queryMode: "extended" }), { code: "57014" });
  assert.deepEqual((await prepared(client)).filter((text) => !text.startsWith("copy")), [add(1)]);
});

test("a text that cannot be parsed fails for all who asked, and leaves nothing behind", async () => {
  await using client = await connectClient(postgres, { statementCache: 3 });
  for (let round = 0; round < 3; round++) {
    const asked = Array.from({ length: 5 }, () => rejection(client.query("select nonsense, $1::int", [1])));
    for (const error of await Promise.all(asked)) assert.equal((error as DriverError).code, "42703");
  }
  assert.deepEqual(await prepared(client), []);
  await client.query(add(1), [1]);
  assert.deepEqual(await prepared(client), [add(1)]);
});

const all = `select * from ${table} where a = $1`;
/** Changes what `all` returns. */
const changeTable = async () => {
  const column = `c${Math.random().toString(36).slice(2)}`;
  await admin.query(`alter table ${table} add column ${column} int`);
  return column;
};

test("where a table has changed, its statements are prepared anew", async () => {
  await using client = await connectClient(postgres, { statementCache: 3 });
  await client.query(all, [1]);
  const column = await changeTable();
  const { rows: [row], fields } = await client.query(all, [1]);
  assert.equal(row[column], null);
  assert.equal(fields.at(-1)?.name, column);
  assert.deepEqual(await prepared(client), [all]);
});

test("within a transaction the change is told, as harmless to repeat, and the next transaction is well", async () => {
  await using client = await connectClient(postgres, { statementCache: 3 });
  await client.query(all, [1]);
  await changeTable();
  await client.query("begin");
  const error = await rejection(client.query(all, [1])) as DriverError;
  assert.equal(error.code, "0A000");
  assert.equal(error.safeToRetry, true);
  await client.query("rollback");
  const column = await changeTable();
  assert.equal((await client.query(all, [1])).rows[0][column], null);
});

test("with others behind, the change is told rather than the order changed; each answer is its own", async () => {
  await using client = await connectClient(postgres, { statementCache: 3 });
  await client.query(all, [1]);
  await changeTable();
  const settled = await Promise.allSettled([
    client.query(all, [1]),
    client.query(add(1), [1]),
    client.query(all, [1]),
    client.query("select 'last' as last"),
  ]);
  assert.deepEqual(settled.map(({ status }) => status), ["rejected", "fulfilled", "rejected", "fulfilled"]);
  assert.equal((await client.query(all, [1])).rowCount, 1);
});

test("a statement that was deallocated behind our back is prepared anew", async () => {
  await using client = await connectClient(postgres, { statementCache: 3 });
  await client.query(add(1), [1]);
  await client.query("discard all");
  assert.deepEqual((await client.query(add(1), [2])).rows, [{ sum: 3 }]);
});

test("an error of what the statement does is not taken for one of the statement", async () => {
  await using client = await connectClient(postgres, { statementCache: 3 });
  const text = "select pg_temp.raise($1)";
  await client.query(
    "create function pg_temp.raise(code text) returns int language plpgsql as " +
      "$$ begin raise exception 'raised' using errcode = code; end $$",
  );
  for (const code of ["0A000", "26000"]) {
    const error = await rejection(client.query(text, [code])) as DriverError;
    assert.deepEqual([error.code, error.message, error.safeToRetry], [code, "raised", false]);
  }
  assert.deepEqual(await prepared(client), [text]);
});

for (const statementCache of [-1, 1.5, "many"]) {
  test(`statementCache ${statementCache} is refused`, () => {
    const config = {
      connectionString: connectionUrl(postgres, "scram_user"),
      statementCache: statementCache as number,
    };
    assert.throws(() => new Client(config), { code: "CONFIG_VALUE" });
  });
}
