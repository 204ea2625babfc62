import assert from "node:assert/strict";
import { once } from "node:events";
import { after, test } from "node:test";
import { AbortError, Client, type ClientConfig, Pool, TimeoutError } from "../../mod.ts";
import { openDuplex } from "../../src/duplex/open.ts";
import { deferred } from "../../src/duplex/waiting.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectClient, rejection } from "../fixtures/clients.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";

const { postgres, certificates } = await servers();
const ssl = { ca: certificates.ca.cert };
const controlling = await connectClient(postgres);
const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
after(async () => {
  await controlling.end();
  await proxy.close({ drainMillis: 0 });
});

/** Says by a notice that it runs, and then runs for longer than any test. */
const BUSY = "do $$ begin raise notice 'running'; perform pg_sleep(300); end $$";

interface Way {
  readonly config?: ClientConfig;
  readonly parameters?: Readonly<Record<string, string>>;
  /** What `connectionInfo` says of it. */
  readonly info: Readonly<Record<string, boolean | undefined>>;
}

const ways: Readonly<Record<string, Way>> = {
  "a plain socket": { info: {} },
  TLS: { config: { ssl }, info: { secure: true } },
  "a WebSocket": { config: { wsProxy: proxy.url, ssl: false }, info: {} },
  "TLS in a WebSocket": { config: { wsProxy: proxy.url, rootCerts: certificates.ca.cert }, info: { secure: true } },
  ...(postgres.socketFolder
    ? { "a Unix-domain socket": { parameters: { host: postgres.socketFolder }, info: { local: true } } }
    : {}),
};

for (const [name, { config, parameters, info }] of Object.entries(ways)) {
  const connectThisWay = (more: ClientConfig = {}) =>
    connectClient(postgres, { ...config, ...more }, "scram_user", { parameters });

  test(`over ${name}, an abort tells who waits at once, stops the server, and leaves the connection usable`, async () => {
    await using client = await connectThisWay();
    const { secure = false, local = false } = client.connectionInfo ?? {};
    assert.deepEqual({ secure, local }, { secure: false, local: false, ...info });
    const controller = new AbortController();
    const running = once(client, "notice");
    const busy = client.query({ text: BUSY, signal: controller.signal });
    const behind = client.query("select $1::int as n", [1]);
    await running;
    const reason = new Error("no longer wanted");
    controller.abort(reason);
    const error = await rejection(busy);
    assert.ok(error instanceof AbortError);
    assert.deepEqual([error.code, error.cause, error.safeToRetry], ["ABORTED", reason, false]);
    assert.deepEqual((await behind).rows, [{ n: 1 }]);
    assert.deepEqual((await client.query("select 2 as n")).rows, [{ n: 2 }]);
  });

  test(`over ${name}, query_timeout does so too`, async () => {
    await using client = await connectThisWay({ query_timeout: 100 });
    const error = await rejection(client.query("select pg_sleep(300)"));
    assert.ok(error instanceof TimeoutError);
    assert.equal(error.code, "TIMEOUT_QUERY");
    assert.equal(error.message, "Query read timeout");
    assert.match(error.hint ?? "", /100 ms/);
    // Without a deadline of its own: the machine may be busy.
    assert.deepEqual((await client.query({ text: "select 1 as n", query_timeout: 0 })).rows, [{ n: 1 }]);
  });
}

test("a cancel is encrypted where the session is", async () => {
  for (const config of [{}, { ssl }]) {
    await using relay = await startRelay({ target: postgres });
    await using client = await connectClient(relay, config);
    await assert.rejects(client.query({ text: "select pg_sleep(300)", query_timeout: 50 }), { code: "TIMEOUT_QUERY" });
    await client.query("select 1");
    const sent = (await relay.connection(1)).bytes("client");
    const codes = (at: number) => new DataView(sent.buffer, sent.byteOffset).getInt32(at);
    if ("ssl" in config) {
      assert.equal(codes(4), 80877103); // SSLRequest, and then a TLS handshake record
      assert.equal(sent[8], 22);
    } else assert.deepEqual([codes(0), codes(4), codes(8)], [16, 80877102, client.processID]);
  }
});

test("a query's own query_timeout wins over the client's; 0 is none", async () => {
  await using client = await connectClient(postgres, { query_timeout: 100 });
  await client.query({ text: "select pg_sleep(0.3)", query_timeout: 0 });
  await using patient = await connectClient(postgres);
  await assert.rejects(patient.query({ text: "select pg_sleep(300)", query_timeout: 50 }), { hint: /within 50 ms/ });
});

test("a timeout with a callback and in a Query is reported there, once", async () => {
  await using client = await connectClient(postgres);
  const errors: unknown[] = [];
  await new Promise<void>((resolve) => {
    client.query({ text: "select pg_sleep(300)", query_timeout: 50 }, (error) => {
      errors.push((error as TimeoutError).code);
      resolve();
    });
  });
  await client.query("select 1");
  assert.deepEqual(errors, ["TIMEOUT_QUERY"]);
});

test("a signal that has fired before keeps its query from being sent", async () => {
  await using relay = await startRelay({ target: postgres });
  await using client = await connectClient(relay);
  const signal = AbortSignal.abort(new Error("before"));
  const error = await rejection(client.query({ text: "select 'never-sent'", signal }));
  assert.ok(error instanceof AbortError);
  assert.equal(error.safeToRetry, true);
  await client.query("select 'was-sent'");
  assert.deepEqual(whatWasSent(relay), { never: false, was: true });
});

test("a query that waits behind a COPY is withdrawn without a word to the server", async () => {
  await using relay = await startRelay({ target: postgres });
  await using client = await connectClient(relay);
  const [copying, waiting] = [new AbortController(), new AbortController()];
  const copy = client.query({ text: "copy (select pg_sleep(300)) to stdout", signal: copying.signal });
  const withdrawn = client.query({ text: "select 'never-sent'", signal: waiting.signal });
  const behind = client.query("select 'was-sent' as t");
  waiting.abort();
  const error = await rejection(withdrawn);
  assert.ok(error instanceof AbortError);
  assert.equal(error.safeToRetry, true);
  await untilActive(client, "copy%");
  copying.abort();
  await assert.rejects(copy, { code: "ABORTED" });
  await behind;
  assert.deepEqual(whatWasSent(relay), { never: false, was: true });
});

test("a query in the pipeline is given up at once, and cancelled when its turn comes; its neighbours are unharmed", async () => {
  await using client = await connectClient(postgres);
  await controlling.query("select pg_advisory_lock(1)");
  const controller = new AbortController();
  const before = client.query("select pg_advisory_xact_lock(1), 1 as n");
  const abandoned = client.query({ text: BUSY, signal: controller.signal });
  const behind = [client.query("select 2 as n"), client.query("select $1::int as n", [3])];
  await untilActive(client, "select pg_advisory_xact_lock%");
  controller.abort();
  await assert.rejects(abandoned, { code: "ABORTED" });
  await controlling.query("select pg_advisory_unlock(1)");
  const results = await Promise.all([before, ...behind]);
  assert.deepEqual(results.map(({ rows }) => rows[0].n), [1, 2, 3]);
});

for (const outcome of ["reached", "found out of reach"]) {
  test(`a query that ends before the server is ${outcome} for its cancel leaves those behind it unharmed`, async () => {
    const dialled = deferred<void>();
    const over = deferred<void>();
    let connections = 0;
    await using client = new Client({
      connectionString: connectionUrl(postgres, "scram_user"),
      ssl: false,
      openDuplex: async (target) => {
        if (++connections > 1) {
          dialled.resolve();
          await over.promise;
          if (outcome === "found out of reach") throw new Error("no way there");
        }
        return await openDuplex(target);
      },
    });
    await client.connect();
    const values = [78_243_117];
    await controlling.query("select pg_advisory_lock($1)", values);
    const controller = new AbortController();
    const { signal } = controller;
    const given = rejection(client.query({ text: "select pg_advisory_lock($1)", values, signal }));
    const behind = client.query("do $$ begin raise notice 'running'; perform pg_sleep(0.2); end $$; select 2 as n");
    const running = once(client, "notice");
    controller.abort();
    assert.ok(await given instanceof AbortError);
    await dialled.promise;
    await controlling.query("select pg_advisory_unlock($1)", values);
    await running;
    over.resolve();
    assert.deepEqual((await behind as unknown as { rows: unknown[] }[])[1].rows, [{ n: 2 }]);
    assert.deepEqual((await client.query("select 3 as n")).rows, [{ n: 3 }]);
  });
}

test("one signal for several queries gives up and cancels them all", async () => {
  await using client = await connectClient(postgres);
  const { signal, abort } = withAbort();
  const running = once(client, "notice");
  const busy = [1, 2, 3].map(() => rejection(client.query({ text: BUSY, signal })));
  const behind = client.query("select 1 as n");
  await running;
  abort();
  assert.deepEqual((await Promise.all(busy)).map((error) => (error as AbortError).code), [
    "ABORTED",
    "ABORTED",
    "ABORTED",
  ]);
  assert.deepEqual((await behind).rows, [{ n: 1 }]);
});

test("whatever shares a signal listens to it once, and leaves it: Node takes more than ten listeners for a leak", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  let most = 0;
  const counted = Object.assign(signal, {
    addEventListener: (...args: Parameters<AbortSignal["addEventListener"]>) => {
      most = Math.max(most, ++listeners);
      AbortSignal.prototype.addEventListener.apply(signal, args);
    },
    removeEventListener: (...args: Parameters<AbortSignal["removeEventListener"]>) => {
      listeners--;
      AbortSignal.prototype.removeEventListener.apply(signal, args);
    },
  });
  const url = connectionUrl(postgres, "scram_user");
  await using pool = new Pool({ connectionString: url, max: 2 });
  await using client = new Client(url);
  const many = <T>(ask: (n: number) => Promise<T>) => Promise.all(Array.from({ length: 20 }, (_, n) => ask(n)));
  const query = (n: number) => ({ text: "select $1::int as n", values: [n], signal: counted });
  const early = many((n) => client.query(query(n)));
  await client.connect({ signal: counted });
  await Promise.all([early, many((n) => client.query(query(n))), many((n) => pool.query(query(n)))]);
  await many(async () => (await pool.connect({ signal: counted })).release());
  await client.transaction((transaction) => many((n) => transaction.query(query(n))), { signal: counted });
  assert.equal(listeners, 0);
  assert.equal(most, 1);
});

test("an abort in the turn of the query itself, before anything was written, stops it too", async () => {
  await using client = await connectClient(postgres);
  const { signal, abort } = withAbort();
  const busy = rejection(client.query({ text: BUSY, signal }));
  const behind = client.query("select 1 as n");
  abort();
  assert.equal((await busy as AbortError).code, "ABORTED");
  assert.deepEqual((await behind).rows, [{ n: 1 }]);
});

test("a signal that fires when the query is over does nothing", async () => {
  await using client = await connectClient(postgres);
  const { signal, abort } = withAbort();
  await client.query({ text: "select 1", signal });
  const next = client.query("select pg_sleep(0.1), 2 as n");
  abort();
  assert.equal((await next).rows[0].n, 2);
});

test("a query given before connect is given up before there is a connection", async () => {
  await using relay = await startRelay({ target: postgres });
  await using client = new Client(connectionUrl(relay, "scram_user"));
  const { signal, abort } = withAbort();
  const aborted = rejection(client.query({ text: "select 'never-sent'", signal }));
  const timedOut = rejection(client.query({ text: "select 'never-sent'", query_timeout: 20 }));
  const fired = rejection(client.query({ text: "select 'never-sent'", signal: AbortSignal.abort() }));
  const kept = client.query({ text: "select 'was-sent'", query_timeout: 60_000, signal: new AbortController().signal });
  abort();
  const errors = await Promise.all([aborted, timedOut, fired]) as AbortError[];
  assert.deepEqual(errors.map(({ code }) => code), ["ABORTED", "TIMEOUT_QUERY", "ABORTED"]);
  assert.ok(errors.every(({ safeToRetry, host }) => safeToRetry && host === relay.host));
  await client.connect();
  await kept;
  assert.deepEqual(whatWasSent(relay), { never: false, was: true });
});

test("a query that left with the last message of authentication is cancelled once there is a key to do so", async () => {
  const { signal, abort } = withAbort();
  await using client = new Client({
    connectionString: connectionUrl(postgres, "scram_user"),
    openDuplex: async (target) => {
      const duplex = await openDuplex(target);
      const write = duplex.write.bind(duplex);
      duplex.write = (bytes) => {
        const written = write(bytes);
        if (new TextDecoder().decode(bytes).includes("pg_sleep")) abort();
        return written;
      };
      return duplex;
    },
    ssl: false,
  });
  const busy = rejection(client.query({ text: BUSY, signal }));
  await client.connect();
  assert.equal((await busy as AbortError).code, "ABORTED");
  assert.deepEqual((await client.query("select 1 as n")).rows, [{ n: 1 }]);
});

test("where the cancel cannot be delivered, the connection is given up with an error that says so", async () => {
  let opened = 0;
  const unreachable = new Error("no way");
  const client = await connectClient(postgres, {
    ssl: false,
    openDuplex: (target) => {
      if (++opened > 1) throw unreachable;
      return openDuplex(target);
    },
  });
  const { signal, abort } = withAbort();
  const broken = once(client, "error");
  const running = once(client, "notice");
  const busy = rejection(client.query({ text: BUSY, signal }));
  const behind = rejection(client.query("select 1"));
  await running;
  abort();
  assert.equal((await busy as AbortError).code, "ABORTED");
  const [error] = await broken;
  assert.equal(error.code, "CANCEL_FAILED");
  assert.equal(error.cause.cause, unreachable);
  assert.equal(await behind as Error, error);
  await assert.rejects(client.query("select 1"), { code: "CLIENT_BROKEN" });
});

function withAbort(): { signal: AbortSignal; abort(): void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

/** What of two marked queries the relay has seen. */
function whatWasSent(relay: Awaited<ReturnType<typeof startRelay>>): { never: boolean; was: boolean } {
  const sent = relay.connections.map((connection) => new TextDecoder().decode(connection.bytes("client"))).join();
  return { never: sent.includes("never-sent"), was: sent.includes("was-sent") };
}

/** Waits until the server runs such a query for the client. */
async function untilActive(client: Client, pattern: string): Promise<void> {
  const text = "select 1 from pg_stat_activity where pid = $1 and state = 'active' and query like $2";
  while ((await controlling.query(text, [client.processID, pattern])).rowCount === 0);
}
