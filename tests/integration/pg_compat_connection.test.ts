/** Connections that are driven by hand, message by message, beside node-postgres's. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { Socket } from "node:net";
import { test } from "node:test";
import pg from "pg";
import { config, Connection } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { PASSWORDS } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();

type ConnectionClass = new (config?: object) => Connection;
const classes: readonly ConnectionClass[] = [Connection, pg.Connection as unknown as ConnectionClass];

/** A connection that is let in, with a table of its own. */
async function startByHand(ConnectionClass: ConnectionClass, config: object): Promise<Connection> {
  const connection = new ConnectionClass(config);
  connection.connect(postgres.port, postgres.host);
  await once(connection, "connect");
  connection.startup({ user: "trust_user", database: "test" });
  await once(connection, "readyForQuery");
  connection.query("create temp table ids (id int); insert into ids values (1), (2)");
  await once(connection, "readyForQuery");
  return connection;
}

/** Everything that a connection says until it is ready again. */
async function heardOf(connection: Connection, ask: () => void): Promise<unknown[]> {
  const heard: unknown[] = [];
  const listen = ({ name, fields, text, status, chunk }: Record<string, unknown>) => {
    const values = name === "dataRow" ? [fields] : chunk instanceof Uint8Array ? [[...chunk]] : [text, status];
    heard.push([name, ...values.filter((value) => value !== undefined)]);
  };
  connection.on("message", listen);
  const ready = once(connection, "readyForQuery");
  ask();
  await ready;
  connection.off("message", listen);
  return heard;
}

async function say(ConnectionClass: ConnectionClass, config: object): Promise<unknown[]> {
  const connection = await startByHand(ConnectionClass, config);
  const heard = [
    await heardOf(connection, () => connection.query("select id from ids order by id; select nonsense")),
    await heardOf(connection, () => {
      connection.parse({ text: "select id, 'x' as x from ids order by id" });
      connection.bind();
      connection.describe({ type: "P" });
      connection.execute({ rows: 1 });
      connection.flush();
      connection.once("portalSuspended", () => {
        connection.execute();
        connection.sync();
      });
    }),
    await heardOf(connection, () => {
      // Nobody asks for a description.
      connection.parse({ text: "select $1::int, null" });
      connection.bind({ values: ["7"] });
      connection.execute();
      connection.sync();
    }),
    await heardOf(connection, () => {
      connection.query("copy ids from stdin");
      connection.once("copyInResponse", () => {
        connection.sendCopyFromChunk(Buffer.from("3\n"));
        connection.endCopyFrom();
      });
    }),
    await heardOf(connection, () => connection.query("copy ids to stdout")),
    await heardOf(connection, () => connection.query("listen by_hand; notify by_hand")),
  ];
  const ended = once(connection, "end");
  connection.end();
  await ended;
  return heard;
}

test("a connection by hand is opened, asked and ended as node-postgres's", async () => {
  const [here, there] = [await say(Connection, {}), await say(classes[1], {})];
  assert.deepEqual(here, there);
  assert.deepEqual(await say(Connection, { stream: new Socket() }), there);
  assert.deepEqual(await say(Connection, { stream: () => new Socket() }), there);
});

test("it goes through the proxy where that is how one connects", async () => {
  const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
  config.wsProxy = proxy.url;
  try {
    assert.deepEqual(await say(Connection, { ssl: false }), await say(classes[1], {}));
    const unasked = new Connection();
    unasked.connect(postgres.port, postgres.host);
    assert.equal((await once(unasked, "error"))[0].code, "CONNECTION_BY_HAND_TLS");
  } finally {
    delete config.wsProxy;
    await proxy.close({ drainMillis: 0 });
  }
});

test("it is told what the server wants to know, and of its refusal", async () => {
  for (const ConnectionClass of classes) {
    for (const password of [PASSWORDS.password_user, "wrong"]) {
      const connection = new ConnectionClass();
      connection.on("error", () => {});
      connection.connect(postgres.port, postgres.host);
      await once(connection, "connect");
      connection.startup({ user: "password_user", database: "test" });
      await once(connection, "authenticationCleartextPassword");
      connection.password(password);
      if (password === "wrong") {
        const [error] = await once(connection, "errorMessage");
        assert.equal(error.code, "28P01");
      } else {
        const [{ processID, secretKey }] = await once(connection, "backendKeyData");
        assert.deepEqual([typeof processID, typeof secretKey], ["number", "number"]);
      }
      const ended = once(connection, "end");
      connection.end();
      await ended;
    }
  }
});

test("one that cannot be opened emits an error, and ends", async () => {
  for (const ConnectionClass of classes) {
    const connection = new ConnectionClass();
    const ended = new Promise((resolve) => connection.once("end", resolve));
    connection.connect(1, "127.0.0.1");
    assert.equal((await once(connection, "error"))[0].code, "ECONNREFUSED");
    await ended;
  }
});

test("what is running is cancelled by a connection of its own", async () => {
  for (const ConnectionClass of classes) {
    const busy = new ConnectionClass();
    busy.connect(postgres.port, postgres.host);
    await once(busy, "connect");
    busy.startup({ user: "trust_user", database: "test" });
    const [[key]] = await Promise.all([once(busy, "backendKeyData"), once(busy, "readyForQuery")]);
    busy.query("do $$ begin raise notice 'running'; perform pg_sleep(60); end $$");
    await once(busy, "notice");
    const failed = once(busy, "errorMessage");
    const canceller = new ConnectionClass();
    canceller.on("error", () => {});
    canceller.connect(postgres.port, postgres.host);
    await once(canceller, "connect");
    canceller.cancel(key.processID, key.secretKey);
    assert.equal((await failed)[0].code, "57014");
    canceller.end();
    busy.end();
  }
});

test("by hand there is no TLS, and none is left out in silence", async () => {
  const connection = new Connection({ ssl: true });
  connection.connect(postgres.port, postgres.host);
  assert.equal((await once(connection, "error"))[0].code, "CONNECTION_BY_HAND_TLS");
});

test("one that is ended while it is being opened does not stay open", async () => {
  const connection = new Connection();
  connection.on("connect", () => assert.fail("it was opened after its end"));
  connection.connect(postgres.port, postgres.host);
  connection.end();
  await once(connection, "end");
});
