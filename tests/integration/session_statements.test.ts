import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { resolveOptions } from "../../src/config/resolve.ts";
import { DatabaseError } from "../../src/errors.ts";
import { connect } from "../../src/session/connect.ts";
import { CloseStatement, DescribeStatement, Prepare, type StatementDescription } from "../../src/session/prepare.ts";
import type { Session } from "../../src/session/session.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

let session: Session;

before(async () => {
  const { postgres } = await servers();
  ({ session } = await connect({ options: resolveOptions(connectionUrl(postgres, "scram_user")), events: {} }));
});

after(() => session.end());

function prepare(name: string, text: string): Promise<StatementDescription> {
  return new Promise((resolve, reject) =>
    session.submit(new Prepare(name, text, session.statements, { resolve, reject }))
  );
}

function describe(name: string): Promise<StatementDescription> {
  return new Promise((resolve, reject) => session.submit(new DescribeStatement(name, { resolve, reject })));
}

function close(name: string): Promise<void> {
  return new Promise((resolve, reject) =>
    session.submit(new CloseStatement(name, session.statements, { resolve, reject }))
  );
}

const INT4 = 23;
const TEXT = 25;

test("a prepared statement is described with its parameters and columns", async () => {
  const description = await prepare("two_columns", "select $1::int4 as number, $2::text as word");
  assert.deepEqual(description.parameterTypeIds, [INT4, TEXT]);
  assert.deepEqual(
    description.fields?.map(({ name, dataTypeID, format }) => [name, dataTypeID, format]),
    [["number", INT4, "text"], ["word", TEXT, "text"]],
  );
  assert.deepEqual(await describe("two_columns"), description);
});

test("a statement without rows has no fields", async () => {
  assert.deepEqual(await prepare("no_rows", "set application_name = 'prepared'"), {
    parameterTypeIds: [],
    fields: null,
  });
});

test("requests about statements are pipelined, and one that fails touches no other", async () => {
  const [first, broken, second, gone, closed] = await Promise.allSettled([
    prepare("first", "select 1 as one"),
    prepare("broken", "select from where"),
    prepare("second", "select 2 as two"),
    describe("nowhere"),
    close("first"),
  ]);
  assert.equal(first.status, "fulfilled");
  assert.equal(second.status, "fulfilled");
  assert.equal(closed.status, "fulfilled");
  assert.equal(broken.status === "rejected" && broken.reason instanceof DatabaseError && broken.reason.code, "42601");
  assert.equal(gone.status === "rejected" && gone.reason instanceof DatabaseError && gone.reason.code, "26000");
  assert.deepEqual([...session.statements.keys()].filter((name) => ["first", "broken", "second"].includes(name)), [
    "second",
  ]);
});

test("a closed statement is gone, and its name is free", async () => {
  await prepare("again", "select 1 as one");
  await close("again");
  await assert.rejects(describe("again"), { code: "26000" });
  const { fields } = await prepare("again", "select 2 as two");
  assert.deepEqual(fields?.map(({ name }) => name), ["two"]);
});

test("a name with a NUL is refused before anything is sent", async () => {
  await assert.rejects(prepare("nul\0", "select 1"), { code: "STRING_CONTAINS_NUL", phase: "query" });
  assert.equal(session.outstanding, 0);
  assert.equal(session.statements.has("nul\0"), false);
});
