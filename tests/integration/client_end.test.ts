import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { Client, type DriverError } from "../../mod.ts";
import { connectClient, connectOracle, rejection } from "../fixtures/clients.ts";
import { connectionUrl, startPostgres } from "../fixtures/postgres.ts";
import { startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres } = await servers();
const controlling = await connectClient(postgres, {}, "postgres");
after(() => controlling.end());

const BUSY = "do $$ begin raise notice 'running'; perform pg_sleep(300); end $$";
const SHUT_DOWN = "57P01";

const fresh = () => new Client(connectionUrl(postgres, "scram_user"));
const terminate = (client: Client) => controlling.query("select pg_terminate_backend($1)", [client.processID]);
/** Ours, or the code of node-postgres's error. */
const code = (error: unknown) => (error as DriverError).driverCode ?? (error as DriverError).code;

/** Resolves when the server has no process for the client any more. */
async function untilGone(processId: number | null): Promise<void> {
  while ((await controlling.query("select 1 from pg_stat_activity where pid = $1", [processId])).rowCount !== 0);
}

/** Unlike `once`, without a listener for `error`. */
function ended(client: Client): Promise<void> {
  return new Promise((resolve) => client.once("end", resolve));
}

function eventsOf(client: Client): string[] {
  const events: string[] = [];
  for (const name of ["connect", "error", "end"]) {
    client.on(name, (error) => events.push(error ? `${name} ${code(error)}` : name));
  }
  return events;
}

test("a backend that is terminated while idle: error with the server's reason, end, then CLIENT_BROKEN", async () => {
  const [ours, theirs] = [await connectClient(postgres), await connectOracle(postgres)];
  const codes: unknown[] = [];
  for (const client of [ours, theirs]) {
    const heard = once(client, "error");
    client.on("error", () => {}); // node-postgres reports a second one
    const over = ended(client);
    await terminate(client);
    codes.push(code((await heard)[0]));
    await over;
  }
  assert.deepEqual(codes, [SHUT_DOWN, SHUT_DOWN]);
  const error = await rejection(ours.query("select 1")) as DriverError;
  assert.deepEqual([error.code, code(error.cause), error.safeToRetry], ["CLIENT_BROKEN", SHUT_DOWN, true]);
  await ours.end();
});

test("an idle client that dies without a listener takes nothing down", async () => {
  const client = await connectClient(postgres);
  const over = ended(client);
  assert.equal(client.listenerCount("error"), 0);
  await terminate(client);
  await over;
  await assert.rejects(client.query("select 1"), { code: "CLIENT_BROKEN" });
});

test("a backend that is terminated in a query: that one hears the reason, the others that it is over", async () => {
  const client = await connectClient(postgres);
  const events = eventsOf(client);
  const running = once(client, "notice");
  const busy = rejection(client.query(BUSY));
  const behind = [rejection(client.query("select 1")), rejection(client.query("select $1::int", [2]))];
  await running;
  const over = ended(client);
  await terminate(client);
  assert.equal(code(await busy), SHUT_DOWN);
  for (const error of await Promise.all(behind) as DriverError[]) {
    assert.deepEqual([error.driverCode, error.code, code(error.cause)], ["CONNECTION_ENDED", "ECONNRESET", SHUT_DOWN]);
  }
  await over;
  assert.deepEqual(events, ["error CONNECTION_ENDED", "end"]);
  await assert.rejects(client.query("select 1"), { code: "CLIENT_BROKEN" });
});

test("a connection that is cut in a query fails it and those behind it, once", async () => {
  const relay = await startRelay({ target: postgres });
  const client = await connectClient(relay);
  const events = eventsOf(client);
  const running = once(client, "notice");
  const outstanding = [rejection(client.query(BUSY)), rejection(client.query("select 1"))];
  await running;
  const broken = once(client, "error");
  await relay.stop();
  const [error] = await broken;
  assert.match(error.driverCode, /^(CONNECTION_ENDED|TRANSPORT_LOST)$/);
  assert.deepEqual([error.host, error.port, error.phase], [relay.host, relay.port, "query"]);
  assert.deepEqual(await Promise.all(outstanding), [error, error]);
  assert.deepEqual(events, [`error ${error.driverCode}`, "end"]);
  await terminateBusy();
});

/** The server itself does not notice before it has something to say. */
async function terminateBusy(): Promise<void> {
  await controlling.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where query = $1 and state = 'active'",
    [BUSY],
  );
}

test("a client that stands idle for idleTimeoutMillis ends itself, without an error", async () => {
  const client = await connectClient(postgres, { idleTimeoutMillis: 100 });
  const events = eventsOf(client);
  const { processID } = client;
  // What runs is not idle.
  assert.deepEqual((await client.query("select pg_sleep(0.3), 1 as n")).rows[0].n, 1);
  assert.deepEqual(events, []);
  await ended(client);
  assert.deepEqual(events, ["end"]);
  await assert.rejects(client.query("select 1"), { code: "CLIENT_CLOSED" });
  await untilGone(processID ?? null);
});

test("end() closes the connection on both sides and emits end", async () => {
  const client = await connectClient(postgres);
  const events = eventsOf(client);
  const { processID } = client;
  await client.query("select 1");
  await client.end();
  await untilGone(processID ?? null);
  assert.deepEqual(events, ["end"]);
});

test("end() does not wait for what is outstanding: it fails, and the server's process goes", async () => {
  const client = await connectClient(postgres);
  const events = eventsOf(client);
  const running = once(client, "notice");
  const outstanding = [client.query(BUSY), client.query("select 1"), client.query("select $1::int", [1])].map(
    rejection,
  );
  await running;
  await client.end();
  for (const error of await Promise.all(outstanding) as DriverError[]) {
    assert.equal(error.code, "CONNECTION_CLOSED");
    assert.match(error.message, /Connection terminated/);
  }
  assert.deepEqual(events, ["end"]);
  await terminateBusy();
});

test("end() in the callback of the last query is a clean end", async () => {
  const client = await connectClient(postgres);
  const events = eventsOf(client);
  await new Promise<void>((resolve, reject) => {
    client.query("select 1", (error) => error ? reject(error) : client.end(() => resolve()));
  });
  assert.deepEqual(events, ["end"]);
});

test("after end() nothing is sent and everything says so", async () => {
  const client = await connectClient(postgres);
  await client.end();
  await assert.rejects(client.query("select 1"), { code: "CLIENT_CLOSED", safeToRetry: true });
  await assert.rejects(client.connect(), { code: "CLIENT_ALREADY_CONNECTED" });
  assert.equal(code(await new Promise((resolve) => client.query("select 1", resolve))), "CLIENT_CLOSED");
});

test("end() can be called twice, at once, before connect, and by callback", async () => {
  const client = await connectClient(postgres);
  const events = eventsOf(client);
  const first = client.end();
  await client.end(); // waits as the first does
  assert.deepEqual(events, ["end"]);
  await Promise.all([first, client.end(), client.end()]);
  assert.deepEqual(events, ["end"]);
  const unconnected = fresh();
  const early = rejection(unconnected.query("select 1"));
  await unconnected.end();
  assert.equal(code(await early), "CLIENT_CLOSED");
  await new Promise<void>((resolve) => unconnected.end(() => resolve()));
  await assert.rejects(unconnected.connect(), { code: "CLIENT_ALREADY_CONNECTED" });
});

test("connecting twice is refused, and the first connect is unharmed", async () => {
  await using client = fresh();
  const first = client.connect();
  await assert.rejects(client.connect(), {
    code: "CLIENT_ALREADY_CONNECTED",
    message: /Client has already been connected. You cannot reuse a client./,
  });
  assert.equal(await first, client);
  await assert.rejects(client.connect(), { code: "CLIENT_ALREADY_CONNECTED" });
  assert.deepEqual((await client.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("connect() by callback gives the client or the error", async () => {
  await using client = fresh();
  const given = await new Promise((resolve, reject) =>
    client.connect((error, connected) => error ? reject(error) : resolve(connected))
  );
  assert.equal(given, client);
  const again = await new Promise((resolve) => client.connect((error) => resolve(error)));
  assert.equal(code(again), "CLIENT_ALREADY_CONNECTED");
});

test("end() while connecting stops the connect, and what waited for it", async () => {
  await using relay = await startRelay({ target: postgres, fault: { from: "client", after: 10, action: "stall" } });
  const client = new Client(connectionUrl(relay, "scram_user"));
  const events = eventsOf(client);
  const early = rejection(client.query("select 1"));
  const connecting = rejection(client.connect());
  await (await relay.connection(0)).faulted;
  await client.end();
  assert.deepEqual([code(await connecting), code(await early)], ["ABORTED", "ABORTED"]);
  assert.deepEqual(events, ["end"]);
  await assert.rejects(client.query("select 1"), { code: "CLIENT_CLOSED" });
});

test("a server that restarts: its clients hear of it, and new ones connect", async () => {
  const before = await startPostgres({ ssl: false });
  const idle = await connectClient(before);
  const busy = await connectClient(before);
  const heard = Promise.all([once(idle, "error"), once(busy, "error")]);
  const running = once(busy, "notice");
  const failed = rejection(busy.query(BUSY));
  await running;
  await before.stop();
  const [[idleError], [busyError]] = await heard;
  assert.deepEqual([code(idleError), code(await failed)], [SHUT_DOWN, SHUT_DOWN]);
  assert.equal(code(busyError), "CONNECTION_ENDED");
  assert.equal(code(await rejection(connectClient(before))), "TRANSPORT_OPEN_FAILED");

  await using _again = await startPostgres({ ssl: false, port: before.port });
  await using anew = await connectClient(before);
  assert.deepEqual((await anew.query("select 1 as n")).rows, [{ n: 1 }]);
  await assert.rejects(idle.query("select 1"), { code: "CLIENT_BROKEN" });
});
