/** The life of a client beside that of node-postgres's: what happens in which order, and what can be read of it. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import pg from "pg";
import { Client, type ClientConfig, Query } from "../../mod.ts";
import { wire } from "../fixtures/bytes.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { messages, startFakeServer, WELCOME } from "../fixtures/fake_server.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";

/** What a server says that is about to leave. */
const FATAL = wire("'E' 00000023 'SFATAL' 00 'VFATAL' 00 'C57P01' 00 'Mgoodbye' 00 00");

const { postgres } = await servers();
const url = connectionUrl(postgres, "scram_user");

type ClientClass = new (config?: string | ClientConfig) => Client;
type QueryClass = typeof Query;
const theirs = pg as unknown as { Client: ClientClass; Query: QueryClass };
const classes: readonly (readonly [ClientClass, QueryClass])[] = [[Client, Query], [theirs.Client, theirs.Query]];

/** What both do, or the assertion that they do the same. */
async function sameOfBoth(scenario: (ClientClass: ClientClass, QueryClass: QueryClass) => Promise<unknown>) {
  const [here, there] = await Promise.all(
    classes.map(([ClientClass, QueryClass]) => scenario(ClientClass, QueryClass)),
  );
  assert.deepEqual(here, there);
  return here;
}

function code(error: unknown): string | undefined {
  return (error as { code?: string } | null)?.code;
}

function messageOf(reason: unknown): string {
  return (reason as Error).message;
}

test("connect tells its callback, then its listeners, and only then what early queries were answered", async () => {
  const order = await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    const events: string[] = [];
    client.on("connect", () => events.push("connect"));
    client.on("drain", () => events.push("drain"));
    const drained = once(client, "drain");
    client.query("select 1", () => events.push("first"));
    client.query("select $1::int", [2], () => events.push("second"));
    client.connect((error, connected) => events.push(`callback ${error} ${connected === client}`));
    await drained;
    await client.end();
    return events;
  });
  assert.deepEqual(order, ["callback null true", "connect", "first", "second", "drain"]);
});

test("a client may be ended in the callback of its first query, whoever waits for connect", async () => {
  for (const [ClientClass] of classes) {
    for (let round = 0; round < 10; round++) {
      const client = new ClientClass(url);
      const connected = client.connect();
      client.query("select 1", () => void client.end());
      await connected;
      await once(client, "end");
    }
  }
});

test("who ends the client in the callback of connect takes back what was asked for there", async () => {
  await using observer = await connectClient(postgres);
  const outcome = await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    const text = `select pg_sleep(60) as "${ClientClass === Client ? "ours" : "theirs"}"`;
    const told = await new Promise<string>((resolve) =>
      client.connect(() => {
        client.query(text, (error) => resolve(messageOf(error)));
        void client.end();
      })
    );
    const { rows } = await observer.query("select count(*)::int as asked from pg_stat_activity where query = $1", [
      text,
    ]);
    return [told, rows];
  });
  assert.deepEqual(outcome, ["Connection terminated", [{ asked: 0 }]]);
});

test("a query that is refused is told before the client has drained", async () => {
  const events = await sameOfBoth(async (ClientClass, QueryClass) => {
    const client = new ClientClass(url);
    const events: string[] = [];
    client.on("drain", () => {
      events.push("drain");
      void client.end();
    });
    client.query(new QueryClass({ name: "taken", text: "select 1" })).on("end", () => {
      events.push("end");
      client.query({ name: "taken", text: "select 2" }, (error) => events.push(messageOf(error)));
    });
    await client.connect();
    await once(client, "end");
    return events;
  });
  assert.deepEqual(events, [
    "end",
    "Prepared statements must be unique - 'taken' was used for a different statement",
    "drain",
  ]);
});

test("connect and end in one breath: nobody has to wait for either, and end is heard", async () => {
  await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    // Not handled: were it a failure of the process's, this run would not survive it.
    void client.connect();
    const ended = client.end();
    await Promise.all([ended, once(client, "end")]);
    return messageOf(await rejection(client.query("select 1")));
  });
  const client = new Client(url);
  const connecting = rejection(client.connect());
  await client.end();
  assert.equal(code(await connecting), "ABORTED");
});

test("end is an event for listeners that come after the call, and follows a connect that failed", async () => {
  const events = await sameOfBoth(async (ClientClass) => {
    const events: string[] = [];
    const client = new ClientClass(url);
    await client.connect();
    client.query("select pg_sleep(60)", (error) => events.push(`query ${messageOf(error)}`));
    const ended = client.end();
    const heard = once(client, "end");
    assert.equal(events.length, 0, "nothing happens within the call");
    await Promise.all([ended, heard]);
    const refused = new ClientClass(url.replace(/\/[^/]*$/, "/nowhere"));
    refused.connect((error) => events.push(`connect ${code(error)}`));
    await once(refused, "end");
    return events;
  });
  assert.deepEqual(events, ["query Connection terminated", "connect 3D000"]);
});

test("what pools and diagnostics read of a client changes at the same moments", async () => {
  await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    const seen: unknown[] = [];
    const look = () => {
      const { _ending, _ended, _connecting, _connected, _connectionError, _queryable, _txStatus } = client;
      const { readyForQuery, hasExecuted, processID, secretKey, connection } = client;
      const rest = [readyForQuery, hasExecuted, typeof processID, typeof secretKey, connection._ending];
      seen.push([_ending, _ended, _connecting, _connected, _connectionError, _queryable, _txStatus, ...rest]);
    };
    look();
    const connected = client.connect();
    look();
    await connected;
    look();
    const answer = client.query("select $1::int", [1]);
    assert.equal(client.readyForQuery, false);
    await answer;
    look();
    const ended = client.end();
    look();
    await ended;
    look();
    return seen;
  });
});

test("what is prepared can be read, and forgotten", async () => {
  await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    await client.connect();
    const { parsedStatements } = client.connection;
    await client.query({ name: "kept", text: "select 1 as n" });
    const kept = { ...parsedStatements };
    await client.query("deallocate kept");
    delete parsedStatements["kept"];
    const { rows } = await client.query({ name: "kept", text: "select 2 as n" });
    await client.query({ name: "broken", text: "select nonsense" }).catch(() => {});
    await client.end();
    return [kept, rows, Object.keys(parsedStatements), "broken" in parsedStatements];
  });
});

test("an error emitted on the stream breaks the connection", async () => {
  await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    await client.connect();
    const heard = once(client, "error");
    client.on("error", () => {}); // node-postgres's tells of the destruction, too
    const failed = rejection(client.query("select pg_sleep(60)"));
    client.connection.stream.emit("error", new Error("network issue"));
    const messages = [messageOf(await failed), messageOf((await heard)[0])];
    client.connection.stream.destroy();
    assert.equal(client.connection.stream.destroyed, true);
    return messages;
  });
});

test("what times out in a pipeline takes the connection with it; what is aborted does not", async () => {
  await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass({ connectionString: url, pipeline: true });
    client.on("error", () => {});
    await client.connect();
    const slow = { text: "select pg_sleep(60)", query_timeout: 50 };
    const outcomes = await Promise.allSettled([client.query("select 1"), client.query(slow), client.query("select 3")]);
    return outcomes.map((outcome) =>
      outcome.status === "rejected" ? messageOf(outcome.reason) : outcome.value.rowCount
    );
  });
  const client = await new Client({ connectionString: url, pipeline: true }).connect();
  const abort = new AbortController();
  const aborted = rejection(client.query({ text: "select pg_sleep(60)", signal: abort.signal }));
  const behind = client.query("select 3 as n");
  abort.abort();
  assert.equal((await aborted as Error).name, "AbortError");
  assert.deepEqual((await behind).rows, [{ n: 3 }]);
  await client.end();
});

test("a pipeline may be asked for late, and is answered although end follows at once", async () => {
  await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    void client.connect();
    Object.assign(client, { pipeline: true });
    const answers = [client.query("select 1 as n"), client.query("select nonsense"), client.query("select 3 as n")];
    const ended = client.end();
    const late = rejection(client.query("select 4"));
    const outcomes = await Promise.allSettled(answers);
    await ended;
    return [outcomes.map(({ status }) => status), messageOf(await late)];
  });
});

test("a Query that may time out and that nobody listens to fails in silence", async () => {
  for (const [ClientClass, QueryClass] of classes) {
    const client = new ClientClass({ connectionString: url, query_timeout: 50 });
    await client.connect();
    client.query(new QueryClass({ text: "select pg_sleep($1)", values: [0.2] }));
    await new Promise((resolve) => client.once("drain", resolve));
    await client.end();
  }
  const client = await new Client({ connectionString: url, query_timeout: 50 }).connect();
  const [error] = await once(client.query(new Query("select pg_sleep(60)")), "error");
  assert.equal(error.message, "Query read timeout");
  await client.end();
});

test("values that are false as a condition are none; a callback may come with the config; a text may be null", async () => {
  const outcomes = await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    await client.connect();
    const outcomes: unknown[] = [];
    for (const values of [null, undefined, false, 0, ""]) {
      outcomes.push((await client.query("select 1 as n", values as never)).rows);
    }
    const callback = (_: Error | null, result: { rows: unknown[] }) => outcomes.push(result.rows);
    outcomes.push(client.query({ text: "select 2 as n", callback } as never));
    const { command, rows, fields } = await client.query({ name: "empty", text: null } as never);
    outcomes.push(command, rows, fields);
    await client.end();
    return outcomes;
  });
  assert.deepEqual((outcomes as unknown[]).slice(5), [undefined, [{ n: 2 }], null, [], []]);
});

test("an idle client hears at once that the server will leave, and not when it has left", async () => {
  const outcome = await sameOfBoth(async (ClientClass) => {
    await using server = await startFakeServer(async (connection) => {
      await connection.startup();
      connection.send(messages.authenticationOk, ...WELCOME, FATAL);
    });
    const { host, port } = server;
    const client = new ClientClass({ host, port, user: "u", database: "d" });
    const failed = new Promise<Error>((resolve) => client.once("error", resolve));
    client.on("error", () => {}); // node-postgres's may have more than one
    await client.connect();
    const told = messageOf(await failed);
    const after = messageOf(await rejection(client.query("select 1")));
    client.connection.stream.destroy();
    return [told, after];
  });
  assert.deepEqual(outcome, ["goodbye", "Client has encountered a connection error and is not queryable"]);
});

test("a server that dies in the middle of a query tells it first, then the client, then who waits behind", async () => {
  const order = await sameOfBoth(async (ClientClass) => {
    const client = new ClientClass(url);
    await client.connect();
    const events: string[] = [];
    client.on("error", (error) => events.push(`error: ${error.message}`));
    client.on("end", () => events.push("end"));
    const tell = (name: string) => (error: unknown) => events.push(`${name}: ${messageOf(error)}`);
    const killed = client.query("select pg_terminate_backend(pg_backend_pid())").catch(tell("killed"));
    await Promise.all([killed, client.query("select 1").catch(tell("behind"))]);
    await client.end();
    return events;
  });
  assert.deepEqual(order, [
    "killed: terminating connection due to administrator command",
    "error: Connection terminated unexpectedly",
    "end",
    "behind: Connection terminated unexpectedly",
  ]);
});
