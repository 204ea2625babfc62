import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { build } from "esbuild";
import { Miniflare } from "miniflare";
import { certificates } from "../../fixtures/certificates.ts";
import type { PeerAddresses, Peers } from "../../fixtures/peers.ts";
import { startPeers } from "../../fixtures/peers.ts";
import { projectRoot } from "../../fixtures/project.ts";
import type { Answer, Order, SubjectName } from "./duplex_worker.ts";

const timeout = 60_000; // milliseconds after which a case counts as hanging

// workerd trusts a private authority only where the process that starts it was told so at its own start.
const trusts = process.env.NODE_EXTRA_CA_CERTS === (await certificates()).ca.certPath;
const untrusting = trusts ? false : "NODE_EXTRA_CA_CERTS does not name the authority of these tests";

async function startWorker(): Promise<Miniflare> {
  const { outputFiles } = await build({
    entryPoints: [join(projectRoot(), "tests/runtimes/workerd/duplex_worker.ts")],
    bundle: true,
    format: "esm",
    platform: "neutral",
    external: ["node:*", "ws"],
    write: false,
    logLevel: "warning",
  });
  const contents = outputFiles[0]?.text ?? assert.fail("esbuild gave nothing");
  const worker = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents }],
    compatibilityDate: "2026-04-01",
    compatibilityFlags: ["nodejs_compat"],
    cf: false,
  });
  await worker.ready;
  return worker;
}

async function ask(worker: Miniflare, order: Order): Promise<Answer> {
  const response = await worker.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(order) });
  return await response.json() as Answer;
}

/** Runs `body` with a Worker and peers for it. */
async function withWorker(body: (worker: Miniflare, peers: Peers) => Promise<void>): Promise<void> {
  const peers = await startPeers();
  try {
    const worker = await startWorker();
    try {
      await body(worker, peers);
    } finally {
      await worker.dispose();
    }
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
      withWorker(async (worker, { addresses, muteIsAlone }) => {
        const { cases } = await ask(worker, { list: subject, addresses });
        assert.ok(cases !== undefined && cases.length > 10);
        for (const name of cases) {
          await t.test(name, { timeout }, async () => {
            const { error } = await ask(worker, { run: name, subject, addresses });
            if (error !== undefined) assert.fail(error.message);
          });
        }
        await t.test("an aborted opening lets go of its socket", { timeout }, muteIsAlone);
      }),
  );
}

test("a Worker opens its own socket, and refuses what its TLS cannot do", (t) =>
  withWorker(async (worker, { addresses }) => {
    const plain = await ask(worker, { open: addresses.tcp });
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
        const { error } = await ask(worker, { open: addresses[server], tls });
        assert.equal(error?.code, code, error?.message);
        assert.match(error?.message ?? "", words);
      });
    }
  }));
