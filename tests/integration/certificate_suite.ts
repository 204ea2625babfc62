/**
 * Which servers are taken and which are refused by their certificates: the same over every TLS that can be told which
 * authority to trust and what to verify. Each says in its own words why.
 *
 * @module
 */

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { openNode } from "../../src/duplex/node.ts";
import type { TlsDuplex, TlsOptions } from "../../src/tls/engine.ts";
import { certificates } from "../fixtures/certificates.ts";
import { type PeerAddresses, startPeers } from "../fixtures/peers.ts";

/** Why a certificate is refused. */
export type Reason =
  | "another root of the same name"
  | "no root of ours"
  | "another name"
  | "another address"
  | "another name, whatever the chain"
  | "out of date"
  | "not valid yet"
  | "no intermediate"
  | "not for servers";

/** A TLS under test. */
export interface CertificateSubject {
  connect(duplex: Duplex, options: TlsOptions): Promise<TlsDuplex>;
  /** What its refusals say: whose certificate it is, why, and what to do. */
  readonly words: Readonly<Record<Reason, readonly RegExp[]>>;
}

/** What is asked unless a case says otherwise. */
export async function strictOptions(): Promise<TlsOptions> {
  const { ca } = await certificates();
  return { serverName: "localhost", verify: { chain: true, name: true }, roots: [ca.cert] };
}

type Taken = [name: string, server: keyof PeerAddresses, options: Partial<TlsOptions>, secure: boolean];
type Refused = [reason: Reason, server: keyof PeerAddresses, options: Partial<TlsOptions>];

const CHAIN = { chain: true, name: false };
const NOTHING = { chain: false, name: false };
const NAME = { chain: false, name: true };

async function takenCases(): Promise<Taken[]> {
  const { ca, otherCa } = await certificates();
  return [
    ["its name and chain are right", "tls", {}, true],
    ["its chain has an intermediate", "intermediateTls", {}, true],
    ["its IP address is right", "tls", { serverName: "127.0.0.1" }, true],
    ["the root is one of several in a PEM", "tls", { roots: [otherCa.cert + ca.cert] }, true],
    ["the root is one of several", "tls", { roots: [otherCa.cert, ca.cert] }, true],
    ["only the chain counts", "wrongNameTls", { verify: CHAIN }, false],
    ["nothing counts", "untrustedTls", { verify: NOTHING }, false],
    ["nothing counts, not even the date", "expiredTls", { verify: NOTHING }, false],
    ["only the name counts", "untrustedTls", { verify: NAME }, false],
  ];
}

const REFUSED: readonly Refused[] = [
  ["another root of the same name", "untrustedTls", {}],
  ["no root of ours", "untrustedTls", { roots: undefined }],
  ["another name", "wrongNameTls", {}],
  ["another address", "wrongNameTls", { serverName: "127.0.0.1" }],
  ["another name, whatever the chain", "wrongNameTls", { verify: NAME }],
  ["out of date", "expiredTls", {}],
  ["out of date", "expiredTls", { verify: CHAIN }],
  ["not valid yet", "notYetValidTls", {}],
  ["no intermediate", "withoutIntermediateTls", {}],
  ["not for servers", "wrongUsageTls", {}],
];

/** Tests a TLS on both tables. */
export function testCertificates(name: string, subject: CertificateSubject, skip: string | false): void {
  test(`${name}: a server is taken when what was asked of its certificate holds`, { skip }, async (t) => {
    const peers = await startPeers();
    try {
      for (const [what, server, options, secure] of await takenCases()) {
        await t.test(what, async () => {
          const duplex = await openNode(peers.addresses[server]);
          const secured = await subject.connect(duplex, { ...await strictOptions(), ...options });
          assert.equal(secured.info.secure, secure);
          secured.close();
        });
      }
    } finally {
      await peers.close();
    }
  });

  test(`${name}: a certificate is refused in words that say whose, why and what to do`, { skip }, async (t) => {
    const peers = await startPeers();
    try {
      for (const [reason, server, options] of REFUSED) {
        await t.test(`${reason}, ${JSON.stringify(options.verify ?? {})}`, async () => {
          const duplex = await openNode(peers.addresses[server]);
          const connecting = subject.connect(duplex, { ...await strictOptions(), ...options });
          await assert.rejects(connecting, (error: Error & Record<string, unknown>) => {
            assert.deepEqual([error.name, error.driverCode, error.phase], ["TlsError", "TLS_CERTIFICATE", "tls"]);
            for (const pattern of subject.words[reason]) assert.match(error.message, pattern);
            assert.ok(error.cause instanceof Error);
            return true;
          });
          await duplex.closed;
        });
      }
    } finally {
      await peers.close();
    }
  });

  test(`${name}: the server's certificate and what was agreed can be seen`, { skip }, async () => {
    const { server } = await certificates();
    const peers = await startPeers();
    try {
      const options = { ...await strictOptions(), alpn: ["postgresql"] };
      const { tls, info, close } = await opened(options);
      assert.equal(tls.protocol, "TLSv1.3");
      assert.match(tls.cipher ?? "", /^TLS_(AES|CHACHA)/);
      assert.match(tls.group ?? "", /X25519|256/i);
      assert.deepEqual([tls.alpn, info.alpn], ["postgresql", "postgresql"]);
      assert.deepEqual(tls.peerCertificate, new Uint8Array(new X509Certificate(server.cert).raw));
      close();
      const older = await opened({ ...await strictOptions(), maxVersion: "TLSv1.2" });
      assert.deepEqual([older.tls.protocol, older.tls.alpn], ["TLSv1.2", undefined]);
      older.close();
    } finally {
      await peers.close();
    }

    async function opened(options: TlsOptions) {
      const secured = await subject.connect(await openNode(peers.addresses.tls), options);
      return { tls: secured.tls, info: secured.info, close: () => secured.close() };
    }
  });
}
