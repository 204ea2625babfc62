/**
 * Certification paths with one thing wrong, under both policies: what x509-limbo tests at length, for those who do not
 * have its file.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Core, type CoreHost } from "../../wolfssl/core.ts";
import { embeddedModule } from "../../wolfssl/module.ts";
import { verifySignature } from "../../wolfssl/signatures.ts";
import { readCertificate } from "../../wolfssl/x509/certificate.ts";
import {
  CertificateRefused,
  type Check,
  MAX_INTERMEDIATES,
  type Verification,
  verifyCertificates,
} from "../../wolfssl/x509/verify.ts";
import { type Chain, ExtendedKeyUsage, KeyUsageFlags, makeChain, NOW } from "../fixtures/certificate_chains.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore;

/** The check that refuses the chain; undefined where it is taken. */
async function verdict(chain: Chain, more: Partial<Verification> = {}): Promise<Check | undefined> {
  const core = await Core.acquire(await embeddedModule(), {} as CoreHost); // nothing is asked of the host
  try {
    verifyCertificates({
      presented: chain.presented,
      roots: [readCertificate(chain.root)],
      policy: "private",
      serverName: "db.example.com",
      chain: true,
      now: NOW,
      verifySignature: (certificate, issuerKeyInfo) => verifySignature(core, certificate, issuerKeyInfo),
      ...more,
    });
    return undefined;
  } catch (error) {
    if (error instanceof CertificateRefused) return error.check;
    throw error;
  } finally {
    core.release(true);
  }
}

type Specs = Parameters<typeof makeChain>[0];

const { keyEncipherment, keyCertSign, digitalSignature, cRLSign } = KeyUsageFlags;
const { serverAuth, clientAuth } = ExtendedKeyUsage;
const rsa = (modulusLength: number) => ({
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  modulusLength,
  publicExponent: Uint8Array.of(1, 0, 1),
});

/** By either policy unless a second verdict says what the web's is. */
const cases: [name: string, specs: Specs, check: Check | undefined, web?: Check | undefined][] = [
  ["a root and a leaf", {}, undefined],
  ["an intermediate", { intermediates: [{}] }, undefined],
  ["as many as may be", { intermediates: Array(MAX_INTERMEDIATES).fill({}) }, undefined],
  ["more than may be", { intermediates: Array(MAX_INTERMEDIATES + 1).fill({}) }, "path-length"],
  ["keys of RSA", { root: { algorithm: rsa(2048) }, leaf: { algorithm: rsa(2048) } }, undefined],

  ["path length 0, and an intermediate", { root: { pathLength: 0 }, intermediates: [{}] }, "path-length"],
  ["path length 0, and none", { root: { pathLength: 0 } }, undefined],
  ["path length 1, and two", { root: { pathLength: 1 }, intermediates: [{}, {}] }, "path-length"],
  ["an intermediate's path length 0", { intermediates: [{ pathLength: 0 }, {}] }, "path-length"],

  ["an intermediate that is no authority", { intermediates: [{ authority: false }] }, "authority"],
  ["an intermediate that does not say", { intermediates: [{ authority: null }] }, "authority"],
  ["a root that is no authority", { root: { authority: false } }, "authority"],
  ["a root that does not say", { root: { authority: null } }, "authority"],
  ["a root that says so without stress", { root: { critical: false } }, undefined, "policy"],

  ["an intermediate that may not sign", { intermediates: [{ keyUsage: digitalSignature }] }, "usage"],
  ["a root that may only sign lists", { root: { keyUsage: cRLSign } }, "usage"],
  ["an authority without keyUsage", { intermediates: [{ keyUsage: null }] }, undefined],
  ["a leaf that may only sign lists", { leaf: { keyUsage: cRLSign } }, "usage"],
  ["a leaf that may not sign the handshake", { leaf: { keyUsage: keyEncipherment } }, undefined, "policy"],
  ["a leaf that may sign certificates", { leaf: { keyUsage: keyCertSign | digitalSignature } }, "usage"],
  ["a leaf for clients", { leaf: { extendedKeyUsage: [clientAuth] } }, "usage"],
  ["a leaf for both", { leaf: { extendedKeyUsage: [clientAuth, serverAuth] } }, undefined],
  ["a leaf that does not say for what", { leaf: { extendedKeyUsage: null } }, undefined, "policy"],
  ["an intermediate for clients", { intermediates: [{ extendedKeyUsage: [clientAuth] }] }, "usage"],

  ["a name that is permitted", { root: { permitted: "example.com" } }, undefined],
  ["a name that is not", { root: { permitted: "example.org" } }, "name-constraints"],
  ["a name that is excluded", { root: { excluded: "example.com" } }, "name-constraints"],
  ["one more name, which is not", {
    intermediates: [{ permitted: "example.com" }],
    leaf: { names: ["db.example.com", "db.example.org"] },
  }, "name-constraints"],
  ["a wildcard over what is excluded", {
    root: { excluded: "secret.example.com" },
    leaf: { names: ["*.example.com"] },
  }, "name-constraints"],

  ["a leaf out of date", { leaf: { validDays: [-10, -1] } }, "validity"],
  ["a leaf that is not valid yet", { leaf: { validDays: [1, 10] } }, "validity"],
  ["an intermediate out of date", { intermediates: [{ validDays: [-10, -1] }] }, "validity"],
  ["a root out of date", { root: { validDays: [-10, -1] } }, "validity"],

  ["a forged leaf", { leaf: { forged: true } }, "signature"],
  ["a forged intermediate", { intermediates: [{ forged: true }] }, "signature"],

  ["another name", { leaf: { names: ["db.example.org"] } }, "name"],
  ["a wildcard", { leaf: { names: ["*.example.com"] } }, undefined],
  ["the name as common name alone", { leaf: { names: [], subject: "CN=db.example.com" } }, "name"],

  ["a leaf's weak key", { leaf: { algorithm: rsa(1024) } }, "key"],
  ["an intermediate's weak key", { intermediates: [{ algorithm: rsa(1024) }] }, "key"],
  ["what nobody knows, and must", { leaf: { unknownCritical: true } }, "extension"],
  ["the same in an intermediate", { intermediates: [{ unknownCritical: true }] }, "extension"],
];

for (const [name, specs, check, ...web] of cases) {
  test(`${name}: ${check ?? "taken"}${web.length > 0 ? `, by the web's policy ${web[0] ?? "taken"}` : ""}`, {
    skip,
  }, async () => {
    const chain = await makeChain(specs);
    assert.equal(await verdict(chain), check);
    assert.equal(await verdict(chain, { policy: "web" }), web.length > 0 ? web[0] : check);
  });
}

test("the second at which a certificate begins and the last one are within it", { skip }, async () => {
  const chain = await makeChain({ leaf: { validDays: [-1, 1] } });
  const { notBefore, notAfter } = readCertificate(chain.presented[0] ?? assert.fail());
  for (
    const [now, check] of [
      [notBefore - 1, "validity"],
      [notBefore, undefined],
      [notAfter, undefined],
      [notAfter + 999, undefined],
      [notAfter + 1000, "validity"],
    ] as const
  ) assert.equal(await verdict(chain, { now }), check, String(now - NOW));
});

test(
  "a missing intermediate, and a root of the same name but another key, are no way to a root",
  { skip },
  async () => {
    const chain = await makeChain({ intermediates: [{}] });
    const other = await makeChain({});
    assert.equal(await verdict({ ...chain, presented: chain.presented.slice(0, 1) }), "unknown-authority");
    assert.equal(await verdict({ ...chain, root: other.root }), "unknown-authority");
    assert.equal(await verdict(chain, { roots: [] }), "unknown-authority");
  },
);

test("the order in which a server sends its chain, and what else it sends, make no difference", { skip }, async () => {
  const chain = await makeChain({ intermediates: [{}, {}] });
  const other = await makeChain({ intermediates: [{ forged: true }] });
  const [leaf = assert.fail(), ...rest] = chain.presented;
  const presented = [leaf, ...other.presented, Uint8Array.of(1, 2, 3), ...rest.reverse(), chain.root];
  assert.equal(await verdict({ ...chain, presented }), undefined);
});

test("roots that a root programme admitted are not held to the web's policy, what lies below them is", {
  skip,
}, async () => {
  const root = { subjectKeyIdentifier: false };
  const vetted = { policy: "web", rootsAreVetted: true } as const;
  assert.equal(await verdict(await makeChain({ root }), { policy: "web" }), "policy");
  assert.equal(await verdict(await makeChain({ root }), vetted), undefined);
  assert.equal(await verdict(await makeChain({ root, intermediates: [{ critical: false }] }), vetted), "policy");
  assert.equal(await verdict(await makeChain({ root: { ...root, authority: false } }), vetted), "authority");
});

test("a server's own certificate may be the root that is trusted, and must still be its own", { skip }, async () => {
  const { presented: [leaf = assert.fail()] } = await makeChain({});
  assert.equal(await verdict({ root: leaf, presented: [leaf] }), undefined);
  assert.equal(await verdict({ root: leaf, presented: [leaf] }, { serverName: "other.example.com" }), "name");
  assert.equal(await verdict({ root: leaf, presented: [leaf] }, { now: NOW + 86_400_000 * 11 }), "validity");
});

test(
  "a server's own certificate is the trusted one to the last byte, or else needs a signature",
  { skip },
  async () => {
    const { root } = await makeChain({});
    const altered = Uint8Array.from(root, (byte, index) => index === root.length - 1 ? byte ^ 1 : byte);
    const any = { serverName: undefined };
    assert.equal(await verdict({ root, presented: [root] }, any), undefined);
    assert.equal(await verdict({ root, presented: [altered] }, any), "signature");
  },
);

test("a chain that is made to cost is given up", { skip }, async () => {
  // Every one may have issued every other: all have one name and no key identifiers.
  const same = { subject: "CN=same", subjectKeyIdentifier: false };
  const knots = await Promise.all(Array.from({ length: 12 }, () => makeChain({ root: same, intermediates: [same] })));
  const { presented: [leaf = assert.fail()], root } = await makeChain({ root: same });
  const between = knots.flatMap((knot) => [knot.root, ...knot.presented.slice(1)]);
  let signatures = 0;
  const verifySignatureCounted: Verification["verifySignature"] = () => ++signatures > 0 && signatures % 3 !== 0;
  const check = await verdict({ root, presented: [leaf, ...between] }, {
    roots: [],
    verifySignature: verifySignatureCounted,
  });
  assert.notEqual(check, undefined);
  assert.ok(signatures > 8 && signatures <= 32, `${signatures} signatures`);
});
