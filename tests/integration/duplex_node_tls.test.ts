import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import { nodeTlsOver } from "../../src/duplex/node_tls_over.ts";
import { openWebSocket } from "../../src/duplex/websocket.ts";
import type { TlsOptions } from "../../src/tls/engine.ts";
import { platformEngine } from "../../src/tls/platform.ts";
import { certificates } from "../fixtures/certificates.ts";
import type { PeerAddresses } from "../fixtures/peers.ts";
import { startPeers } from "../fixtures/peers.ts";
import { testContract } from "./duplex_suite.ts";

const skip = "Deno" in globalThis
  ? "Deno's node:tls is an imitation that knows no back-pressure; Deno has TLS of its own"
  : false;
const pki = await certificates();
const roots = [pki.ca.cert];
const strict = { serverName: "localhost", verify: { chain: true, name: true }, roots };

testContract("TLS of Node over its own socket", ({ tls, mute }) => ({
  halfClose: true,
  resets: true,
  pausesPeer: true,
  writeWaits: true,
  open: async () => platformEngine.connect(await openNode(tls), strict),
  openAborted: async (signal) => platformEngine.connect(await openNode(mute), { ...strict, signal }),
}), skip);

testContract("TLS of Node over any Duplex", ({ tls, mute }) => ({
  halfClose: true,
  resets: true,
  pausesPeer: true,
  writeWaits: true,
  open: async () => nodeTlsOver(await openNode(tls), strict),
  openAborted: async (signal) => nodeTlsOver(await openNode(mute), { ...strict, signal }),
}), skip);

async function secured(addresses: PeerAddresses, server: keyof PeerAddresses, options: Partial<TlsOptions>) {
  return await platformEngine.connect(await openNode(addresses[server]), { ...strict, ...options });
}

const lax = { chain: true, name: false };
const blind = { chain: false, name: false };
const nameOnly = { chain: false, name: true };

test("a server is taken when what was asked of its certificate holds", { skip }, async (t) => {
  const peers = await startPeers();
  const cases: [name: string, server: keyof PeerAddresses, options: Partial<TlsOptions>, secure: boolean][] = [
    ["its name and chain are right", "tls", {}, true],
    ["its IP address is right", "tls", { serverName: "127.0.0.1" }, true],
    ["the root is one of several in a PEM", "tls", { roots: [pki.otherCa.cert + pki.ca.cert] }, true],
    ["its own check of the name says so", "wrongNameTls", { nodeOptions: { checkServerIdentity: () => {} } }, true],
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
  const cases: [name: string, server: keyof PeerAddresses, options: Partial<TlsOptions>, words: RegExp[]][] = [
    ["another root", "untrustedTls", {}, [/of CN=localhost, issued by .*test root/, /trust its CA by rootCerts/]],
    ["roots of the platform alone", "untrustedTls", { roots: undefined }, [/unable to|self.signed/, /rootCerts/]],
    ["another name", "wrongNameTls", {}, [/"localhost"/, /of CN=wrong.example/, /ssl\.servername/]],
    ["another address", "wrongNameTls", { serverName: "127.0.0.1" }, [/"127\.0\.0\.1"/, /ssl\.servername/]],
    ["another name, whatever the chain", "wrongNameTls", { verify: nameOnly }, [/wrong\.example/]],
    ["out of date", "expiredTls", {}, [/expired/, /renew/]],
    ["an own check", "tls", { nodeOptions: { checkServerIdentity: () => new Error("not my pin") } }, [/not my pin/]],
  ];
  try {
    for (const [name, server, options, words] of cases) {
      await t.test(name, async () => {
        const { host, port } = peers.addresses[server];
        await assert.rejects(secured(peers.addresses, server, options), (error: Error & Record<string, unknown>) => {
          assert.deepEqual([error.name, error.driverCode, error.phase], ["TlsError", "TLS_CERTIFICATE", "tls"]);
          for (const pattern of [...words, new RegExp(`${host}:${port} via node`)]) {
            assert.match(error.message, pattern);
          }
          assert.ok(error.cause instanceof Error);
          return true;
        });
      });
    }
  } finally {
    await peers.close();
  }
});

test("what was agreed can be seen, and Node's own options are honoured", { skip }, async () => {
  const peers = await startPeers();
  try {
    const modern = await secured(peers.addresses, "tls", { alpn: ["postgresql"] });
    assert.equal(modern.tls.protocol, "TLSv1.3");
    assert.match(modern.tls.cipher ?? "", /^TLS_/);
    assert.match(modern.tls.group ?? "", /X25519|256/i);
    assert.equal(modern.tls.alpn, "postgresql");
    assert.equal(modern.info.alpn, "postgresql");
    assert.deepEqual(modern.tls.peerCertificate, new Uint8Array(new X509Certificate(pki.server.cert).raw));
    modern.close();
    const old = await secured(peers.addresses, "tls", { nodeOptions: { maxVersion: "TLSv1.2" } });
    assert.deepEqual([old.tls.protocol, old.tls.alpn], ["TLSv1.2", undefined]);
    old.close();
  } finally {
    await peers.close();
  }
});

test("a client certificate is sent where there is one", { skip }, async () => {
  const peers = await startPeers();
  const first = async (options: Partial<TlsOptions>) => {
    const duplex = await secured(peers.addresses, "clientCertificateTls", options);
    await duplex.write(new TextEncoder().encode('{"do":"echo"}\nhello'));
    const bytes = await duplex.read();
    duplex.close();
    return new TextDecoder().decode(bytes ?? new Uint8Array());
  };
  try {
    const { cert, key } = pki.client;
    assert.equal(await first({ clientCertificate: { cert, key } }), "hello");
    // In TLS 1.3 the client is done before the server has seen its certificate: the refusal comes with the first read.
    await assert.rejects(first({}), { driverCode: "TRANSPORT_LOST", message: /certificate/ });
  } finally {
    await peers.close();
  }
});

test("a handshake that cannot succeed is TLS_HANDSHAKE, and releases the connection", { skip }, async (t) => {
  const peers = await startPeers();
  const cases: [name: string, server: keyof PeerAddresses, options: Partial<TlsOptions>][] = [
    ["a server that does not speak TLS", "tcp", {}],
    ["no version in common", "tls", { nodeOptions: { maxVersion: "TLSv1.1", minVersion: "TLSv1.1" } }],
    ["a key that is none", "tls", { clientCertificate: { cert: pki.client.cert, key: "none" } }],
  ];
  try {
    for (const [name, server, options] of cases) {
      await t.test(name, async () => {
        const duplex = await openNode(peers.addresses[server]);
        const failed = {
          name: "TlsError",
          driverCode: "TLS_HANDSHAKE",
          message: /could not be negotiated: .+via node/,
        };
        await assert.rejects(platformEngine.connect(duplex, { ...strict, ...options }), failed);
        await duplex.closed;
      });
    }
  } finally {
    await peers.close();
  }
});

test("bytes that came before TLS are never taken for its own", { skip }, async () => {
  const peers = await startPeers();
  try {
    const duplex = await openNode(peers.addresses.tcp);
    await duplex.write(new TextEncoder().encode('{"do":"dribble"}\nSpoof'));
    await duplex.read(); // of five bytes in writes of their own, some are still to come
    await (await openNode(peers.addresses.tcp)).closeWrite();
    await assert.rejects(platformEngine.connect(duplex, strict), { driverCode: "TLS_HANDSHAKE" });
    await duplex.closed;
  } finally {
    await peers.close();
  }
});

test("where the platform has no TLS, the engine says what to do and lets the connection go", async () => {
  const peers = await startPeers();
  try {
    const { host, port } = peers.addresses.webSocket;
    const target = { host: "db.example.com", port: 5432 };
    const { wsFactory } = await import("../../src/duplex/ws.ts");
    const duplex = await openWebSocket(`ws://${host}:${port}/v1`, target, { webSocket: await wsFactory() });
    const unavailable = { name: "TlsError", code: "TLS_UNAVAILABLE", message: /@pgduplex\/wolfssl.*sslmode=disable/ };
    await assert.rejects(platformEngine.connect(duplex, strict), unavailable);
    await duplex.closed;
  } finally {
    await peers.close();
  }
});
