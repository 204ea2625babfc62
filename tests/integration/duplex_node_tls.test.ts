import assert from "node:assert/strict";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import { nodeTlsOver } from "../../src/duplex/node_tls_over.ts";
import { openWebSocket } from "../../src/duplex/websocket.ts";
import type { TlsOptions } from "../../src/tls/engine.ts";
import { platformEngine } from "../../src/tls/platform.ts";
import { certificates } from "../fixtures/certificates.ts";
import type { PeerAddresses } from "../fixtures/peers.ts";
import { startPeers } from "../fixtures/peers.ts";
import { type CertificateSubject, testCertificates } from "./certificate_suite.ts";
import { testContract } from "./duplex_suite.ts";

const skip = "Deno" in globalThis
  ? "Deno's node:tls is an imitation that knows no back-pressure; Deno has TLS of its own"
  : false;
const pki = await certificates();
const roots = [pki.ca.cert];
const strict: TlsOptions = { serverName: "localhost", verify: { chain: true, name: true }, roots };

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

const WORDS: CertificateSubject["words"] = {
  "another root of the same name": [/of CN=localhost, issued by .*test root/, /trust its CA by rootCerts/],
  "no root of ours": [/unable to|self.signed/, /rootCerts/],
  "another name": [/"localhost"/, /of CN=wrong.example/, /ssl\.servername/],
  "another address": [/"127\.0\.0\.1"/, /ssl\.servername/],
  "another name, whatever the chain": [/wrong\.example/],
  "out of date": [/expired/, /renew/],
  "not valid yet": [/not yet valid/, /clock/],
  "no intermediate": [/of CN=localhost, issued by .*test intermediate/, /rootCerts/],
  "not for servers": [/of CN=localhost/, /purpose/],
};

testCertificates("Node's own socket", {
  connect: (duplex, options) => platformEngine.connect(duplex, options),
  words: WORDS,
}, skip);

testCertificates("Node over any Duplex", { connect: nodeTlsOver, words: WORDS }, skip);

test("a check of one's own takes the place of the name's", { skip }, async () => {
  const peers = await startPeers();
  const checked = (answer: Error | undefined) =>
    secured(peers.addresses, "wrongNameTls", { nodeOptions: { checkServerIdentity: () => answer } });
  try {
    const duplex = await checked(undefined);
    assert.equal(duplex.info.secure, true);
    duplex.close();
    const refused = {
      name: "TlsError",
      driverCode: "TLS_CERTIFICATE",
      message: /not my pin.*127\.0\.0\.1:\d+ via node/,
    };
    await assert.rejects(checked(new Error("not my pin")), refused);
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
    ["no version in common", "tls", { minVersion: "TLSv1.1", maxVersion: "TLSv1.1" }],
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

test("TLS of Node over any Duplex: unref lets the process exit by what is below", { skip }, async () => {
  const peers = await startPeers();
  const alive = () => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;
  try {
    const duplex = await nodeTlsOver(await openNode(peers.addresses.tls), strict);
    const before = alive();
    duplex.unref?.();
    assert.equal(alive(), before - 1);
    duplex.ref?.();
    assert.equal(alive(), before);
    duplex.close();
  } finally {
    await peers.close();
  }
});
