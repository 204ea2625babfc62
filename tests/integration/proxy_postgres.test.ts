import assert from "node:assert/strict";
import type { Duplex } from "node:stream";
import { test } from "node:test";
import pg from "pg";
import { createWebSocketStream } from "ws";
import { type ProxyEvent, startProxy } from "../../src/proxy/mod.ts";
import { deferred } from "../../src/duplex/waiting.ts";
import { DATABASE, PASSWORDS } from "../fixtures/postgres.ts";
import { connectThrough } from "../fixtures/proxy.ts";
import { servers } from "../fixtures/servers.ts";

/** What node-postgres asks of the socket it is given, over a stream that is connected already. */
function asSocket(stream: Duplex): Duplex {
  const ready = () => void queueMicrotask(() => stream.emit("connect"));
  return Object.assign(stream, { connect: ready, setNoDelay() {}, setKeepAlive() {}, ref() {}, unref() {} });
}

test("another driver talks to PostgreSQL through the proxy, and both sides end when it does", async () => {
  const { postgres } = await servers();
  const closed = deferred<ProxyEvent>();
  const address = `${postgres.host}:${postgres.port}`;
  const onEvent = (event: ProxyEvent) => event.kind === "closed" && closed.resolve(event);
  const proxy = await startProxy({ allow: [address], onEvent });
  try {
    const stream = asSocket(createWebSocketStream(await connectThrough(proxy.url, address)));
    const client = new pg.Client({
      stream: () => stream as never,
      user: "scram_user",
      password: PASSWORDS.scram_user,
      database: DATABASE,
    });
    await client.connect();
    const { rows: [row] } = await client.query("select repeat('x', 20000000) as long, $1::text as short", ["given"]);
    assert.equal(row.long.length, 20_000_000);
    assert.equal(row.short, "given");
    await assert.rejects(client.query("select 1/0"), { code: "22012" });
    await client.end();
    const event = await closed.promise;
    assert.ok(event.kind === "closed");
    assert.ok(event.cause === "client" || event.cause === "target", event.cause);
    assert.ok(event.bytesToClient > 20_000_000);
  } finally {
    await proxy.close({ drainMillis: 0 });
  }
});
