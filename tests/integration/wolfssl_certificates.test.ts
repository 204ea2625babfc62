/**
 * Which servers the wolfSSL engine takes, which it refuses and in what words, and how a client proves itself.
 */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import type { TlsOptions } from "../../src/tls/engine.ts";
import { wolfssl } from "../../wolfssl/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { type PeerAddresses, startPeers } from "../fixtures/peers.ts";
import { encryptedKey } from "../fixtures/encrypted_key.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore;
const pki = await certificates();
const engine = wolfssl();
const strict = { serverName: "localhost", verify: { chain: true, name: true }, roots: [pki.ca.cert] };
const lax = { chain: true, name: false };
const blind = { chain: false, name: false };
const nameOnly = { chain: false, name: true };

async function secured(addresses: PeerAddresses, server: keyof PeerAddresses, options: Partial<TlsOptions>) {
  return await engine.connect(await openNode(addresses[server]), { ...strict, ...options });
}

test("a server is taken when what was asked of its certificate holds", { skip }, async (t) => {
  const peers = await startPeers();
  const cases: [name: string, server: keyof PeerAddresses, options: Partial<TlsOptions>, secure: boolean][] = [
    ["its name and chain are right", "tls", {}, true],
    ["its name is right but for its case and a final dot", "tls", { serverName: "LocalHost." }, true],
    ["its IP address is right", "tls", { serverName: "127.0.0.1" }, true],
    ["the root is one of several in a PEM", "tls", { roots: [pki.otherCa.cert + pki.ca.cert] }, true],
    ["its own certificate is trusted", "tls", { roots: [pki.server.cert] }, true],
    ["only the chain counts", "wrongNameTls", { verify: lax }, false],
    ["nothing counts", "untrustedTls", { verify: blind }, false],
    ["nothing counts, not even the date", "expiredTls", { verify: blind }, false],
    ["only the name counts", "untrustedTls", { verify: nameOnly }, false],
  ];
  try {
    for (const [name, server, options, secure] of cases) {
      await t.test(name, async () => {
        const duplex = await secured(peers.addresses, server, options);
        assert.equal(duplex.info.secure, secure);
        duplex.close();
      });
    }
  } finally {
    await peers.close();
  }
});

test("a certificate is refused in words that say whose, why and what to do", { skip }, async (t) => {
  const peers = await startPeers();
  const unknown = [/of CN=localhost, issued by CN=pgduplex test root,/, /not with the key of the trusted root/];
  const cases: [name: string, server: keyof PeerAddresses, options: Partial<TlsOptions>, words: RegExp[]][] = [
    ["another root of the same name", "untrustedTls", {}, unknown],
    ["roots of the engine alone", "untrustedTls", { roots: undefined }, [
      /neither a trusted root nor sent/,
      /rootCerts/,
    ]],
    ["another name", "wrongNameTls", {}, [
      /"localhost"/,
      /of CN=wrong.example/,
      /is for wrong.example, not for localhost/,
    ]],
    ["another address", "wrongNameTls", { serverName: "127.0.0.1" }, [/not for 127\.0\.0\.1/]],
    ["another name, whatever the chain", "wrongNameTls", { verify: nameOnly }, [/wrong\.example/]],
    ["out of date", "expiredTls", {}, [/expired on \d{4}-/, /renew/]],
  ];
  try {
    for (const [name, server, options, words] of cases) {
      await t.test(name, async () => {
        const { host, port } = peers.addresses[server];
        const duplex = await openNode({ host, port });
        await assert.rejects(
          engine.connect(duplex, { ...strict, ...options }),
          (error: Error & Record<string, unknown>) => {
            assert.deepEqual([error.name, error.code, error.phase], ["TlsError", "TLS_CERTIFICATE", "tls"]);
            for (const pattern of words) assert.match(error.message, pattern);
            assert.ok(error.cause instanceof Error);
            return true;
          },
        );
        await assert.rejects(duplex.read(), { code: "TRANSPORT_CLOSED" }, "the connection is closed");
      });
    }
  } finally {
    await peers.close();
  }
});

test("what was agreed can be seen", { skip }, async () => {
  const peers = await startPeers();
  try {
    const { tls, info, close } = await open({ alpn: ["postgresql"] });
    assert.equal(tls.protocol, "TLSv1.3");
    assert.match(tls.cipher ?? "", /^TLS_(AES|CHACHA)/);
    assert.equal(tls.group, "X25519");
    assert.equal(tls.alpn, "postgresql");
    assert.equal(info.alpn, "postgresql");
    assert.deepEqual(tls.peerCertificate, new Uint8Array(new X509Certificate(pki.server.cert).raw));
    close();
    const plain = await open({});
    assert.equal(plain.tls.alpn, undefined);
    plain.close();
  } finally {
    await peers.close();
  }

  async function open(options: Partial<TlsOptions>) {
    const duplex = await secured(peers.addresses, "tls", options);
    return { tls: duplex.tls, info: duplex.info, close: () => duplex.close() };
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
    ["an option of Node's", { nodeOptions: { minVersion: "TLSv1.3" } }, "TLS_OPTION_UNSUPPORTED", /ssl\.minVersion/],
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
