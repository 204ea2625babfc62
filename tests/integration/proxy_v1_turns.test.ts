/**
 * How many network turns a connect through a WebSocket takes, from its upgrade to the first row, with SCRAM and TLS end to
 * end: with our proxy, and with proxies that only relay.
 */

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Client, type ClientConfig } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { type Manner, startOtherRelay } from "../fixtures/other_relays.ts";
import { connectionUrl, type PostgresAddress, startPostgres, withoutPostgres15 } from "../fixtures/postgres.ts";
import { COUNTING_DELAY_MILLIS, type Relay, startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const { postgres: postgres18, certificates } = await servers();
const postgres17 = await startPostgres({ version: 17 });
after(() => postgres17.stop());
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

const VERIFIED: ClientConfig = { sslmode: "verify-full", rootCerts: certificates.ca.cert };
const ENGINES: [ClientConfig["tlsEngine"], string | false][] = [["wolfssl", withoutCore], ["platform", false]];

interface TurnsCase {
  readonly what: string;
  readonly server: PostgresAddress;
  readonly options: ClientConfig;
  readonly turns: number;
  /** Where another engine takes more: Node's TLS sends one key share, which is none that PostgreSQL 17 takes. */
  readonly turnsOfPlatform?: number;
}

const CASES: readonly TurnsCase[] = [
  { what: "PostgreSQL 18", server: postgres18, options: {}, turns: 3 },
  { what: "PostgreSQL 18, by direct TLS", server: postgres18, options: { sslnegotiation: "direct" }, turns: 3 },
  {
    what: "PostgreSQL 18, where the server has to be bound and to prove itself first",
    server: postgres18,
    options: { channelBinding: "require" },
    turns: 4,
  },
  { what: "PostgreSQL 17", server: postgres17, options: {}, turns: 3, turnsOfPlatform: 4 },
];

test("wolfssl: 3 turns through our proxy with PostgreSQL 15", { skip: withoutCore || withoutPostgres15 }, async () => {
  await using postgres15 = await startPostgres({ version: 15 });
  await using relay = await startRelay({
    target: { host: "127.0.0.1", port: proxy.port },
    delayMillis: COUNTING_DELAY_MILLIS,
  });
  const way: ClientConfig = { ...VERIFIED, tlsEngine: "wolfssl", wsProxy: `ws://${relay.host}:${relay.port}` };
  assert.equal(await turnsOf(relay, postgres15, way), 3);
  assert.equal(relay.connections.length, 1);
});

for (const [tlsEngine, skip] of ENGINES) {
  for (const { what, server, options, turns, turnsOfPlatform = turns } of CASES) {
    const expected = tlsEngine === "platform" ? turnsOfPlatform : turns;
    test(`${tlsEngine}: ${expected} turns through our proxy with ${what}`, { skip }, async () => {
      await using relay = await startRelay({
        target: { host: "127.0.0.1", port: proxy.port },
        delayMillis: COUNTING_DELAY_MILLIS,
      });
      const way = { ...VERIFIED, ...options, tlsEngine, wsProxy: `ws://${relay.host}:${relay.port}` };
      assert.equal(await turnsOf(relay, server, way), expected);
      assert.equal(relay.connections.length, 1);
    });
  }

  // A WebSocket that was offered subprotocols may fail where none is chosen; then there is a second connection.
  const manners: [Manner, offered: RegExp][] = [
    ["chooses none", /^yes( no)?$/],
    ["refuses with 400", /^yes no$/],
    ["chooses the first", /^yes$/],
  ];
  for (const [manner, offered] of manners) {
    test(
      `${tlsEngine}: a relay that ${manner} is made the offer once, and none the worse for it`,
      { skip },
      async () => {
        await using relay = await startOtherRelay(manner);
        const way = { ...VERIFIED, tlsEngine, wsProxy: relay.url };
        const connect = async () => {
          const before = relay.offers.length;
          await ask(new Client({ connectionString: connectionUrl(postgres18, "scram_user"), ...way }));
          return relay.offers.slice(before).map((offer) => offer === undefined ? "no" : "yes").join(" ");
        };
        assert.match(await connect(), offered);
        assert.equal(await connect(), "no");
        const [offer] = relay.offers;
        assert.match(offer ?? "", /^pgduplex\.v1\.first\.[\w-]+,\s?pgduplex\.v1\.sslrequest,\s?pgduplex\.v1$/);
      },
    );
  }
}

test("where plain text is spoken, nothing is offered", async () => {
  await using relay = await startOtherRelay("refuses with 400");
  await ask(
    new Client({
      connectionString: connectionUrl(postgres18, "scram_user"),
      sslmode: "disable",
      wsProxy: relay.url,
    }),
  );
  assert.deepEqual(relay.offers, [undefined]);
});

test("libpq's prefer goes on in plaintext over the connection on which TLS was refused", async () => {
  await using withoutTls = await startPostgres({ ssl: false });
  await using relay = await startRelay({ target: { host: "127.0.0.1", port: proxy.port } });
  const client = new Client({
    connectionString: connectionUrl(withoutTls, "scram_user"),
    sslmode: "prefer",
    uselibpqcompat: true,
    wsProxy: `ws://${relay.host}:${relay.port}`,
  });
  await ask(client);
  assert.equal(relay.connections.length, 1);
});

/** From the first byte to the first row. */
async function turnsOf(relay: Relay, server: PostgresAddress, way: ClientConfig): Promise<number> {
  const client = new Client({ connectionString: connectionUrl(server, "scram_user"), ...way });
  const query = client.query("SELECT $1::int AS answer", [42]);
  await client.connect();
  assert.deepEqual((await query).rows, [{ answer: 42 }]);
  const { turns } = relay;
  await client.end(); // which a server answers in TLS: hence after the count
  return turns;
}

async function ask(client: Client): Promise<void> {
  await client.connect();
  assert.deepEqual((await client.query("SELECT 1 AS one")).rows, [{ one: 1 }]);
  await client.end();
}
