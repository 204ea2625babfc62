/**
 * The wolfSSL engine's connections keep the contract of a Duplex, whoever does the cryptography.
 */

import { openNode } from "../../src/duplex/node.ts";
import { wolfssl, type WolfSslOptions } from "../../wolfssl/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { isDeno } from "../fixtures/deno_tls_terminator.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";
import { testContract } from "./duplex_suite.ts";

const pki = await certificates();
const options = { serverName: "localhost", verify: { chain: true, name: true }, roots: [pki.ca.cert] };

const engines: [name: string, options: WolfSslOptions][] = [
  ["TLS 1.3, by the core and SubtleCrypto", { crypto: "auto" }],
  ["TLS 1.3, by the core alone", { crypto: "wasm" }],
  ["TLS 1.3, by SubtleCrypto wherever it can", { crypto: "subtle" }],
  ["TLS 1.2, by SubtleCrypto wherever it can", { crypto: "subtle", maxVersion: "TLSv1.2" }],
  ["TLS 1.3 with ChaCha20", { cipherSuites: ["TLS_CHACHA20_POLY1305_SHA256"] }],
];

for (const [name, engineOptions] of engines) {
  const engine = wolfssl(engineOptions);
  testContract(`wolfSSL, ${name}`, ({ tls, mute }) => ({
    halfClose: true,
    resets: !isDeno, // Deno's TLS servers always end properly
    pausesPeer: true,
    writeWaits: true,
    open: async () => engine.connect(await openNode(tls), options),
    openAborted: async (signal) => engine.connect(await openNode(mute), { ...options, signal }),
  }), withoutCore);
}
