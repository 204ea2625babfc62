/**
 * Giving up a connect, by an AbortSignal, by `end` and by its deadline, wherever it waits: at once, with nothing left
 * open, and an error that says what was waited for.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, type ClientConfig, type DriverError } from "../../mod.ts";
import { deferred } from "../../src/duplex/waiting.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { wire } from "../fixtures/bytes.ts";
import { type FakeConnection, messages, ScramServer, startFakeServer } from "../fixtures/fake_server.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { assertNoSecret } from "../fixtures/secrets.ts";
import { servers } from "../fixtures/servers.ts";
import { usableTransports } from "../fixtures/transports.ts";

const { postgres } = await servers();
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

const PASSWORD = "waited for in vain";
const DEADLINE_MILLIS = 250;
const forEver = new Promise<never>(() => {});

type Address = { readonly host: string; readonly port: number };

/** Somewhere that a connect can wait for ever. */
interface Wait {
  readonly what: string;
  readonly phase: string;
  /** Calls `reached` once the client waits; the end of the script is not the end of the connection. */
  readonly script: (connection: FakeConnection, reached: () => void) => Promise<void>;
  readonly config?: (reached: () => void, server: Address) => ClientConfig;
  /** The transport whose platform goes on with what it was told to close, until the server ends it. */
  readonly lingersOn?: string;
}

/** Before there is a connection to the server. */
const BEFORE: readonly Wait[] = [
  {
    what: "the password",
    phase: "authentication",
    script: () => Promise.resolve(),
    config: (reached) => ({
      password: () => {
        reached();
        return forEver;
      },
    }),
  },
  {
    what: "a connection of one's own",
    phase: "open",
    script: () => Promise.resolve(),
    config: (reached) => ({
      openDuplex: () => {
        reached();
        return forEver;
      },
    }),
  },
  {
    what: "the proxy",
    phase: "open",
    script: async (connection, reached) => {
      await connection.bytes(); // the upgrade request
      reached();
    },
    config: (_, { host, port }) => ({ wsProxy: `ws://${host}:${port}/v1` }),
  },
];

/** Over whatever transport. */
const DURING: readonly Wait[] = [
  {
    what: "the answer to SSLRequest",
    phase: "tls",
    script: async (connection, reached) => {
      await connection.sslRequest();
      reached();
    },
    config: () => ({ sslmode: "verify-full" }),
  },
  {
    what: "the TLS handshake",
    phase: "tls",
    script: async (connection, reached) => {
      await connection.sslRequest();
      connection.send(wire("'S'"));
      await connection.bytes(); // the ClientHello
      reached();
    },
    lingersOn: "deno",
    config: () => ({ sslmode: "verify-full" }),
  },
  {
    what: "the request to authenticate",
    phase: "authentication",
    script: async (connection, reached) => {
      await connection.startup();
      reached();
    },
  },
  {
    what: "the answer to the first SCRAM message",
    phase: "authentication",
    script: async (connection, reached) => {
      await connection.startup();
      connection.send(messages.sasl("SCRAM-SHA-256"));
      await connection.message();
      reached();
    },
  },
  {
    what: "the server's proof",
    phase: "authentication",
    script: async (connection, reached) => {
      await toProof(connection);
      reached();
    },
  },
  {
    what: "the server to be ready",
    phase: "startup",
    script: async (connection) => {
      const final = await toProof(connection);
      // The client tells of the notice, and so of having come that far.
      connection.send(messages.saslFinal(final), messages.authenticationOk, messages.notice);
    },
  },
];

async function toProof(connection: FakeConnection): Promise<string> {
  await connection.startup();
  const scram = new ScramServer(PASSWORD);
  connection.send(messages.sasl("SCRAM-SHA-256"));
  connection.send(messages.saslContinue(scram.first(await connection.message()).serverFirst));
  return scram.final(await connection.message());
}

/** A way to give up, begun when the client waits or, by the deadline, by itself. */
type GiveUp = (client: Client, controller: AbortController) => Promise<void> | void;

const REASON = new Error("no longer wanted");

const bySignal: GiveUp = (_, controller) => controller.abort(REASON);
const byEnd: GiveUp = (client) => client.end();
const byDeadline: GiveUp = () => {};

const cases: [string, ClientConfig, readonly Wait[]][] = [
  ["before there is a connection", {}, BEFORE],
  ...usableTransports(proxy.url).map(({ name, config }): [string, ClientConfig, readonly Wait[]] => [
    `by a ${name}`,
    config,
    DURING,
  ]),
];

for (const [where, way, waits] of cases) {
  for (const wait of waits) {
    test(`${where}, a signal ends the wait for ${wait.what}`, async () => {
      const error = await failureOf(wait, way, bySignal);
      assert.deepEqual([error.name, error.code], ["AbortError", "ABORTED"]);
      assert.equal(error.cause, REASON);
      assert.match(error.message, /aborted by its AbortSignal/);
    });

    test(`${where}, end() ends the wait for ${wait.what}`, async () => {
      const error = await failureOf(wait, way, byEnd);
      assert.deepEqual([error.name, error.code], ["AbortError", "ABORTED"]);
      assert.match(error.message, /ended while it connected/);
    });
  }

  test(`${where}, the deadline ends every wait`, async () => {
    await Promise.all(waits.map(async (wait) => {
      const error = await failureOf(wait, way, byDeadline, { connectionTimeoutMillis: DEADLINE_MILLIS });
      assert.deepEqual([error.name, error.code], ["TimeoutError", "TIMEOUT_CONNECT"], wait.what);
      assert.equal(error.message, "timeout expired");
      assert.match(String(error.hint), new RegExp(`${DEADLINE_MILLIS} ms`));
    }));
  });
}

test("the deadline is one for a wrong guess and its repetition together", async () => {
  const { promise: repeated, resolve } = deferred<void>();
  await using server = await startFakeServer(async (connection, number) => {
    await connection.startup();
    if (number === 0) return connection.end();
    resolve();
  });
  const { host, port } = server;
  const client = new Client({ host, port, user: "u", password: PASSWORD, connectionTimeoutMillis: DEADLINE_MILLIS });
  await assert.rejects(client.connect(), { code: "TIMEOUT_CONNECT", phase: "authentication" });
  await repeated;
  assert.equal(server.accepted, 2);
  await server.idle();
});

test("a signal that was aborted before stops everything before it begins", async () => {
  await using server = await startFakeServer(() => {});
  const { host, port } = server;
  const client = new Client({ host, port, user: "u", password: () => assert.fail("asked for the password") });
  const signal = AbortSignal.abort(REASON);
  await assert.rejects(client.connect({ signal }), { name: "AbortError", code: "ABORTED", cause: REASON, host, port });
  assert.equal(server.accepted, 0);
});

test("a signal that is aborted after the connect is of no concern", async () => {
  const controller = new AbortController();
  const client = new Client(connectionUrl(postgres, "scram_user"));
  await client.connect({ signal: controller.signal });
  controller.abort(REASON);
  assert.deepEqual((await client.query("SELECT 1 AS one")).rows, [{ one: 1 }]);
  await client.end();
});

test("a client that was ended before it connected stays ended", async () => {
  await using server = await startFakeServer(() => {});
  const client = new Client({ host: server.host, port: server.port, user: "u" });
  const query = assert.rejects(client.query("SELECT 1"), { code: "CLIENT_CLOSED" });
  await client.end();
  await query;
  await assert.rejects(client.connect(), { code: "CLIENT_ALREADY_CONNECTED" });
  assert.equal(server.accepted, 0);
});

/** A proxy that makes the SSLRequest exchange makes one wait of the opening and what follows in TLS. */
function phasesOf(phase: string, { wsProxy }: ClientConfig): (string | undefined)[] {
  return wsProxy !== undefined && phase === "tls" ? ["open", "tls"] : [phase];
}

/** How a connect that waits fails when it is given up, with a query that was given before. */
async function failureOf(
  { script, config, phase, what, lingersOn }: Wait,
  way: ClientConfig,
  giveUp: GiveUp,
  options: ClientConfig = {},
): Promise<DriverError> {
  const { promise: waits, resolve: reached } = deferred<void>();
  let waiting = false;
  void waits.then(() => waiting = true);
  await using server = await startFakeServer((connection) => script(connection, reached));
  const { host, port } = server;
  const client = new Client({
    ...{ host, port, user: "u", password: PASSWORD, sslmode: "disable" },
    ...options,
    ...way,
    ...config?.(reached, server),
  });
  client.on("notice", () => reached());
  const controller = new AbortController();
  const outcomes = Promise.allSettled([client.connect({ signal: controller.signal }), client.query("SELECT 1")]);
  if (giveUp !== byDeadline) await waits;
  await giveUp(client, controller);
  const [connect, query] = await outcomes;
  assert.equal(connect.status, "rejected");
  const error = (connect as PromiseRejectedResult).reason;
  assert.equal(query.status === "rejected" && query.reason, error, "the query fails as the connect does");
  assert.deepEqual([error.host, error.port, error.safeToRetry], [host, port, true]);
  // On a machine so slow that the deadline comes before the wait, it is another wait that it ends.
  if (waiting) assert.ok(phasesOf(phase, way).includes(error.phase), `${error.phase} during ${what}`);
  assertNoSecret(error, [PASSWORD]);
  const afterwards = giveUp === byEnd ? { code: "CLIENT_CLOSED" } : { code: "CLIENT_BROKEN", cause: error };
  await assert.rejects(client.query("SELECT 1"), afterwards);
  await client.end();
  if (lingersOn === undefined || error.transport !== lingersOn) await server.idle();
  return error;
}
