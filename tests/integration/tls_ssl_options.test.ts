/**
 * What node-postgres's users put into `ssl: {}`, Node's options of TLS, over each TLS that there is: it has its effect, or
 * it is refused by name. The table of docs/tls.md.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, test } from "node:test";
import { createSecureContext } from "node:tls";
import { promisify } from "node:util";
import { resolveOptions } from "../../src/config/resolve.ts";
import { openDeno } from "../../src/duplex/deno.ts";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { openNode } from "../../src/duplex/node.ts";
import { nodeTlsOver } from "../../src/duplex/node_tls_over.ts";
import type { TlsDuplex, TlsInfo, TlsOptions } from "../../src/tls/engine.ts";
import { platformEngine } from "../../src/tls/platform.ts";
import { wolfssl } from "../../wolfssl/mod.ts";
import { certificates } from "../fixtures/certificates.ts";
import { hasOpenssl, NO_OPENSSL, type OpensslServer, startOpenssl } from "../fixtures/openssl.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";
import { ON_DENO } from "../fixtures/transports.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = await hasOpenssl() ? false : NO_OPENSSL;
const folder = temporaryFolder("options");
after(() => folder.remove());

/** A TLS: how it is had here, and how it is called in the table. */
interface Way {
  readonly column: "Node" | "Deno's node:tls" | "Deno" | "wolfSSL";
  readonly name: string;
  connect(server: OpensslServer, options: TlsOptions): Promise<TlsDuplex>;
}

const over =
  (connect: (duplex: Duplex, options: TlsOptions) => Promise<TlsDuplex>): Way["connect"] => async (server, options) =>
    await connect(await openNode(server), options);

const WAYS: readonly Way[] = ON_DENO
  ? [
    { column: "Deno's node:tls", name: "node:tls of Deno over any Duplex", connect: over(nodeTlsOver) },
    {
      column: "Deno",
      name: "a socket of Deno",
      connect: async (server, options) => await platformEngine.connect(await openDeno(server), options),
    },
  ]
  : [
    { column: "Node", name: "a socket of Node", connect: over(platformEngine.connect) },
    { column: "Node", name: "node:tls over any Duplex", connect: over(nodeTlsOver) },
  ];
const ENGINE: Way = {
  column: "wolfSSL",
  name: "the wolfSSL engine",
  connect: over((...args) => wolfssl().connect(...args)),
};
const ways = withoutCore ? WAYS : [...WAYS, ENGINE];

type Column = Way["column"];
const EVERYWHERE: readonly Column[] = ["Node", "Deno's node:tls", "Deno", "wolfSSL"];

/** An option: where it has its effect, and what that is; elsewhere it is refused by its name. */
interface Row {
  readonly ssl: Readonly<Record<string, unknown>>;
  /** As the refusal names it; default: the first of `ssl`. */
  readonly named?: RegExp;
  readonly works: readonly Column[];
  readonly agreed?: Partial<TlsInfo>;
  /** The connect fails where the option has its effect. */
  readonly fails?: RegExp;
}

const { ca: { cert: ca }, client, server } = await certificates();
const { cert, key } = client;

async function pkcs12(): Promise<Uint8Array | undefined> {
  if (skip) return undefined;
  const path = join(folder.path, "client.p12");
  const files = ["-in", client.certPath, "-inkey", client.keyPath, "-out", path];
  await promisify(execFile)("openssl", ["pkcs12", "-export", "-passout", "pass:secret", ...files]);
  return await readFile(path);
}

const tls12 = { protocol: "TLSv1.2" };
const rows: readonly Row[] = [
  { ssl: { ca }, works: EVERYWHERE, agreed: {} },
  { ssl: { ca, rejectUnauthorized: true, require: true, servername: "localhost" }, works: EVERYWHERE },
  { ssl: { minVersion: "TLSv1.2" }, works: EVERYWHERE },
  { ssl: { minVersion: "TLSv1" }, works: EVERYWHERE }, // permits more than most speak, which is no less than was asked
  { ssl: { minVersion: "TLSv1.3" }, named: /version/, works: ["Node", "Deno's node:tls", "wolfSSL"] },
  { ssl: { maxVersion: "TLSv1.2" }, named: /version/, works: ["Node", "Deno's node:tls", "wolfSSL"], agreed: tls12 },
  { ssl: { minVersion: "TLSv1", maxVersion: "TLSv1.1" }, named: /version|TLSv1/, works: ["Node"], fails: /./ },
  { ssl: { cert, key }, named: /client certificate/, works: ["Node", "Deno's node:tls", "wolfSSL"] },
  { ssl: { cert: [cert, cert], key: [key, key] }, works: ["Node", "Deno's node:tls"], named: /ssl\.cert, ssl\.key/ },
  { ssl: { pfx: await pkcs12(), passphrase: "secret" }, works: ["Node", "Deno's node:tls"] },
  { ssl: { checkServerIdentity: () => undefined }, works: ["Node", "Deno's node:tls"] },
  {
    ssl: { checkServerIdentity: () => new Error("not the one") },
    works: ["Node", "Deno's node:tls"],
    fails: /not the one/,
  },
  { ssl: { ALPNProtocols: ["postgresql"] }, works: ["Node", "Deno's node:tls"], agreed: { alpn: "postgresql" } },
  {
    ssl: { ciphers: "ECDHE-ECDSA-AES128-GCM-SHA256", maxVersion: "TLSv1.2" },
    works: ["Node"],
    named: /ssl\.ciphers|version/,
    agreed: { ...tls12, cipher: "ECDHE-ECDSA-AES128-GCM-SHA256" },
  },
  { ssl: { ciphers: "none" }, works: ["Node"], fails: /no cipher match/ },
  { ssl: { ecdhCurve: "P-384" }, works: ["Node"], agreed: { group: "secp384r1" } },
  { ssl: { secureContext: createSecureContext({ ca }) }, works: ["Node"] },
  { ssl: { secureProtocol: "TLSv1_2_method" }, works: ["Node"], agreed: tls12 },
  { ssl: { secureOptions: 1 << 29 }, works: ["Node"], agreed: tls12 }, // SSL_OP_NO_TLSv1_3
  { ssl: { sigalgs: "rsa_pss_rsae_sha256" }, works: ["Node"], fails: /./ },
  { ssl: { crl: "no list" }, works: ["Node"], fails: /CRL/ },
  { ssl: { minDHSize: 4096 }, works: ["Node"] },
  { ssl: { somethingNew: true }, works: ["Node"] }, // whatever Node makes of it
];

/** The options as a client would resolve them. */
function optionsOf(ssl: Row["ssl"]): TlsOptions {
  const { rootCerts, clientCertificate, serverName = "localhost", minVersion, maxVersion, nodeOptions } =
    resolveOptions({
      host: "localhost",
      ssl: { ca, ...ssl },
    }).tls;
  const verify = { chain: true, name: true };
  return { serverName, verify, roots: rootCerts, clientCertificate, minVersion, maxVersion, nodeOptions };
}

for (const way of ways) {
  test(`the options of ssl have their effect or are refused, over ${way.name}`, { skip }, async (t) => {
    await using running = await startOpenssl(server, ["-rev", "-alpn", "postgresql"]);
    for (const { ssl, named, works, agreed, fails } of rows) {
      const [option = ""] = Object.keys(ssl);
      const has = works.includes(way.column);
      await t.test(`${Object.keys(ssl)}: ${has ? fails ? "has its effect, a failure" : "has its effect" : "is refused"}`, async () => {
        const connecting = way.connect(running, optionsOf(ssl));
        if (!has) {
          const message = named ?? new RegExp(`ssl\\.${option}`);
          return await assert.rejects(connecting, { name: "TlsError", driverCode: "TLS_OPTION_UNSUPPORTED", message });
        }
        if (fails !== undefined) {
          return await assert.rejects(connecting, (error: Error & { driverCode?: string }) => {
            assert.equal(error.name, "TlsError");
            assert.notEqual(error.driverCode, "TLS_OPTION_UNSUPPORTED");
            assert.match(error.message, fails);
            return true;
          });
        }
        const duplex = await connecting;
        for (const [field, value] of Object.entries(agreed ?? {})) {
          assert.equal(duplex.tls[field as keyof TlsInfo], value, field);
        }
        duplex.close();
      });
    }
  });
}

test("an older or newer server than the versions allow is refused", { skip }, async (t) => {
  const cases = [["-tls1_2", { minVersion: "TLSv1.3" }], ["-tls1_3", { maxVersion: "TLSv1.2" }]] as const;
  for (const [flag, ssl] of cases) {
    await using running = await startOpenssl(server, ["-rev", flag]);
    for (const way of ways.filter(({ column }) => column !== "Deno")) {
      await t.test(`${flag} and ${JSON.stringify(ssl)}, over ${way.name}`, async () => {
        await assert.rejects(way.connect(running, optionsOf(ssl)), { name: "TlsError", driverCode: "TLS_HANDSHAKE" });
      });
    }
  }
});
