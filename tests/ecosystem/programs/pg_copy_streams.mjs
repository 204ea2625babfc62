/** pg-copy-streams, on our client. @module */

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Client } from "pg";
import { from, to } from "pg-copy-streams";
import { TOWNS } from "./stage.mjs";

const ROWS = 50_000;

export default async function run(stage) {
  const client = new Client(stage.connection);
  await client.connect();
  const count = async () => (await client.query("select count(*)::int as n from towns")).rows[0].n;
  const copyIn = (lines) => pipeline(Readable.from(lines), client.query(from("copy towns (name) from stdin")));

  await stage.step("create", () => client.query(TOWNS));
  await stage.step("insert", async () => {
    await copyIn(["Vienna\n", "Gr", "az\n"]);
    assert.equal(await count(), 2);
  });
  await stage.step("select", async () => {
    const stream = client.query(to("copy (select id, name from towns order by id) to stdout csv"));
    assert.equal(Buffer.concat(await stream.toArray()).toString(), "1,Vienna\n2,Graz\n");
    assert.equal(stream.rowCount, 2);
  });
  await stage.step("transaction", async () => {
    await client.query("begin");
    await copyIn(["Linz\n"]);
    await client.query("rollback");
    assert.equal(await count(), 2);
    const given = client.query(from("copy towns (name) from stdin"));
    given.write("Wels\n");
    given.destroy(new Error("changed my mind"));
    await new Promise((resolve) => given.once("error", resolve));
    assert.equal(await count(), 2);
  });
  await stage.refusal(() => copyIn(["Vienna\n"]));
  await stage.step("stream", async () => {
    await client.query("create table lines (n int, text text)");
    const line = (n) => `${n}\t${"x".repeat(60)}\n`;
    const lines = Readable.from((function* () {
      for (let n = 0; n < ROWS; n += 100) yield Array.from({ length: 100 }, (_, more) => line(n + more)).join("");
    })());
    const incoming = client.query(from("copy lines from stdin"));
    await pipeline(lines, incoming);
    assert.equal(incoming.rowCount, ROWS);
    let bytes = 0;
    for await (const chunk of client.query(to("copy lines to stdout"))) bytes += chunk.length;
    assert.ok(bytes > ROWS * 60);
  });
  await client.end();
}
