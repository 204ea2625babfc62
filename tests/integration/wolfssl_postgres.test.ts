/**
 * The wolfSSL engine in front of PostgreSQL: after an SSLRequest and directly, and end to end through a proxy.
 */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { openNode } from "../../src/duplex/node.ts";
import { Backend, ProtocolVersion } from "../../src/protocol/codes.ts";
import { FrameReader } from "../../src/protocol/frame_reader.ts";
import { query, sslRequest, startupMessage } from "../../src/protocol/frontend.ts";
import { MessageWriter } from "../../src/protocol/message_writer.ts";
import type { TlsDuplex } from "../../src/tls/engine.ts";
import { wolfssl, type WolfSslOptions } from "../../wolfssl/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { DATABASE, type PostgresVersion, startPostgres, withoutPostgres15 } from "../fixtures/postgres.ts";
import { startRelay } from "../fixtures/relay.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore;
const pki = await certificates();
const options = { serverName: "localhost", verify: { chain: true, name: true }, roots: [pki.ca.cert] };

function encode(write: (writer: MessageWriter) => void): Uint8Array {
  const writer = new MessageWriter();
  write(writer);
  return writer.take();
}

async function polite(duplex: Duplex, engine: WolfSslOptions): Promise<TlsDuplex> {
  await duplex.write(encode(sslRequest));
  assert.deepEqual(await duplex.read(), Uint8Array.of(0x53)); // S
  return await wolfssl(engine).connect(duplex, options);
}

async function direct(duplex: Duplex, engine: WolfSslOptions): Promise<TlsDuplex> {
  const secured = await wolfssl(engine).connect(duplex, { ...options, alpn: ["postgresql"] });
  assert.equal(secured.tls.alpn, "postgresql");
  return secured;
}

/** Logs in and asks; gives the lengths of the rows, so that the answer may be large. */
async function ask(duplex: Duplex, text: string): Promise<number[]> {
  const parameters: [string, string][] = [["user", "trust_user"], ["database", DATABASE]];
  await duplex.write(encode((writer) => startupMessage(writer, ProtocolVersion["3.0"], parameters)));
  const frames = new FrameReader();
  frames.maxLength = 1e8;
  const rows: number[] = [];
  let ready = 0;
  while (ready < 2) {
    const chunk = await duplex.read();
    assert.ok(chunk, "the server ended the connection");
    frames.push(chunk);
    for (let type = frames.next(); type !== 0; type = frames.next()) {
      assert.notEqual(
        type,
        Backend.ErrorResponse,
        new TextDecoder().decode(frames.bytes.subarray(frames.start, frames.end)),
      );
      if (type === Backend.DataRow) rows.push(frames.end - frames.start);
      if (type === Backend.ReadyForQuery && ready++ === 0) await duplex.write(encode((writer) => query(writer, text)));
    }
  }
  return rows;
}

const cases: [version: PostgresVersion, way: typeof polite, engine: WolfSslOptions, group: string][] = [
  [18, polite, {}, "X25519"],
  [18, polite, { crypto: "subtle" }, "X25519"],
  [18, direct, {}, "X25519"],
  [17, polite, {}, "P-256"], // the only group of PostgreSQL before 18, unless configured
  [17, direct, { crypto: "subtle" }, "P-256"], // whose key share is another one: a HelloRetryRequest
  [15, polite, {}, "P-256"],
  [15, polite, { crypto: "subtle" }, "P-256"],
];

for (const version of [18, 17, 15] as const) {
  test(
    `PostgreSQL ${version} is spoken to inside TLS, in small messages and in large ones`,
    { skip: skip || (version === 15 && withoutPostgres15), timeout: 120_000 },
    async (t) => {
      await using server = await startPostgres({ version });
      for (const [, way, engine, group] of cases.filter(([wanted]) => wanted === version)) {
        await t.test(`${version}, ${way.name}, ${JSON.stringify(engine)}`, async () => {
          await using relay = await startRelay({ target: server });
          const duplex = await way(await openNode(relay), engine);
          assert.deepEqual([duplex.tls.protocol, duplex.tls.group], ["TLSv1.3", group]);
          assert.deepEqual(duplex.tls.peerCertificate, new Uint8Array(new X509Certificate(pki.server.cert).raw));
          const rows = await ask(duplex, "select repeat('secret', i) from generate_series(1, 3000) i");
          assert.equal(rows.length, 3000);
          rows.forEach((length, index) => assert.equal(length, 2 + 4 + 6 * (index + 1)));
          duplex.close();
          const seen = relay.connections[0] ?? assert.fail();
          for (const side of ["client", "server"] as const) {
            const text = new TextDecoder("latin1").decode(seen.bytes(side));
            assert.doesNotMatch(text, /secret|trust_user|generate_series/, `plaintext of the ${side} on the wire`);
          }
        });
      }
    },
  );
}

test("the hybrid with ML-KEM is agreed with a server that has it", { skip, timeout: 60_000 }, async (t) => {
  const starting = startPostgres({ version: 18, settings: { ssl_groups: "X25519MLKEM768:X25519" } });
  const unsupported = await starting.then(() => false, (error) => /No valid groups found/.test(error.message));
  if (unsupported) return t.skip("this PostgreSQL's OpenSSL (before 3.5) has no X25519MLKEM768");
  await using server = await starting;
  const duplex = await polite(await openNode(server), { groups: ["X25519MLKEM768", "X25519"] });
  assert.equal(duplex.tls.group, "X25519MLKEM768");
  assert.equal((await ask(duplex, "select 1")).length, 1);
  duplex.close();
});
