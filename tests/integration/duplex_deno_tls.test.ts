import assert from "node:assert/strict";
import { test } from "node:test";
import { openDeno } from "../../src/duplex/deno.ts";
import type { TlsOptions } from "../../src/tls/engine.ts";
import { platformEngine } from "../../src/tls/platform.ts";
import { certificates } from "../fixtures/certificates.ts";
import type { PeerAddresses } from "../fixtures/peers.ts";
import { startPeers } from "../fixtures/peers.ts";
import { testContract } from "./duplex_suite.ts";

const skip = "Deno" in globalThis ? false : "Deno's TLS exists in Deno alone";
const pki = await certificates();
const strict = { serverName: "localhost", verify: { chain: true, name: true }, roots: [pki.ca.cert] };

testContract("TLS of Deno", ({ tls, mute }) => ({
  halfClose: true,
  resets: false, // Deno's TLS servers always end properly: see below
  pausesPeer: true,
  writeWaits: true,
  open: async () => platformEngine.connect(await openDeno(tls), strict),
  openAborted: async (signal) => platformEngine.connect(await openDeno(mute), { ...strict, signal }),
}), skip);

async function secured(addresses: PeerAddresses, server: keyof PeerAddresses, options: Partial<TlsOptions>) {
  return await platformEngine.connect(await openDeno(addresses[server]), { ...strict, ...options });
}

test("TLS that is cut off is told from TLS that ends", { skip }, async () => {
  const peers = await startPeers();
  try {
    const duplex = await secured(peers.addresses, "untrustedTls", { roots: [pki.otherCa.cert] });
    await duplex.write(new TextEncoder().encode('{"do":"reset"}\n'));
    await assert.rejects(duplex.read(), { name: "TransportError", driverCode: "TRANSPORT_LOST" });
    await duplex.closed;
  } finally {
    await peers.close();
  }
});

test("Deno's TLS takes a server whose certificate holds", { skip }, async () => {
  const peers = await startPeers();
  const cases: [server: keyof PeerAddresses, options: Partial<TlsOptions>, alpn?: string][] = [
    ["tls", {}],
    ["tls", { serverName: "127.0.0.1" }],
    ["tls", { alpn: ["postgresql"] }, "postgresql"],
  ];
  try {
    for (const [server, options, alpn] of cases) {
      const duplex = await secured(peers.addresses, server, options);
      assert.deepEqual([duplex.info.secure, duplex.info.alpn, duplex.tls.alpn], [true, alpn, alpn]);
      duplex.close();
    }
  } finally {
    await peers.close();
  }
});

test("Deno's TLS refuses in words that say why and what to do", { skip }, async () => {
  const peers = await startPeers();
  const unsupported = "TLS_OPTION_UNSUPPORTED";
  const { cert, key } = pki.client;
  const cases: [server: keyof PeerAddresses, options: Partial<TlsOptions>, code: string, words: RegExp][] = [
    ["untrustedTls", {}, "TLS_CERTIFICATE", /for "localhost".*trust its CA by rootCerts/],
    ["wrongNameTls", {}, "TLS_CERTIFICATE", /ssl\.servername/],
    ["expiredTls", {}, "TLS_CERTIFICATE", /expired.*renew/i],
    ["tcp", {}, "TLS_HANDSHAKE", /could not be negotiated/],
    ["tls", { verify: { chain: false, name: false } }, unsupported, /verification of the chain.*rootCerts.*wolfssl/],
    ["tls", { verify: { chain: false, name: true } }, unsupported, /verification of the chain/],
    ["tls", { verify: { chain: true, name: false } }, unsupported, /verify the chain alone.*verify-full.*wolfssl/],
    ["tls", { needsPeerCertificate: true }, unsupported, /server's certificate for channel binding.*wolfssl/],
    ["tls", { clientCertificate: { cert, key } }, unsupported, /client certificate.*wolfssl/],
    ["tls", { nodeOptions: { ciphers: "x", sigalgs: "y" } }, unsupported, /ssl\.ciphers, ssl\.sigalgs.*TLSv1\.3/],
    ["tls", { minVersion: "TLSv1.3" }, unsupported, /other versions.*wolfssl/],
    ["notYetValidTls", {}, "TLS_CERTIFICATE", /not valid yet|NotValidYet/],
    ["withoutIntermediateTls", {}, "TLS_CERTIFICATE", /UnknownIssuer/],
    ["wrongUsageTls", {}, "TLS_CERTIFICATE", /purpose|usage/i],
  ];
  try {
    for (const [server, options, code, words] of cases) {
      const duplex = await openDeno(peers.addresses[server]);
      const refused = { name: "TlsError", driverCode: code, message: words, phase: "tls", host: "127.0.0.1" };
      await assert.rejects(platformEngine.connect(duplex, { ...strict, ...options }), refused);
      await duplex.closed;
    }
  } finally {
    await peers.close();
  }
});
