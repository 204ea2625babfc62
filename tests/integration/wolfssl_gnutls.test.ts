/**
 * The wolfSSL engine against the server of GnuTLS: versions, groups, ciphers, keys, client certificates, and what is
 * refused.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import type { TlsDuplex, TlsOptions } from "../../src/tls/engine.ts";
import { wolfssl, type WolfSslInfo, type WolfSslOptions } from "../../wolfssl/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { type GnutlsServer, hasGnutls, NO_GNUTLS, startGnutls } from "../fixtures/gnutls.ts";
import { hasOpenssl, NO_OPENSSL, selfSigned } from "../fixtures/openssl.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore || (await hasGnutls() ? false : NO_GNUTLS);
const withoutKeys = skip || (await hasOpenssl() ? false : NO_OPENSSL);
const pki = await certificates();
const folder = temporaryFolder("keys");
after(() => folder.remove());

/** Connects, with the root of the test PKI unless other options say otherwise. */
async function connect(
  server: GnutlsServer,
  options: Partial<TlsOptions> = {},
  engine = wolfssl(),
): Promise<TlsDuplex> {
  const { host, port } = server;
  return await engine.connect(await openNode({ host, port }), {
    serverName: "localhost",
    verify: { chain: true, name: true },
    roots: [pki.ca.cert],
    ...options,
  });
}

/** Sends a line, and takes it back. */
async function assertEchoes(duplex: TlsDuplex, line = "to and fro\n"): Promise<void> {
  await duplex.write(new TextEncoder().encode(line));
  const decoder = new TextDecoder();
  let text = "";
  while (text.length < line.length) {
    const bytes = await duplex.read();
    assert.ok(bytes, `the server ended after ${JSON.stringify(text)}`);
    text += decoder.decode(bytes, { stream: true });
  }
  assert.equal(text, line);
}

const TLS12 = "NORMAL:-VERS-ALL:+VERS-TLS1.2";

type Agreed = [protocol: string, group: string | undefined, cipher: string];

const negotiations: [priority: string, engine: WolfSslOptions, agreed: Agreed][] = [
  ["NORMAL", {}, ["TLSv1.3", "X25519", "TLS_AES_256_GCM_SHA384"]],
  ["NORMAL:-CIPHER-ALL:+AES-128-GCM", {}, ["TLSv1.3", "X25519", "TLS_AES_128_GCM_SHA256"]],
  ["NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305", {}, ["TLSv1.3", "X25519", "TLS_CHACHA20_POLY1305_SHA256"]],
  ["NORMAL:-GROUP-ALL:+GROUP-SECP256R1", {}, ["TLSv1.3", "P-256", "TLS_AES_256_GCM_SHA384"]],
  // No key share of that group comes first: a HelloRetryRequest.
  ["NORMAL:-GROUP-ALL:+GROUP-SECP384R1", {}, ["TLSv1.3", "P-384", "TLS_AES_256_GCM_SHA384"]],
  ["NORMAL", { groups: ["P-384"] }, ["TLSv1.3", "P-384", "TLS_AES_256_GCM_SHA384"]],
  [TLS12, {}, ["TLSv1.2", "X25519", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]],
  [`${TLS12}:-CIPHER-ALL:+CHACHA20-POLY1305`, {}, [
    "TLSv1.2",
    "X25519",
    "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  ]],
  [`${TLS12}:-GROUP-ALL:+GROUP-SECP384R1`, {}, ["TLSv1.2", "P-384", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]],
  ["NORMAL", { maxVersion: "TLSv1.2" }, ["TLSv1.2", "X25519", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]],
];

for (const [priority, options, agreed] of negotiations) {
  test(`GnuTLS with ${priority} and the engine with ${JSON.stringify(options)} agree`, { skip }, async () => {
    await using server = await startGnutls({ credentials: pki.serverByIntermediate, priority });
    for (const crypto of ["wasm", "subtle", "auto"] as const) {
      const duplex = await connect(server, {}, wolfssl({ ...options, crypto }));
      const { protocol, group, cipher } = duplex.tls;
      assert.deepEqual([protocol, group, cipher], agreed, crypto);
      await assertEchoes(duplex);
      await assertEchoes(duplex, `${"of a large record ".repeat(400)}\n`);
      duplex.close();
    }
  });
}

const KEYS = {
  rsa: ["rsa:2048"],
  p384: ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  ed25519: ["ed25519"],
} as const;

for (const key of ["rsa", "p384", "ed25519"] as const) {
  test(
    `GnuTLS's signatures with a key of the kind ${key} are verified, in TLS 1.3 and 1.2`,
    { skip: withoutKeys },
    async () => {
      const credentials = await selfSigned(folder.path, key, KEYS[key]);
      for (const [priority, version] of [["NORMAL", "TLSv1.3"], [TLS12, "TLSv1.2"]] as const) {
        await using server = await startGnutls({ credentials, priority });
        const duplex = await connect(server, { roots: [await readFile(credentials.certPath, "utf8")] });
        assert.equal(duplex.tls.protocol, version);
        await assertEchoes(duplex);
        duplex.close();
      }
    },
  );
}

for (const [priority, version] of [["NORMAL", "TLSv1.3"], [TLS12, "TLSv1.2"]] as const) {
  const args = ["--require-client-cert", "--verify-client-cert", "--x509cafile", pki.ca.certPath];
  const credentials = pki.server;

  test(`GnuTLS lets a client with its certificate in, with ${version}, and none without`, { skip }, async () => {
    await using server = await startGnutls({ credentials, priority, args });
    const duplex = await connect(server, { clientCertificate: pki.client });
    assert.equal(duplex.tls.protocol, version);
    await assertEchoes(duplex);
    duplex.close();

    for (const clientCertificate of [undefined, pki.untrustedClient]) {
      // In TLS 1.3 the client is done before the server has seen its certificate: the refusal meets the first read.
      await assert.rejects(
        async () => await assertEchoes(await connect(server, { clientCertificate })),
        (error: Error & { code?: string }) => /^T(LS|RANSPORT)_/.test(error.code ?? ""),
      );
    }
  });

  test(
    `what GnuTLS shows is refused by an authority or a name that it is not of, with ${version}`,
    { skip },
    async () => {
      await using server = await startGnutls({ credentials, priority });
      for (const refused of [{ roots: [pki.otherCa.cert] }, { serverName: "wrong.example" }]) {
        await assert.rejects(connect(server, refused), { name: "TlsError", code: "TLS_CERTIFICATE" });
      }
      await assertEchoes(await connect(server)); // it is still there, and right
    },
  );

  test(`a session of GnuTLS is resumed with ${version}`, { skip }, async () => {
    await using server = await startGnutls({ credentials, priority });
    const engine = wolfssl();
    for (const expected of [false, true, true]) {
      const duplex = await connect(server, {}, engine);
      assert.equal((duplex.tls as WolfSslInfo).resumed, expected);
      await assertEchoes(duplex);
      duplex.close();
    }
  });
}

const refusals: [name: string, priority: string, engine: WolfSslOptions][] = [
  ["a version", TLS12, { minVersion: "TLSv1.3" }],
  ["a group", "NORMAL:-GROUP-ALL:+GROUP-SECP521R1", {}],
  ["a cipher", "NORMAL:-CIPHER-ALL:+AES-256-CCM", {}],
];

for (const [name, priority, options] of refusals) {
  test(`GnuTLS and the engine without ${name} in common part with an error`, { skip }, async () => {
    await using server = await startGnutls({ credentials: pki.server, priority });
    await assert.rejects(connect(server, {}, wolfssl(options)), { name: "TlsError", code: "TLS_HANDSHAKE" });
  });
}
