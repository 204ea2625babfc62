/**
 * Many handshakes, and records of all sizes over concurrent connections, by every way of computing. PGDUPLEX_SOAK
 * multiplies the numbers; at 50, there are two thousand handshakes of each kind, and 80 MB each way by each. Such a
 * run takes longer than `deno task test` waits for a file:
 *
 *     PGDUPLEX_SOAK=50 deno test -A tests/integration/wolfssl_soak.test.ts
 *     PGDUPLEX_SOAK=50 node .build/node/tests/integration/wolfssl_soak.test.mjs    # after deno task test wolfssl_soak
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import { wolfssl, type WolfSslOptions } from "../../wolfssl/mod.ts";
import { concatenate } from "../../wolfssl/records.ts";
import { certificates } from "../fixtures/certificates.ts";
import { isPattern, pattern } from "../fixtures/pattern.ts";
import { startPeers } from "../fixtures/peers.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore;
const factor = Number(process.env.PGDUPLEX_SOAK ?? 1);
const pki = await certificates();
const options = { serverName: "localhost", verify: { chain: true, name: true }, roots: [pki.ca.cert] };
const echo = new TextEncoder().encode('{"do":"echo"}\n');

const engines: WolfSslOptions[] = [
  { crypto: "wasm", resumption: false },
  { crypto: "subtle", resumption: false },
  { crypto: "subtle", resumption: false, groups: ["P-256"] },
  { crypto: "subtle", resumption: false, groups: ["P-384"] },
  { crypto: "auto", resumption: true },
  { crypto: "auto", resumption: false, groups: ["X25519MLKEM768", "X25519"] },
  { crypto: "subtle", resumption: false, maxVersion: "TLSv1.2" },
  { crypto: "auto", resumption: true, maxVersion: "TLSv1.2" },
];

for (const engineOptions of engines) {
  test(`handshakes do not fail, with ${JSON.stringify(engineOptions)}`, { skip }, async () => {
    const engine = wolfssl(engineOptions);
    const peers = await startPeers();
    try {
      for (let batch = 0; batch < 5 * factor; batch++) {
        await Promise.all(Array.from({ length: 8 }, async () => {
          const duplex = await engine.connect(await openNode(peers.addresses.tls), options);
          await duplex.write(echo);
          await duplex.write(pattern(0, 10));
          let received = 0;
          while (received < 10) {
            const bytes = await duplex.read() ?? assert.fail("the peer ended");
            assert.ok(isPattern(bytes, received));
            received += bytes.length;
          }
          duplex.close();
        }));
      }
    } finally {
      await peers.close();
    }
  });
}

/** Sizes around what is special: nothing, the thresholds, a record, several records. */
const SIZES = [
  1,
  2,
  15,
  16,
  17,
  100,
  511,
  1000,
  1023,
  1024,
  1025,
  4096,
  16383,
  16384,
  16385,
  20_000,
  32_768,
  65_537,
  200_000,
];

function longPattern(offset: number, length: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < length; at += 65536) pieces.push(pattern(offset + at, Math.min(65536, length - at)));
  return concatenate(pieces);
}

/** Every mechanism by which records are protected, with the other cipher and version where they differ. */
const RECORD_ENGINES: WolfSslOptions[] = [
  { crypto: "wasm" },
  { crypto: "subtle" },
  { crypto: "auto" },
  { crypto: "wasm", cipherSuites: ["TLS_CHACHA20_POLY1305_SHA256"] },
  { crypto: "auto", cipherSuites: ["TLS_AES_128_GCM_SHA256"] },
  { crypto: "wasm", maxVersion: "TLSv1.2" },
  { crypto: "subtle", maxVersion: "TLSv1.2" },
  { crypto: "auto", maxVersion: "TLSv1.2" },
];

for (const engineOptions of RECORD_ENGINES) {
  test(
    `records of all sizes come back whole over concurrent connections, with ${JSON.stringify(engineOptions)}`,
    { skip },
    async () => {
      const engine = wolfssl(engineOptions);
      const peers = await startPeers();
      try {
        await Promise.all(Array.from({ length: 4 }, async (_, number) => {
          const duplex = await engine.connect(await openNode(peers.addresses.tls), options);
          await duplex.write(echo);
          const order = Array.from(
            { length: SIZES.length * factor },
            (_, i) => SIZES[(i * (number * 2 + 3)) % SIZES.length] ?? 1,
          );
          const total = order.reduce((sum, size) => sum + size, 0);
          const sending = (async () => {
            let sent = 0;
            for (const size of order) {
              await duplex.write(longPattern(sent, size));
              sent += size;
            }
          })();
          for (let received = 0; received < total;) {
            const bytes = await duplex.read() ?? assert.fail("the peer ended");
            assert.ok(isPattern(bytes, received), `at ${received}`);
            received += bytes.length;
          }
          await sending;
          duplex.close();
        }));
      } finally {
        await peers.close();
      }
    },
  );
}
