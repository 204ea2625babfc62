/**
 * What whoever runs the proxy, or listens on either side of it, can read: nothing of a session in TLS, everything of one
 * without.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Client, type ClientConfig } from "../../mod.ts";
import { startProxy } from "../../src/proxy/mod.ts";
import { DATABASE, PASSWORDS } from "../fixtures/postgres.ts";
import { type Relay, type Side, startRelay } from "../fixtures/relay.ts";
import { servers } from "../fixtures/servers.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const { postgres, certificates } = await servers();

/** Nothing of the proxy's, WebSocket's or TLS's own contains these. */
const PARAMETER = "marker-of-a-parameter";
const RESULT = "marker-of-a-result";
const STATEMENT = "marker_of_a_statement";
const USER = "password_user";
const PASSWORD = PASSWORDS[USER];
// As a startup packet names it, since the word alone may stand anywhere.
const DATABASE_NAMED = `database\0${DATABASE}\0`;

/** What a session without TLS shows, and who sends it. */
const SHOWN: Readonly<Record<Side, readonly string[]>> = {
  client: [USER, PASSWORD, DATABASE_NAMED, STATEMENT, PARAMETER],
  server: [STATEMENT, RESULT, "server_version"],
};
const ALL = [...SHOWN.client, ...SHOWN.server];

/** The two places between which the proxy stands. */
type Place = "between client and proxy" | "between proxy and server";

/** Runs a session through the proxy; what each side sent, in each place. */
async function capture(config: ClientConfig): Promise<[Place, Side, Uint8Array][]> {
  await using toServer = await startRelay({ target: postgres });
  const proxy = await startProxy({ allow: [`${toServer.host}:${toServer.port}`] });
  try {
    await using toProxy = await startRelay({ target: { host: "127.0.0.1", port: proxy.port } });
    const client = new Client({
      host: toServer.host,
      port: toServer.port,
      user: USER,
      password: PASSWORD,
      database: DATABASE,
      wsProxy: `ws://${toProxy.host}:${toProxy.port}`,
      ...config,
    });
    await client.connect();
    try {
      // Of the result, only a part stands in the statement; of the large one, every record would show it.
      const { rows } = await client.query(
        `SELECT $1::text AS ${STATEMENT}, repeat('marker-of' || '-a-result', 2000) AS result`,
        [PARAMETER],
      );
      assert.deepEqual({ ...rows[0] }, { [STATEMENT]: PARAMETER, result: RESULT.repeat(2000) });
    } finally {
      await client.end();
    }
    return [...seen("between client and proxy", toProxy), ...seen("between proxy and server", toServer)];
  } finally {
    await proxy.close({ drainMillis: 0 });
  }
}

/** Of all connections together: a client that guessed the method of authentication wrongly makes a second one. */
function seen(place: Place, { connections }: Relay): [Place, Side, Uint8Array][] {
  return (["client", "server"] as const).map((side) => {
    const masked = place === "between client and proxy" && side === "client";
    const sent = connections.map((connection) => connection.bytes(side));
    return [place, side, Buffer.concat(masked ? sent.map(unmasked) : sent)];
  });
}

/** A client's WebSocket frames without their masks, which hide nothing from whoever looks (RFC 6455 §5.2 and §5.3). */
function unmasked(bytes: Uint8Array): Uint8Array {
  const view = Buffer.from(bytes);
  let at = view.indexOf("\r\n\r\n") + 4;
  const parts = [bytes.subarray(0, at)];
  while (at < view.length) {
    const short = view.readUInt8(at + 1) & 0x7f;
    const length = short === 126
      ? view.readUInt16BE(at + 2)
      : short === 127
      ? Number(view.readBigUInt64BE(at + 2))
      : short;
    const mask = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
    const payload = bytes.subarray(mask + 4, mask + 4 + length);
    parts.push(payload.map((byte, index) => byte ^ view.readUInt8(mask + index % 4)));
    at = mask + 4 + length;
  }
  return Buffer.concat(parts);
}

const engines: [name: string, config: ClientConfig][] = [
  ["with an SSLRequest", {}],
  ["with direct negotiation", { sslnegotiation: "direct" }],
  ["with all by SubtleCrypto", { crypto: "subtle" }],
  ["with all in the core", { crypto: "wasm" }],
];

for (const [name, config] of engines) {
  test(
    `neither before nor behind the proxy is anything of a session to be read, ${name}`,
    { skip: withoutCore },
    async () => {
      const captured = await capture({ tlsEngine: "wolfssl", rootCerts: certificates.ca.cert, ...config });
      for (const [place, side, bytes] of captured) {
        for (const text of ALL) {
          assert.ok(!Buffer.from(bytes).includes(text), `${JSON.stringify(text)} from the ${side} ${place}`);
        }
      }
      const fromServer = captured.filter(([, side]) => side === "server").map(([, , bytes]) => bytes.length);
      assert.ok(fromServer.every((length) => length > 2000 * RESULT.length), `captured: ${fromServer}`);
    },
  );
}

test("without TLS all of it is to be read, so that the capture can be trusted", async () => {
  for (const [place, side, bytes] of await capture({ sslmode: "disable", allowCleartextPassword: true })) {
    for (const text of SHOWN[side]) {
      assert.ok(Buffer.from(bytes).includes(text), `${JSON.stringify(text)} from the ${side} ${place}`);
    }
  }
});
