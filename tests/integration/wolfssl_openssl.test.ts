/**
 * The wolfSSL engine against OpenSSL's server in odd settings: versions, groups, ciphers and keys, resumption,
 * KeyUpdate.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import type { TlsDuplex, TlsEngine, TlsOptions } from "../../src/tls/engine.ts";
import { wolfssl, type WolfSslInfo, type WolfSslOptions } from "../../wolfssl/mod.ts";
import { hasOpenssl, NO_OPENSSL, type OpensslServer, selfSigned, startOpenssl } from "../fixtures/openssl.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore || (await hasOpenssl() ? false : NO_OPENSSL);
const folder = await temporaryFolder("openssl");
after(() => folder.remove());

const KEYS = {
  rsa: ["rsa:2048"],
  rsaPss: ["rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"],
  p256: ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"],
  p384: ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
  ed25519: ["ed25519"],
} as const;

async function connect(
  engine: TlsEngine,
  { host, port }: OpensslServer,
  certPath: string,
  more: Partial<TlsOptions> = {},
): Promise<TlsDuplex> {
  return await engine.connect(await openNode({ host, port }), {
    serverName: "localhost",
    verify: { chain: true, name: true },
    roots: [await readFile(certPath, "utf8")],
    ...more,
  });
}

async function readText(duplex: TlsDuplex, length: number): Promise<string> {
  let text = "";
  while (text.length < length) {
    const bytes = await duplex.read();
    if (bytes === null) break;
    text += new TextDecoder().decode(bytes);
  }
  return text;
}

async function assertReverses(duplex: TlsDuplex): Promise<void> {
  await duplex.write(new TextEncoder().encode("stressed\n"));
  assert.equal(await readText(duplex, 9), "desserts\n");
}

type Agreed = [protocol: string, group: string | undefined, cipher: string];

const negotiations: [key: keyof typeof KEYS, args: string[], engine: WolfSslOptions, agreed: Agreed][] = [
  ["p256", [], {}, ["TLSv1.3", "X25519", "TLS_AES_256_GCM_SHA384"]],
  ["rsa", [], {}, ["TLSv1.3", "X25519", "TLS_AES_256_GCM_SHA384"]],
  ["rsaPss", [], {}, ["TLSv1.3", "X25519", "TLS_AES_256_GCM_SHA384"]],
  ["p384", [], {}, ["TLSv1.3", "X25519", "TLS_AES_256_GCM_SHA384"]],
  ["ed25519", [], {}, ["TLSv1.3", "X25519", "TLS_AES_256_GCM_SHA384"]],
  // The server has no X25519: a HelloRetryRequest.
  ["p256", ["-groups", "P-256"], {}, ["TLSv1.3", "P-256", "TLS_AES_256_GCM_SHA384"]],
  ["p256", ["-groups", "P-384"], {}, ["TLSv1.3", "P-384", "TLS_AES_256_GCM_SHA384"]],
  ["p256", [], { groups: ["P-384", "X25519"] }, ["TLSv1.3", "P-384", "TLS_AES_256_GCM_SHA384"]],
  // The server does not know the hybrid, and takes what comes after it.
  ["p256", [], { groups: ["X25519MLKEM768", "P-256"] }, ["TLSv1.3", "P-256", "TLS_AES_256_GCM_SHA384"]],
  ["p256", ["-ciphersuites", "TLS_AES_128_GCM_SHA256"], {}, ["TLSv1.3", "X25519", "TLS_AES_128_GCM_SHA256"]],
  ["p256", ["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], {}, [
    "TLSv1.3",
    "X25519",
    "TLS_CHACHA20_POLY1305_SHA256",
  ]],
  ["rsa", ["-tls1_2"], {}, ["TLSv1.2", "X25519", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]],
  ["p256", ["-tls1_2"], {}, ["TLSv1.2", "X25519", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"]],
  ["p256", ["-tls1_2", "-groups", "P-384:P-256"], {}, [
    "TLSv1.2",
    "P-256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  ]],
  ["rsa", ["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"], {}, [
    "TLSv1.2",
    "X25519",
    "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
  ]],
  ["rsa", [], { maxVersion: "TLSv1.2" }, ["TLSv1.2", "X25519", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"]],
];

test("what OpenSSL and the engine have in common is agreed, whoever computes", { skip }, async (t) => {
  const made = new Map<string, ReturnType<typeof selfSigned>>();
  for (const [key, args, options, agreed] of negotiations) {
    if (!made.has(key)) made.set(key, selfSigned(folder.path, key, KEYS[key]));
    const credentials = await made.get(key) ?? assert.fail();
    for (const crypto of ["wasm", "subtle", "auto"] as const) {
      await t.test(`${key} ${args.join(" ")} ${JSON.stringify({ ...options, crypto })}`, async () => {
        await using server = await startOpenssl(credentials, ["-rev", ...args]);
        const duplex = await connect(wolfssl({ ...options, crypto }), server, credentials.certPath);
        const { protocol, group, cipher } = duplex.tls;
        assert.deepEqual([protocol, group, cipher], agreed);
        await assertReverses(duplex);
        duplex.close();
      });
    }
  }
});

test("a client signs with a key of any kind, and OpenSSL verifies it", { skip }, async (t) => {
  const server = await selfSigned(folder.path, "verifier", KEYS.p256);
  for (const key of ["rsa", "p256", "p384", "ed25519"] as const) {
    for (const version of ["-tls1_3", "-tls1_2"]) {
      await t.test(`${key} ${version}`, async () => {
        const client = await selfSigned(folder.path, `client_${key}`, KEYS[key]);
        const trust = ["-Verify", "1", "-verify_return_error", "-CAfile", client.certPath];
        await using running = await startOpenssl(server, ["-rev", version, ...trust]);
        const duplex = await wolfssl().connect(await openNode(running), {
          serverName: "localhost",
          verify: { chain: true, name: true },
          roots: [await readFile(server.certPath, "utf8")],
          clientCertificate: {
            cert: await readFile(client.certPath, "utf8"),
            key: await readFile(client.keyPath, "utf8"),
          },
        });
        await assertReverses(duplex);
        duplex.close();
      });
    }
  }
});

const refusals: [name: string, key: keyof typeof KEYS, args: string[], engine: WolfSslOptions, words: RegExp][] = [
  ["no group in common", "p256", ["-groups", "P-521"], {}, /handshake_failure|no cipher suite, group/],
  ["no cipher suite in common", "rsa", ["-tls1_2", "-cipher", "AES128-SHA"], {}, /handshake_failure/],
  ["a version that is too old", "rsa", ["-tls1_2"], { minVersion: "TLSv1.3" }, /protocol_version|another version/],
  ["TLS 1.1 alone", "rsa", ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], {}, /protocol_version|another version/],
  ["a key that is too small", "rsa", [], {}, /RSA key of 1024 bits/],
];

test("what they do not have in common is said", { skip }, async (t) => {
  for (const [name, key, args, options, words] of refusals) {
    await t.test(name, async () => {
      const small = name.includes("small");
      const credentials = await selfSigned(folder.path, "refused", small ? ["rsa:1024"] : KEYS[key]);
      await using server = await startOpenssl(credentials, small ? ["-cipher", "DEFAULT@SECLEVEL=0", ...args] : args);
      const { certPath } = await selfSigned(folder.path, "unrelated", KEYS.p256);
      await assert.rejects(connect(wolfssl(options), server, certPath), (error: Error & { code?: string }) => {
        assert.match(error.code ?? "", /^TLS_(HANDSHAKE|CERTIFICATE)$/);
        assert.match(error.message, words);
        return true;
      });
    });
  }
});

for (const version of ["-tls1_3", "-tls1_2"]) {
  test(`a session is resumed with ${version}, and is verified as the first was`, { skip }, async () => {
    const credentials = await selfSigned(folder.path, "resumed", KEYS.p256);
    const other = await selfSigned(folder.path, "other", KEYS.p256);
    await using server = await startOpenssl(credentials, ["-rev", version]);
    const engine = wolfssl();
    const certificates: (Uint8Array | undefined)[] = [];
    for (let connection = 0; connection < 4; connection++) {
      const duplex = await connect(engine, server, credentials.certPath);
      certificates.push(duplex.tls.peerCertificate);
      assert.equal((duplex.tls as WolfSslInfo).resumed, connection > 0, `connection ${connection}`);
      await assertReverses(duplex);
      duplex.close();
    }
    for (const certificate of certificates) assert.deepEqual(certificate, certificates[0]);
    // Whoever trusts another root is not let in by the session.
    await assert.rejects(connect(engine, server, other.certPath), { code: "TLS_CERTIFICATE" });
    await assert.rejects(connect(engine, server, credentials.certPath, { roots: undefined, publicRoots: true }));
    // Nor does it make up for a version that is not wanted.
    const otherVersion = version === "-tls1_2"
      ? { minVersion: "TLSv1.3" } as const
      : { maxVersion: "TLSv1.2" } as const;
    await assert.rejects(connect(engine, server, credentials.certPath, otherVersion), { driverCode: "TLS_HANDSHAKE" });
    const again = await connect(engine, server, credentials.certPath);
    assert.equal((again.tls as WolfSslInfo).resumed, true);
    again.close();
  });
}

/** A record and a bit. */
const LINE = 20_000;

for (const crypto of ["wasm", "subtle", "auto"] as const) {
  test(`keys are updated when the server wants it, with crypto ${crypto}`, { skip }, async () => {
    const credentials = await selfSigned(folder.path, "updated", KEYS.p256);
    await using server = await startOpenssl(credentials, ["-tls1_3", "-msg"]);
    const duplex = await connect(wolfssl({ crypto }), server, credentials.certPath);
    for (let update = 1; update <= 3; update++) {
      const text = `after update ${update}\n`;
      const answer = readText(duplex, text.length);
      server.type("K"); // an update, and the wish for ours
      // Our update takes its place among what is being sealed meanwhile.
      const lines = Array.from({ length: 40 }, () => new Uint8Array(LINE).fill(0x78).fill(0x0a, LINE - 1));
      const writing = lines.map((line) => duplex.write(line));
      await server.said(/^<<< .*KeyUpdate/, update);
      await Promise.all(writing);
      await server.said(/x$/, update * lines.length);
      server.type(text.trim());
      assert.equal(await answer, text);
      await duplex.write(new TextEncoder().encode("still here\n"));
      await server.said(/still here/, update);
    }
    duplex.close();
  });
}
