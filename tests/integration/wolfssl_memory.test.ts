/**
 * What a connection of the wolfSSL engine leaves behind when it is over: nothing.
 */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import type { TlsOptions } from "../../src/tls/engine.ts";
import { wolfssl } from "../../wolfssl/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { type PeerAddresses, type Peers, startPeers } from "../fixtures/peers.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore;
const pki = await certificates();
const strict: TlsOptions = { serverName: "localhost", verify: { chain: true, name: true }, roots: [pki.ca.cert] };
const engine = wolfssl();

const { instantiate } = WebAssembly;
const memories: WebAssembly.Memory[] = [];
let peers: Peers;

before(async () => {
  // Every instance that the engine makes, by its memory.
  WebAssembly.instantiate = (async (module: WebAssembly.Module, imports?: WebAssembly.Imports) => {
    const instance = await instantiate(module, imports);
    memories.push(instance.exports.memory as WebAssembly.Memory);
    return instance;
  }) as typeof instantiate;
  peers = await startPeers();
});
after(async () => {
  WebAssembly.instantiate = instantiate;
  await peers.close();
});

const bytesOf = (memory: WebAssembly.Memory) => memory.buffer.byteLength;

async function echo(options: Partial<TlsOptions> = {}, server: keyof PeerAddresses = "tls"): Promise<void> {
  const duplex = await engine.connect(await openNode(peers.addresses[server]), { ...strict, ...options });
  await duplex.write(new TextEncoder().encode('{"do":"echo"}\nhello'));
  await duplex.read();
  duplex.close();
  await duplex.closed;
}

test("connections one after the other share an instance, whose memory does not grow", { skip }, async () => {
  const clientCertificate = { cert: pki.client.cert, key: pki.client.key };
  const kinds = [
    () => echo(),
    () => echo({ maxVersion: "TLSv1.2" }),
    () => echo({ clientCertificate }, "clientCertificateTls"),
    () => echo({ alpn: ["postgresql"] }),
  ];
  for (const kind of kinds) await kind();
  const [before, made] = [memories.map(bytesOf), memories.length];
  assert.ok(made <= 2, `${made} instances`);
  assert.ok(before.every((bytes) => bytes <= 2 * 1024 * 1024), String(before));
  // Enough of them that a few kilobytes each would show.
  for (let round = 0; round < 100; round++) await kinds[round % kinds.length]?.();
  assert.deepEqual(memories.map(bytesOf), before);
});

test("an instance in which something failed serves nobody again", { skip }, async () => {
  const made = memories.length;
  const fail = () => assert.rejects(echo({}, "expiredTls"), { driverCode: "TLS_CERTIFICATE" });
  for (let round = 0; round < 5; round++) await fail();
  assert.ok(memories.length >= made + 4, `${memories.length - made} more instances`);
});

test("of many connections at once no more than two instances are kept for the next", { skip }, async () => {
  const open = await Promise.all(
    Array.from({ length: 12 }, async () => await engine.connect(await openNode(peers.addresses.tls), strict)),
  );
  const made = memories.length;
  for (const duplex of open) duplex.close();
  await Promise.all(open.map(({ closed }) => closed));
  const next = await Promise.all(
    Array.from({ length: 12 }, async () => await engine.connect(await openNode(peers.addresses.tls), strict)),
  );
  assert.equal(memories.length, made + 10);
  for (const duplex of next) duplex.close();
});
