/**
 * How many network turns a connect and its first query take, counted by a relay. The query is given before `connect`
 * resolves, as it leaves with the last message of the authentication.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, type ClientConfig } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectionUrl, type UserName } from "../fixtures/postgres.ts";
import { COUNTING_DELAY_MILLIS, type Relay, startRelay } from "../fixtures/relay.ts";
import { NO_PGBOUNCER, servers } from "../fixtures/servers.ts";
import { usableSockets } from "../fixtures/transports.ts";

const { postgres, pgbouncer, certificates } = await servers();

const PLAIN: ClientConfig = { sslmode: "disable", allowCleartextPassword: true };
const TLS: ClientConfig = { sslmode: "verify-full", rootCerts: certificates.ca.cert };
const DIRECT: ClientConfig = { ...TLS, sslnegotiation: "direct" };
const POLITE: ClientConfig = { speakFirst: false };

/** What one connect and its first query cost. */
interface Cost {
  readonly turns: number;
  readonly connections: number;
}

const once = (turns: number): Cost => ({ turns, connections: 1 });
/** With the connection on which the guess was refused. */
const twice = (turns: number): Cost => ({ turns, connections: 2 });

interface FlightCase {
  readonly what: string;
  readonly user: UserName;
  readonly config: ClientConfig;
  /** Of a server that is not known yet. */
  readonly first: Cost;
  /** Of a server that is known; default: the same. */
  readonly again?: Cost;
}

const CASES: readonly FlightCase[] = [
  { what: "SCRAM", user: "scram_user", config: PLAIN, first: once(2) },
  { what: "SCRAM in TLS", user: "scram_user", config: TLS, first: once(4) },
  { what: "SCRAM in direct TLS", user: "scram_user", config: DIRECT, first: once(3) },
  { what: "SCRAM without speaking first", user: "scram_user", config: { ...PLAIN, ...POLITE }, first: once(3) },
  { what: "SCRAM in TLS without speaking first", user: "scram_user", config: { ...TLS, ...POLITE }, first: once(5) },
  { what: "MD5", user: "md5_user", config: PLAIN, first: twice(3), again: once(2) },
  { what: "MD5 in TLS", user: "md5_user", config: TLS, first: twice(7), again: once(4) },
  { what: "MD5 without speaking first", user: "md5_user", config: { ...PLAIN, ...POLITE }, first: once(2) },
  { what: "a cleartext password", user: "password_user", config: PLAIN, first: twice(3), again: once(2) },
  { what: "a cleartext password in TLS", user: "password_user", config: TLS, first: twice(7), again: once(4) },
  {
    what: "trust, with a password that nobody wants",
    user: "trust_user",
    config: { ...PLAIN, password: "unwanted" },
    first: twice(3),
    again: once(2),
  },
  { what: "trust, without a password", user: "trust_user", config: PLAIN, first: once(2) },
];

for (const { name, config: way } of usableSockets()) {
  for (const { what, user, config, first, again = first } of CASES) {
    test(`${what} by a ${name}: ${words(first)}, then ${words(again)}`, async () => {
      await using relay = await startRelay({ target: postgres, delayMillis: COUNTING_DELAY_MILLIS });
      const options = { connectionString: connectionUrl(relay, user), ...config, ...way };
      assert.deepEqual(await costOf(relay, options), first);
      assert.deepEqual(await costOf(relay, options), again);
    });
  }
}

for (
  const [what, config, cost] of [["SCRAM", PLAIN, once(3)], [
    "SCRAM in TLS",
    { ...TLS, tlsEngine: "platform" },
    once(3),
  ]] as const
) {
  test(`${what} by a WebSocket: ${words(cost)}, of which one is the upgrade`, async () => {
    const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
    after(() => proxy.close({ drainMillis: 0 }));
    await using relay = await startRelay({
      target: { host: "127.0.0.1", port: proxy.port },
      delayMillis: COUNTING_DELAY_MILLIS,
    });
    const wsProxy = `ws://${relay.host}:${relay.port}/v1`;
    const options = { connectionString: connectionUrl(postgres, "scram_user"), ...config, wsProxy };
    assert.deepEqual(await costOf(relay, options), cost);
  });
}

for (const { name, config: way, bindable } of usableSockets()) {
  // It offers no channel binding, so that a client which could bind guesses wrong, once.
  const cases: [string, ClientConfig, first: Cost, again: Cost][] = [
    ["SCRAM", PLAIN, once(2), once(2)],
    ["SCRAM in TLS", TLS, bindable ? twice(8) : once(4), once(4)],
    ["SCRAM in TLS that is not to be bound to", { ...TLS, channelBinding: "disable" }, once(4), once(4)],
  ];
  for (const [what, config, first, again] of cases) {
    test(`${what} by a ${name} with PgBouncer: ${words(first)}, then ${words(again)}`, {
      skip: pgbouncer === undefined && NO_PGBOUNCER,
    }, async () => {
      await using relay = await startRelay({ target: pgbouncer ?? postgres, delayMillis: COUNTING_DELAY_MILLIS });
      const options = { connectionString: connectionUrl(relay, "scram_user"), ...config, ...way };
      assert.deepEqual(await costOf(relay, options), first);
      assert.deepEqual(await costOf(relay, options), again);
    });
  }
}

test("any number of queries given early leave in the same turn, and one that fails concerns itself alone", async () => {
  await using relay = await startRelay({ target: postgres, delayMillis: COUNTING_DELAY_MILLIS });
  const client = new Client({ connectionString: connectionUrl(relay, "scram_user"), ...PLAIN });
  const outcomes = Promise.allSettled([
    client.query("SELECT 1 AS one"),
    client.query("SELECT 1 / $1::int", [0]),
    client.query({ name: "three", text: "SELECT $1::int AS three", values: [3] }),
  ]);
  await client.connect();
  const [one, failed, three] = await outcomes;
  assert.equal(relay.turns, 2);
  assert.equal(one.status === "fulfilled" && one.value.rows[0].one, 1);
  assert.equal(failed.status === "rejected" && failed.reason.code, "22012");
  assert.equal(three.status === "fulfilled" && three.value.rows[0].three, 3);
  await client.end();
});

test("the first query may be answered before anyone awaits connect, and the client ended at once", async () => {
  await using relay = await startRelay({ target: postgres });
  const client = new Client({ connectionString: connectionUrl(relay, "scram_user"), ...PLAIN });
  const connecting = client.connect();
  const { rows } = await client.query("SELECT 1 AS one");
  await client.end();
  assert.equal(rows[0].one, 1);
  assert.equal(await connecting, client);
  const connection = await relay.connection(0);
  await connection.closed;
  const terminate = [0x58, 0, 0, 0, 4];
  assert.deepEqual([...connection.bytes("client").slice(-5)], terminate);
});

/** What a connect, with a query that was given before, costs. */
async function costOf(relay: Relay, options: ClientConfig): Promise<Cost> {
  const before = { turns: relay.turns, connections: relay.connections.length };
  const client = new Client(options);
  const query = client.query("SELECT $1::int AS answer", [42]);
  await client.connect();
  assert.deepEqual((await query).rows[0], { answer: 42 });
  const cost = { turns: relay.turns - before.turns, connections: relay.connections.length - before.connections };
  await client.end(); // which a server answers in TLS: hence after the count
  // ... and the next count begins after that answer.
  for (const connection of relay.connections) await connection.closed;
  return cost;
}

function words({ turns, connections }: Cost): string {
  return `${turns} turns` + (connections === 1 ? "" : ` on ${connections} connections`);
}
