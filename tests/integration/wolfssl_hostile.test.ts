/**
 * The wolfSSL engine against servers and networks that mean no good: every failure is a typed error, nothing hangs, and
 * no application data leaves before the server is verified.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import type { TlsDuplex, TlsOptions } from "../../src/tls/engine.ts";
import { wolfssl } from "../../wolfssl/mod.ts";
import { concatenate } from "../../wolfssl/records.ts";
import { certificates } from "../fixtures/certificates.ts";
import { startFakeServer } from "../fixtures/fake_server.ts";
import { hasOpenssl, NO_OPENSSL, selfSigned, startOpenssl } from "../fixtures/openssl.ts";
import { type Address, startPeers } from "../fixtures/peers.ts";
import { type Fault, startRelay } from "../fixtures/relay.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore;
const pki = await certificates();
const engine = wolfssl({ resumption: false });
const options = { serverName: "localhost", verify: { chain: true, name: true }, roots: [pki.ca.cert] };
const deadline = 5_000; // milliseconds after which a connect counts as hanging

async function connect(address: Address, more: Partial<TlsOptions> = {}): Promise<TlsDuplex> {
  const duplex = await openNode(address);
  return await engine.connect(duplex, { ...options, ...more, signal: AbortSignal.timeout(deadline) });
}

async function assertRefused(address: Address, words: RegExp): Promise<void> {
  await assert.rejects(connect(address), (error: Error & { driverCode?: string; phase?: string }) => {
    assert.match(error.driverCode ?? "", /^(TLS_HANDSHAKE|TRANSPORT_LOST)$/);
    assert.match(error.message, words);
    return true;
  });
}

const record = (type: number, body: readonly number[]) =>
  Uint8Array.of(type, 3, 3, body.length >> 8, body.length & 0xff, ...body);

const nonsense: [name: string, bytes: Uint8Array, words: RegExp][] = [
  ["nothing", new Uint8Array(), /server ended the connection/],
  ["an HTTP answer", new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"), /not TLS|version/],
  ["zeros", new Uint8Array(1000), /not TLS|malformed/],
  ["a record over the limit", Uint8Array.of(22, 3, 3, 0xff, 0xff, 2, 0, 0, 0), /over the limit|malformed/],
  ["an unknown type of record", record(99, [1, 2, 3]), /not TLS/],
  ["application data before the handshake", record(23, Array(64).fill(7)), /TLS could not be negotiated/],
  ["a message that is no ServerHello", record(22, [20, 0, 0, 1, 0]), /out of order|malformed/],
  ["a ServerHello that is cut", record(22, [2, 0, 0, 10, 3, 3, 1, 2, 3, 4, 5, 6, 7, 8]), /malformed|TLS could not/],
  ["an alert", record(21, [2, 40]), /handshake_failure/],
  ["a ServerHello of TLS 1.1", record(22, [2, 0, 0, 38, 3, 2, ...Array(32).fill(1), 0, 0xc0, 0x13, 0]), /version/],
  ["endless warnings", concatenate(Array<Uint8Array>(50).fill(record(21, [1, 90]))), /TLS could not/],
];

test("a server that talks nonsense is refused", { skip }, async (t) => {
  for (const [name, bytes, words] of nonsense) {
    await t.test(name, async () => {
      await using server = await startFakeServer((connection) => {
        connection.socket.write(bytes);
        connection.socket.end();
      });
      await assertRefused(server, words);
      await server.idle();
    });
  }
});

test("a server that says nothing is given up at the deadline, with the deadline's reason", { skip }, async () => {
  const peers = await startPeers();
  try {
    const duplex = await openNode(peers.addresses.mute);
    const abort = new AbortController();
    const connecting = engine.connect(duplex, { ...options, signal: abort.signal });
    abort.abort(new Error("too late"));
    await assert.rejects(connecting, {
      name: "TransportError",
      code: "TRANSPORT_ABORTED",
      cause: new Error("too late"),
    });
    await peers.muteIsAlone();
  } finally {
    await peers.close();
  }
});

/** How many bytes the server sends until the client is done with the handshake. */
async function flightSize(target: Address, more: Partial<TlsOptions> = {}): Promise<number> {
  await using relay = await startRelay({ target });
  const duplex = await connect(relay, more);
  const size = relay.connections[0]?.bytes("server").length ?? 0;
  duplex.close();
  return size;
}

/** ECDSA signatures, and so handshakes, are not always of the same size; bytes. */
const SIGNATURES_VARY = 8;

for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const) {
  test(`a handshake of ${maxVersion} that is cut, at any byte, fails as what it is`, {
    skip,
    timeout: 120_000,
  }, async () => {
    const peers = await startPeers();
    try {
      const size = await flightSize(peers.addresses.tls, { maxVersion });
      assert.ok(size > 500, `${size} bytes`);
      const cut = (after: number): Fault => ({ from: "server", after, action: "end" });
      await using relay = await startRelay({ target: peers.addresses.tls, fault: cut });
      for (let after = 0; after < size; after++) {
        await connect(relay, { maxVersion }).then((duplex) => {
          duplex.close();
          assert.ok(after >= size - SIGNATURES_VARY, `the handshake was done after ${after} of ${size} bytes`);
        }, (error) => {
          assert.match(error.driverCode, /^(TLS_HANDSHAKE|TRANSPORT_LOST)$/, `after ${after}: ${error.stack}`);
        });
      }
    } finally {
      await peers.close();
    }
  });
}

test("a byte that is changed on its way is noticed", { skip, timeout: 120_000 }, async (t) => {
  const peers = await startPeers();
  try {
    const size = await flightSize(peers.addresses.tls);
    for (const after of [3, 5, 20, 45, 80, 130, 200, 300, 400, 500].filter((at) => at < size)) {
      await t.test(`a byte put in after ${after}`, async () => {
        const fault: Fault = { from: "server", after, action: { inject: Uint8Array.of(0x5a) } };
        await using relay = await startRelay({ target: peers.addresses.tls, fault });
        await assert.rejects(connect(relay), { code: "TLS_HANDSHAKE" });
      });
    }
  } finally {
    await peers.close();
  }
});

test("a connection cut without close_notify is no proper end", { skip }, async () => {
  const peers = await startPeers();
  try {
    const size = await flightSize(peers.addresses.tls);
    // Somewhere within what the server answers.
    const fault: Fault = { from: "server", after: size + 3000, action: "end" };
    await using relay = await startRelay({ target: peers.addresses.tls, fault });
    const duplex = await connect(relay);
    await duplex.write(new TextEncoder().encode('{"do":"source","id":"cut","bytes":100000}\n'));
    const readAll = async () => {
      while (await duplex.read() !== null);
    };
    await assert.rejects(readAll(), { name: "TlsError", code: "TLS_TRUNCATED" });
    await assert.rejects(duplex.read(), { code: "TLS_TRUNCATED" }, "and stays so");
    await assert.rejects(duplex.write(new Uint8Array(1)), { code: "TLS_TRUNCATED" });
    await duplex.closed;
  } finally {
    await peers.close();
  }
});

test("data that is changed on its way is noticed, whoever decrypts", { skip }, async (t) => {
  const peers = await startPeers();
  try {
    const size = await flightSize(peers.addresses.tls);
    for (const crypto of ["wasm", "subtle"] as const) {
      await t.test(crypto, async () => {
        const fault: Fault = { from: "server", after: size + 3000, action: { inject: Uint8Array.of(0x5a) } };
        await using relay = await startRelay({ target: peers.addresses.tls, fault });
        const duplex = await wolfssl({ crypto, resumption: false }).connect(await openNode(relay), options);
        await duplex.write(new TextEncoder().encode('{"do":"source","id":"changed","bytes":100000}\n'));
        const readAll = async () => {
          while (await duplex.read() !== null);
        };
        await assert.rejects(readAll(), { name: "TlsError", code: "TLS_FAILED" });
        await duplex.closed;
      });
    }
  } finally {
    await peers.close();
  }
});

/** What no peer may say in TLS 1.3 once there are keys: a record over the limit, and what is not encrypted. */
const intrusions: [name: string, bytes: Uint8Array][] = [
  ["a record over the limit", record(23, Array(16_384 + 257).fill(7))],
  ["a header of one, and no more", Uint8Array.of(23, 3, 3, 0xff, 0xff)],
  ["a record of nothing", record(23, [])],
  ["an alert in plaintext", record(21, [2, 40])],
  ["a close_notify in plaintext", record(21, [1, 0])],
  ["a handshake in plaintext", record(22, [24, 0, 0, 1, 0])],
  ["endless changes of cipher", concatenate(Array<Uint8Array>(100).fill(record(20, [1])))],
];

test("a record that nobody with the keys has made ends the connection, whoever decrypts", {
  skip: skip || (await hasOpenssl() ? false : NO_OPENSSL),
}, async (t) => {
  const folder = temporaryFolder("intrusions");
  // A key whose signatures are all of one size, and no tickets, so that records end where they did the time before.
  const credentials = await selfSigned(folder.path, "fixed", ["ed25519"]);
  const more = { roots: [await readFile(credentials.certPath, "utf8")] };
  await using server = await startOpenssl(credentials, ["-rev", "-tls1_3", "-num_tickets", "0"]);
  try {
    const after = await flightSize(server, more);
    for (const [name, inject] of intrusions) {
      for (const crypto of ["wasm", "subtle"] as const) {
        await t.test(`${name}, with crypto ${crypto}`, async () => {
          await using relay = await startRelay({
            target: server,
            fault: { from: "server", after, action: { inject } },
          });
          const signal = AbortSignal.timeout(deadline);
          const connecting = wolfssl({ crypto, resumption: false }).connect(await openNode(relay), {
            ...options,
            ...more,
            signal,
          });
          const failing = connecting.then(async (duplex) => {
            await duplex.write(new TextEncoder().encode("never\n"));
            while (await duplex.read() !== null);
          });
          await assert.rejects(failing, (error: Error & { driverCode?: string }) => {
            assert.match(error.driverCode ?? "", /^TLS_(FAILED|HANDSHAKE)$/, error.stack);
            return true;
          });
        });
      }
    }
  } finally {
    await folder.remove();
  }
});

test("nothing but the handshake is sent to a server that is refused", { skip }, async () => {
  const peers = await startPeers();
  try {
    for (const server of ["untrustedTls", "wrongNameTls", "expiredTls"] as const) {
      await using relay = await startRelay({ target: peers.addresses[server] });
      const { cert, key } = pki.client;
      const connecting = engine.connect(await openNode(relay), { ...options, clientCertificate: { cert, key } });
      await assert.rejects(connecting, { code: "TLS_CERTIFICATE" });
      const sent = relay.connections[0]?.bytes("client") ?? assert.fail();
      const helloSize = 5 + ((sent[3] ?? 0) << 8 | (sent[4] ?? 0));
      // After the ClientHello an alert, encrypted or not, and perhaps the change of ciphers that middleboxes want.
      assert.ok(sent.length <= helloSize + 6 + 40, `${sent.length - helloSize} bytes after the ClientHello`);
    }
  } finally {
    await peers.close();
  }
});
