/**
 * The public authorities that the engine brings: that they are what the lock file says, and that a chain to one of them
 * is verified by it.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { rootCertificates } from "node:tls";
import { Core, type CoreHost } from "../../wolfssl/core.ts";
import { givenRoots } from "../../wolfssl/given_roots.ts";
import { ISRG_ROOTS } from "../../wolfssl/isrg_roots.ts";
import { embeddedModule } from "../../wolfssl/module.ts";
import { mozillaRoots } from "../../wolfssl/public_roots.ts";
import { verifySignature } from "../../wolfssl/signatures.ts";
import { type Certificate, readCertificate } from "../../wolfssl/x509/certificate.ts";
import { sameBytes } from "../../wolfssl/x509/der.ts";
import { nameText } from "../../wolfssl/x509/name.ts";
import { certificatesFromPem } from "../../wolfssl/x509/pem.ts";
import { verifyCertificates } from "../../wolfssl/x509/verify.ts";
import { projectRoot } from "../fixtures/project.ts";
import { withoutRoots } from "../fixtures/wolfssl.ts";

const skip = withoutRoots;

test("the list is the one that was recorded", { skip }, async () => {
  const lock = JSON.parse(readFileSync(join(projectRoot(), "wolfssl/mozilla_roots.lock.json"), "utf8"));
  const roots = await mozillaRoots();
  const hash = createHash("sha256");
  for (const { signed } of roots) hash.update(signed);
  assert.equal(roots.length, lock.roots);
  assert.equal(hash.digest("hex"), lock.sha256);
});

test("every one of them is an authority whose key can be used", { skip }, async () => {
  for (const { subject, publicKey, extensions, version } of await mozillaRoots()) {
    const name = nameText(subject);
    assert.notEqual(publicKey.kind, "unsupported", name);
    assert.ok(publicKey.kind !== "rsa" || publicKey.bits >= 2048, name);
    assert.ok(extensions.basicConstraints?.ca === true && version === 3, name);
    assert.equal(extensions.unknownCritical, undefined, name);
  }
});

test("it is read once, and cannot be changed", { skip }, async () => {
  assert.equal(await mozillaRoots(), await mozillaRoots());
  assert.ok(Object.isFrozen(await mozillaRoots()));
});

test("roots that are given are read once for each text, and have a name for each", () => {
  const [x1 = "", x2 = ""] = ISRG_ROOTS;
  const both = givenRoots([x1, x2]);
  assert.equal(both.certificates.length, 2);
  assert.equal(givenRoots([`${x1}\n${x2}`]), both);
  const other = givenRoots([x2]);
  assert.notEqual(other.name, both.name);
  // What was forgotten meanwhile is read anew, under a name that nothing else had.
  const names = new Set([both.name, other.name]);
  for (let spaces = 1; spaces <= 20; spaces++) names.add(givenRoots([x2 + "\n".repeat(spaces)]).name);
  names.add(givenRoots([`${x1}\n${x2}`]).name);
  assert.equal(names.size, 23);
  assert.throws(() => givenRoots([x1, "none"]), { driverCode: "TLS_OPTION_INVALID", message: /roots\[1\]/ });
});

/** Verifies a root's own certificate as if a server had sent it: its signature is checked by the key in the list. */
async function verify(certificate: Uint8Array, roots: readonly Certificate[]) {
  const core = await Core.acquire(await embeddedModule(), {} as CoreHost); // nothing is asked of the host
  try {
    verifyCertificates({
      presented: [certificate],
      roots,
      rootsAreVetted: true,
      policy: "private", // as a server's certificate a root would break the public one
      serverName: undefined,
      chain: true,
      now: readCertificate(certificate).notBefore,
      verifySignature: (signed, issuerKeyInfo) => verifySignature(core, signed, issuerKeyInfo),
    });
  } finally {
    core.release(true);
  }
}

test("Let's Encrypt's roots are in the list, and verify what they signed", { skip }, async () => {
  const roots = await mozillaRoots();
  for (const der of ISRG_ROOTS.flatMap(certificatesFromPem)) await verify(der, roots);
});

test("each root that this runtime has too verifies what it signed, and no other does", { skip }, async () => {
  const roots = await mozillaRoots();
  const full = rootCertificates.flatMap(certificatesFromPem)
    .filter((der) => {
      const { signed, signatureAlgorithm } = readCertificate(der);
      // With SHA-1 they may have signed themselves, which then is not looked at; nothing else.
      return signatureAlgorithm.kind !== "unsupported" && roots.some((root) => sameBytes(root.signed, signed));
    });
  assert.ok(full.length > 50, `${full.length} in common`);
  for (const der of full) {
    await verify(der, roots);
    const { subject } = readCertificate(der);
    const others = roots.filter((root) => root.subject.key !== subject.key);
    await assert.rejects(verify(der, others), { check: "unknown-authority" }, nameText(subject));
  }
});
