import assert from "node:assert/strict";
import process from "node:process";
import { after, test } from "node:test";
import pgCursor from "pg-cursor";
import { Client } from "../../mod.ts";
import { connectClient } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const other = await connectClient(postgres);
const table = `client_order_${process.pid}_${Date.now()}`;
await other.query(`create table ${table} (step text)`);
after(async () => {
  await other.query(`drop table ${table}`);
  await other.end();
});

/** Asks for one thing after the other without waiting; gives what each has found. */
async function askInTurn(client: Client): Promise<unknown[]> {
  const count = async () => (await client.query(`select count(*)::int as n from ${table}`)).rows[0].n;
  const cursor = client.cursor<{ n: number }>(`select count(*)::int as n from ${table}`);
  const submitted = client.query(new pgCursor(`select count(*)::int as n from ${table}`));
  const found = await Promise.all([
    submitted.read(2).then(([row]: { n: number }[]) => row.n),
    client.copyFrom(`copy ${table} from stdin`, [["copied"], ["copied"]]),
    count(),
    client.copyTo(`copy ${table} to stdout`).rows().next().then(({ value }) => value?.[0]),
    cursor.read(2).then(([row]) => row.n),
    client.transaction(() => "committed"),
    // The server refuses it outside of a transaction.
    client.query("savepoint inside").then(({ command }) => command),
  ]);
  await client.query(`delete from ${table}`);
  return found;
}

test("what is loaded when it is first asked for keeps its place between queries, as later", async () => {
  await using client = await connectClient(postgres);
  const asked = [0, 2, 2, "copied", 2, "committed", "SAVEPOINT"];
  assert.deepEqual(await askInTurn(client), asked);
  assert.deepEqual(await askInTurn(client), asked);
});

test("it keeps its place before the connection is there", async () => {
  await using client = new Client(connectionUrl(postgres, "scram_user"));
  const asked = askInTurn(client);
  await client.connect();
  assert.deepEqual(await asked, [0, 2, 2, "copied", 2, "committed", "SAVEPOINT"]);
});
