import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import { certificates } from "../../fixtures/certificates.ts";
import type { PeerAddresses, Peers } from "../../fixtures/peers.ts";
import { startPeers } from "../../fixtures/peers.ts";
import type { Answer, Order, SubjectName } from "./duplex_worker.ts";
import { type RunningWorker, startWorker } from "./worker.ts";

const timeout = 60_000; // milliseconds after which a case counts as hanging

// workerd trusts a private authority only where the process that starts it was told so at its own start.
const trusts = process.env.NODE_EXTRA_CA_CERTS === (await certificates()).ca.certPath;
const untrusting = trusts ? false : "NODE_EXTRA_CA_CERTS does not name the authority of these tests";

type Ask = RunningWorker<Order, Answer>["ask"];

/** Runs `body` with a Worker and peers for it. */
async function withWorker(body: (ask: Ask, peers: Peers) => Promise<void>): Promise<void> {
  const peers = await startPeers();
  try {
    await using worker = await startWorker<Order, Answer>("duplex_worker.ts");
    await body(worker.ask, peers);
  } finally {
    await peers.close();
  }
}

const subjects: [name: SubjectName, skip: string | false][] = [
  ["cloudflare:sockets", false],
  ["TLS of cloudflare:sockets", untrusting],
  ["the WebSocket of workerd", false],
];

for (const [subject, skip] of subjects) {
  test(
    `${subject} keeps the Duplex contract`,
    { skip },
    (t) =>
      withWorker(async (ask, { addresses, muteIsAlone }) => {
        const { cases } = await ask({ list: subject, addresses });
        assert.ok(cases !== undefined && cases.length > 10);
        for (const name of cases) {
          await t.test(name, { timeout }, async () => {
            const { error } = await ask({ run: name, subject, addresses });
            if (error !== undefined) assert.fail(error.message);
          });
        }
        await t.test("an aborted opening lets go of its socket", { timeout }, muteIsAlone);
      }),
  );
}

test("a Worker opens its own socket, and refuses what its TLS cannot do", (t) =>
  withWorker(async (ask, { addresses }) => {
    const plain = await ask({ open: addresses.tcp });
    assert.deepEqual(plain.opened, { transport: "cloudflare", answered: true });
    const cases: [
      name: string,
      server: keyof PeerAddresses,
      tls: Record<string, unknown>,
      code: string,
      words: RegExp,
    ][] = [
      ["roots", "tls", { roots: [] }, "TLS_OPTION_UNSUPPORTED", /trust roots of your own.*wolfssl/],
      ["no chain", "tls", { verify: { chain: false, name: false } }, "TLS_OPTION_UNSUPPORTED", /skip the verification/],
      ["no name", "tls", { verify: { chain: true, name: false } }, "TLS_OPTION_UNSUPPORTED", /skip the verification/],
      ["ALPN", "tls", { alpn: ["postgresql"] }, "TLS_OPTION_UNSUPPORTED", /ALPN/],
      ["a certificate", "tls", { clientCertificate: {} }, "TLS_OPTION_UNSUPPORTED", /client certificate/],
      ["Node's options", "tls", { nodeOptions: { ciphers: "x" } }, "TLS_OPTION_UNSUPPORTED", /ciphers/],
      ["a version", "tls", { minVersion: "TLSv1.2" }, "TLS_OPTION_UNSUPPORTED", /version of TLS.*wolfssl/],
      ["another name", "tls", { serverName: "localhost" }, "TLS_OPTION_UNSUPPORTED", /"localhost" where it dials 127/],
      ["an unknown root", "untrustedTls", {}, "TLS_HANDSHAKE", /could not be negotiated.*certificate is not for "127/],
      ["the wrong name", "wrongNameTls", {}, "TLS_HANDSHAKE", /could not be negotiated/],
      ["out of date", "expiredTls", {}, "TLS_HANDSHAKE", /could not be negotiated/],
      ["no TLS at all", "tcp", {}, "TLS_HANDSHAKE", /could not be negotiated/],
      ["a Unix-domain socket", "unix", {}, "TRANSPORT_UNAVAILABLE", /no Unix-domain sockets/],
    ];
    for (const [name, server, tls, code, words] of cases) {
      await t.test(name, { timeout }, async () => {
        const { error } = await ask({ open: addresses[server], tls });
        assert.equal(error?.code, code, error?.message);
        assert.match(error?.message ?? "", words);
      });
    }
  }));
