/**
 * Parts that are loaded when they are first needed and do not come: one that is waited for in vain ends with whatever it
 * was needed for, and one that cannot be loaded is told, and tried again.
 */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { Duplex } from "node:stream";
import { after, test } from "node:test";
import type { ClientConfig, DriverError } from "../../mod.ts";
import type { StreamPair } from "../../src/duplex/streams.ts";
import { loadPart } from "../../src/part.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { rejection } from "../fixtures/clients.ts";
import { type Parted, without } from "../fixtures/parts.ts";
import { connectionUrl, type UserName } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { ON_DENO } from "../fixtures/transports.ts";

const timeout = 60_000; // milliseconds after which a case counts as hanging

const { postgres, certificates: { ca } } = await servers();
const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
after(() => proxy.close({ drainMillis: 0 }));

/** Through the proxy, in TLS. */
const proxied: ClientConfig = { wsProxy: proxy.url, rootCerts: ca.cert };

const OWN_WAY: ClientConfig = {
  openDuplex: ({ host, port }) => Duplex.toWeb(connect(port, host)) as StreamPair,
  ssl: false,
};

/** Deno remembers that a file was not there, for as long as the process lives. */
const forgets = !ON_DENO;

/** What a connect needs when. */
const PARTS: readonly (readonly [part: string, config: ClientConfig, user?: UserName])[] = [
  ["src/session/hosts.ts", { target_session_attrs: "read-write" }],
  // Deno's TLS shows no certificate to bind to.
  ...ON_DENO ? [] : [["src/auth/server_end_point.ts", { ssl: { ca: ca.cert } }] as const],
  ["src/auth/saslprep.ts", {}],
  ["src/session/statement_cache.ts", { statementCache: 10 }],
  ["src/session/other_methods.ts", {}, "md5_user"],
  ["src/duplex/sockets.ts", {}],
  [ON_DENO ? "src/duplex/deno.ts" : "src/duplex/node.ts", {}],
  ["src/duplex/own_way.ts", OWN_WAY],
  ["src/duplex/streams.ts", OWN_WAY],
  ["src/duplex/websocket.ts", { ...proxied, ssl: false }],
  ["src/duplex/proxy_opening.ts", proxied],
  ["src/tls/platform.ts", { ssl: { ca: ca.cert } }],
  ["wolfssl/mod.ts", { ...proxied, tlsEngine: "wolfssl" }],
];

for (const [part, config, user = "scram_user"] of PARTS) {
  const clientOf = ({ library }: Parted, connectionTimeoutMillis = 0) =>
    new library.Client({ connectionString: connectionUrl(postgres, user), connectionTimeoutMillis, ...config });

  test(`a connect that waits for ${part} in vain ends when it is given up`, { timeout }, async () => {
    await using parted = await without(part, "never comes");
    const abort = new AbortController();
    const connecting = clientOf(parted).connect({ signal: abort.signal });
    await Promise.race([parted.asked, connecting]);
    abort.abort();
    assert.equal((await rejection(connecting) as DriverError).driverCode, "ABORTED");
  });

  test(`a connect that waits for ${part} in vain ends with its time`, { timeout }, async () => {
    await using parted = await without(part, "never comes");
    const error = await rejection(clientOf(parted, 500).connect()) as DriverError;
    assert.equal(error.driverCode, "TIMEOUT_CONNECT");
  });

  test(
    `a connect for which ${part} cannot be loaded is told, and does not spoil the next one`,
    { timeout },
    async () => {
      await using parted = await without(part, "is not there");
      const error = await rejection(clientOf(parted).connect()) as DriverError;
      assert.equal(error.driverCode, part.startsWith("wolfssl") ? "TLS_ENGINE_MISSING" : "PART_NOT_LOADED");
      assert.ok(error.cause instanceof Error);
      if (!forgets) return;
      await parted.arrive();
      await using client = await clientOf(parted).connect();
      assert.equal(client._connected, true);
    },
  );
}

const OPERATIONS = "src/client/operations.ts";

test("whoever waits in vain for what a client does beyond queries is told when he gives up, or the client ends", {
  timeout,
}, async () => {
  await using parted = await without(OPERATIONS, "never comes");
  await using client = await new parted.library.Client(connectionUrl(postgres, "scram_user")).connect();
  const abort = new AbortController();
  const { signal } = abort;
  const copyTo = (options: { signal?: AbortSignal } = {}) => client.copyTo("copy (select 1) to stdout", options).rows();
  const given = [
    client.stream("select 1", [], { signal }).next(),
    client.copyFrom("copy nowhere from stdin", "", { signal }),
    client.transaction(() => {}, { signal }),
    copyTo({ signal }).next(),
  ].map(rejection);
  const kept = [client.cursor("select 1").read(1), copyTo().next(), client.query("select 1")].map(rejection);
  const stream = client.stream("select 1");
  const reading = stream.next();
  await parted.asked;
  await stream.close();
  assert.deepEqual(await reading, { value: undefined, done: true });
  abort.abort();
  for (const error of await Promise.all(given)) assert.equal((error as DriverError).driverCode, "ABORTED");
  await client.end();
  for (const error of await Promise.all(kept)) assert.equal((error as DriverError).driverCode, "CONNECTION_CLOSED");
});

test("what a client does beyond queries is told where it cannot be loaded, and may be asked for again", {
  timeout,
}, async () => {
  await using parted = await without(OPERATIONS, "is not there");
  await using client = await new parted.library.Client(connectionUrl(postgres, "scram_user")).connect();
  for (const asked of [client.stream("select 1").next(), client.copyTo("copy (select 1) to stdout").rows().next()]) {
    const { driverCode, cause } = await rejection(asked) as DriverError;
    assert.equal(driverCode, "PART_NOT_LOADED");
    assert.ok(cause instanceof Error);
  }
  if (!forgets) return;
  await parted.arrive();
  assert.deepEqual(await client.stream("select 1 as n").next(), { value: { n: 1 }, done: false });
});

test("a part that nobody gives up is not waited for for ever", async (t) => {
  const { setTimeout } = globalThis;
  t.after(() => void (globalThis.setTimeout = setTimeout));
  const waits: unknown[] = [];
  globalThis.setTimeout = ((work: () => void, millis: number) => {
    waits.push(millis);
    queueMicrotask(work);
    return 0;
  }) as unknown as typeof setTimeout;
  const { driverCode, cause } = await rejection(loadPart(() => new Promise(() => {}))) as DriverError;
  assert.deepEqual([driverCode, String(cause), waits], ["PART_NOT_LOADED", "Error: nothing came within a minute", [
    60_000,
  ]]);
});
