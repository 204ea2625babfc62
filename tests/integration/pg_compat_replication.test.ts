/** Connections for replication, and what START_REPLICATION streams, beside node-postgres's. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { after, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import pg from "pg";
import { Client, type ClientConfig } from "../../mod.ts";
import { connectClient } from "../fixtures/clients.ts";
import { connectionUrl, startPostgres } from "../fixtures/postgres.ts";

const postgres = await startPostgres({ settings: { wal_level: "logical" } });
const writer = await connectClient(postgres, {}, "postgres");
await writer.query("create table towns (id int generated always as identity, name text)");
after(async () => {
  await writer.end();
  await postgres.stop();
});

const classes: readonly (readonly [name: string, Class: typeof Client])[] = [
  ["our", Client],
  ["node-postgres's", pg.Client as unknown as typeof Client],
];

async function connectReplica(Class: typeof Client, config: ClientConfig = {}): Promise<Client> {
  const client = new Class({
    connectionString: connectionUrl(postgres, "postgres"),
    replication: "database",
    ...config,
  });
  await client.connect();
  return client;
}

/** A slot of its own, as `client.query` sees it, and what is streamed from it. */
async function startSlot(client: Client, slot: string) {
  await client.query(`CREATE_REPLICATION_SLOT ${slot} TEMPORARY LOGICAL test_decoding`);
  const changes: string[] = [];
  const { connection } = client;
  connection.on("copyData", ({ chunk }: { chunk: Buffer }) => {
    if (chunk[0] === 0x77) changes.push(chunk.subarray(25).toString().replace(/\[integer\]:\d+|\d+$/, ""));
    connection.emit("change");
  });
  const started = once(connection, "replicationStart");
  const over = client.query(`START_REPLICATION SLOT ${slot} LOGICAL 0/0`);
  over.catch(() => {});
  await started;
  const until = async (done: () => boolean) => {
    while (!done()) await once(connection, "change");
  };
  return { changes, connection, over, until };
}

/** A standby's status: nothing was flushed, and an answer is asked for. */
function statusUpdate(): Buffer {
  const status = Buffer.alloc(34);
  status[0] = "r".charCodeAt(0);
  status[33] = 1;
  return status;
}

for (const [name, Class] of classes) {
  test(`${name} client on a connection for replication asks, and is refused`, async () => {
    const client = await connectReplica(Class);
    const { rows } = await client.query("IDENTIFY_SYSTEM");
    assert.deepEqual(Object.keys(rows[0]), ["systemid", "timeline", "xlogpos", "dbname"]);
    await assert.rejects(client.query("START_REPLICATION SLOT nowhere LOGICAL 0/0"), { code: "42704" });
    await assert.rejects(client.query("select $1::int", [1]), { code: "08P01" });
    assert.deepEqual((await client.query({ text: "select 1 as n", rowMode: "array" })).rows, [[1]]);
    const results = await client.query("select 1 as n; select 2 as m") as unknown as { rows: unknown[] }[];
    assert.deepEqual(results.map(({ rows }) => rows), [[{ n: 1 }], [{ m: 2 }]]);
    assert.deepEqual((await client.query("")).rows, []);
    await client.end();
  });

  test(`${name} client hears changes, acknowledges them, and goes on when it has ended the stream`, async () => {
    const client = await connectReplica(Class);
    const { changes, connection, over, until } = await startSlot(client, "going_on");
    await writer.query("insert into towns (name) values ('Vienna')");
    await until(() => changes.length >= 3);
    assert.deepEqual(changes, ["BEGIN ", "table public.towns: INSERT: id name[text]:'Vienna'", "COMMIT "]);
    const alive = once(connection, "copyData");
    connection.sendCopyFromChunk(statusUpdate());
    assert.equal((await alive)[0].chunk[0], "k".charCodeAt(0));
    connection.endCopyFrom();
    await over;
    assert.deepEqual((await client.query("select 2 as n")).rows, [{ n: 2 }]);
    await client.end();
  });

  test(`${name} client's stream that is ended in its midst rejects`, async () => {
    const client = await connectReplica(Class);
    const { over } = await startSlot(client, "ended");
    await client.end();
    await assert.rejects(over, { message: "Connection terminated" });
  });

  test(`${name} client's stream that is paused holds the changes back`, async () => {
    const client = await connectReplica(Class);
    const { changes, connection, until } = await startSlot(client, "paused");
    const pause = () => changes.length > 0 && connection.stream.pause();
    connection.on("copyData", pause);
    await writer.query("insert into towns (name) values ('Graz')");
    await until(() => changes.length > 0);
    const held = changes.length;
    await writer.query("insert into towns (name) select repeat('x', 100) from generate_series(1, 20000)");
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    assert.ok(changes.length < 20_000);
    if (name === "our") assert.equal(changes.length, held);
    connection.off("copyData", pause);
    connection.stream.resume();
    await until(() => changes.length >= 20_000 + 5);
    await client.end();
  });
}
