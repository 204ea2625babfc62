/**
 * Which servers the wolfSSL engine takes, which it refuses and in what words, and how a client proves itself.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import type { TlsOptions } from "../../src/tls/engine.ts";
import { wolfssl } from "../../wolfssl/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { type PeerAddresses, startPeers } from "../fixtures/peers.ts";
import { encryptedKey } from "../fixtures/encrypted_key.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";
import { testCertificates } from "./certificate_suite.ts";

const skip = withoutCore;
const pki = await certificates();
const engine = wolfssl();
const strict = { serverName: "localhost", verify: { chain: true, name: true }, roots: [pki.ca.cert] };

async function secured(addresses: PeerAddresses, server: keyof PeerAddresses, options: Partial<TlsOptions>) {
  return await engine.connect(await openNode(addresses[server]), { ...strict, ...options });
}

testCertificates("the wolfSSL engine", {
  connect: (duplex, options) => engine.connect(duplex, options),
  words: {
    "another root of the same name": [
      /of CN=localhost, issued by CN=pgduplex test root,/,
      /not with the key of the trusted root/,
    ],
    "no root of ours": [/neither a trusted root nor sent/, /rootCerts/],
    "another name": [/"localhost"/, /of CN=wrong.example/, /is for wrong.example, not for localhost/],
    "another address": [/not for 127\.0\.0\.1/],
    "another name, whatever the chain": [/wrong\.example/],
    "out of date": [/expired on \d{4}-/, /renew/],
    "not valid yet": [/is valid only from \d{4}-/, /clock/],
    "no intermediate": [/issued by CN=pgduplex test intermediate,/, /should send the intermediate/],
    "not for servers": [/extendedKeyUsage lacks serverAuth/],
  },
}, skip);

test("a name's case and a final dot make no difference; a trusted certificate may be the server's own", {
  skip,
}, async () => {
  const peers = await startPeers();
  try {
    for (const options of [{ serverName: "LocalHost." }, { roots: [pki.server.cert] }]) {
      const duplex = await secured(peers.addresses, "tls", options);
      assert.equal(duplex.info.secure, true);
      duplex.close();
    }
  } finally {
    await peers.close();
  }
});

test("a client proves itself with its certificate, the key in any form of PEM", { skip }, async (t) => {
  const peers = await startPeers();
  const { cert, key } = pki.client;
  const passphrase = "pässwörd";
  const cases: [name: string, certificate: TlsOptions["clientCertificate"]][] = [
    ["PKCS #8", { cert, key }],
    ["PKCS #8, encrypted", { cert, key: await encryptedKey(key, passphrase), passphrase }],
    ["with its authority after it", { cert: cert + pki.ca.cert, key }],
  ];
  try {
    for (const [name, clientCertificate] of cases) {
      await t.test(name, async () => {
        const duplex = await secured(peers.addresses, "clientCertificateTls", { clientCertificate });
        await duplex.write(new TextEncoder().encode('{"do":"echo"}\nhello'));
        assert.equal(new TextDecoder().decode(await duplex.read() ?? undefined), "hello");
        duplex.close();
      });
    }
    await t.test("but not without one, nor with one that the server does not trust", async () => {
      for (const clientCertificate of [undefined, pki.untrustedClient]) {
        // In TLS 1.3 the server answers when the client's handshake is done already.
        const refused = async () => {
          const duplex = await secured(peers.addresses, "clientCertificateTls", { clientCertificate });
          await duplex.read();
        };
        await assert.rejects(refused(), (error: Error & { driverCode?: string }) => {
          assert.match(error.driverCode ?? "", /^(TLS_FAILED|TLS_HANDSHAKE|TLS_TRUNCATED|TRANSPORT_LOST)$/);
          return true;
        });
      }
    });
  } finally {
    await peers.close();
  }
});

test("an option that cannot be honoured is refused before anything is sent", { skip }, async (t) => {
  const peers = await startPeers();
  const { cert, key } = pki.client;
  const encrypted = await encryptedKey(key, "right");
  const cases: [name: string, options: Partial<TlsOptions>, code: string, words: RegExp][] = [
    ["an option of Node's", { nodeOptions: { pfx: "bytes" } }, "TLS_OPTION_UNSUPPORTED", /ssl\.pfx.*openssl pkcs12/],
    ["TLS 1.1", { maxVersion: "TLSv1.1" }, "TLS_OPTION_UNSUPPORTED", /TLSv1\.1: TLSv1\.2 is the oldest/],
    ["no version at all", { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }, "TLS_OPTION_INVALID", /minVersion/],
    ["a root that is no PEM", { roots: ["ca.pem"] }, "TLS_OPTION_INVALID", /roots\[0\]/],
    [
      "a root that is damaged",
      { roots: [pki.ca.cert.replace(/\n[^\n]+\n/, "\n")] },
      "TLS_OPTION_INVALID",
      /roots\[0\]/,
    ],
    ["a name that is none", { serverName: "db host" }, "TLS_OPTION_INVALID", /serverName/],
    ["no name", { serverName: "" }, "TLS_OPTION_INVALID", /serverName/],
    ["a protocol with a comma", { alpn: ["a,b"] }, "TLS_OPTION_INVALID", /alpn/],
    ["a key that is no PEM", { clientCertificate: { cert, key: "key.pem" } }, "TLS_OPTION_INVALID", /key/],
    [
      "a certificate that is no PEM",
      { clientCertificate: { cert: "?", key } },
      "TLS_OPTION_INVALID",
      /clientCertificate/,
    ],
    ["another's key", { clientCertificate: { cert, key: pki.server.key } }, "TLS_OPTION_INVALID", /clientCertificate/],
    ["no passphrase", { clientCertificate: { cert, key: encrypted } }, "TLS_OPTION_INVALID", /passphrase/],
    [
      "a wrong passphrase",
      {
        clientCertificate: { cert, key: encrypted, passphrase: "wrong secret" },
      },
      "TLS_OPTION_INVALID",
      /passphrase/,
    ],
  ];
  try {
    for (const [name, options, code, words] of cases) {
      await t.test(name, async () => {
        const duplex = await openNode(peers.addresses.mute);
        await assert.rejects(engine.connect(duplex, { ...strict, ...options }), (error: Error & { code?: string }) => {
          assert.equal(error.code, code);
          assert.match(error.message, words);
          assert.doesNotMatch(
            JSON.stringify(error, Object.getOwnPropertyNames(error)),
            /wrong secret|BEGIN [A-Z ]*KEY/,
          );
          return true;
        });
        await duplex.closed;
      });
    }
  } finally {
    await peers.close();
  }
});
