/**
 * The verification of certificate paths against x509-limbo's cases, which are not part of this repository. What is
 * decided otherwise than there stands here by name, and why in docs/tls.md.
 */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Core, type CoreHost } from "../../wolfssl/core.ts";
import { embeddedModule } from "../../wolfssl/module.ts";
import { verifySignature } from "../../wolfssl/signatures.ts";
import { readCertificate } from "../../wolfssl/x509/certificate.ts";
import { certificatesFromPem } from "../../wolfssl/x509/pem.ts";
import { CertificateRefused, type Policy, verifyCertificates } from "../../wolfssl/x509/verify.ts";
import { projectRoot } from "../fixtures/project.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const path = join(projectRoot(), "..", "shared", "vectors", "x509-limbo.json");
const skip = withoutCore ||
  (existsSync(path) ? false : "x509-limbo.json is not beside the checkout (../shared/vectors)");

interface Testcase {
  readonly id: string;
  readonly features: readonly string[];
  readonly validation_kind: "SERVER" | "CLIENT";
  readonly trusted_certs: readonly string[];
  readonly untrusted_intermediates: readonly string[];
  readonly peer_certificate: string;
  readonly validation_time: string | null;
  readonly expected_result: "SUCCESS" | "FAILURE";
  readonly expected_peer_name: { readonly value: string } | null;
  readonly max_chain_depth: number | null;
}

const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

/** Accepted by either policy although limbo says FAILURE. */
const ACCEPTED = [
  "rfc5280::aki::cross-signed-root-missing-aki",
  "rfc5280::nc::permitted-dns-match-noncritical", // contradicted by webpki::nc::permitted-dns-match-noncritical
  "webpki::ca-as-leaf", // contradicted by rfc5280::ca-as-leaf
  "webpki::cn::case-mismatch",
  "webpki::cn::not-in-san",
  "webpki::cn::punycode-not-in-san",
  "webpki::cn::utf8-vs-punycode-mismatch",
  "webpki::san::public-suffix-multi-label-wildcard-san",
  "webpki::san::public-suffix-private-namespace-wildcard-san",
];

/** Accepted by the private policy: what only public authorities have to keep to. */
const ACCEPTED_FROM_PRIVATE = [
  "rfc5280::aki::intermediate-missing-aki",
  "rfc5280::aki::leaf-missing-aki",
  "rfc5280::root-non-critical-basic-constraints",
  "rfc5280::serial::zero",
  "rfc5280::ski::intermediate-missing-ski",
  "rfc5280::ski::root-missing-ski",
  "webpki::aki::root-with-aki-all-fields",
  "webpki::aki::root-with-aki-authoritycertissuer",
  "webpki::aki::root-with-aki-authoritycertserialnumber",
  "webpki::aki::root-with-aki-missing-keyidentifier",
  "webpki::aki::root-with-aki-ski-mismatch",
  "webpki::cn::ipv4-hex-mismatch",
  "webpki::cn::ipv4-leading-zeros-mismatch",
  "webpki::cn::ipv6-non-rfc5952-mismatch",
  "webpki::cn::ipv6-uncompressed-mismatch",
  "webpki::cn::ipv6-uppercase-mismatch",
  "webpki::ee-basicconstraints-ca",
  "webpki::eku::ee-anyeku",
  "webpki::eku::ee-critical-eku",
  "webpki::eku::ee-without-eku", // contradicted by rfc5280::eku::ee-without-eku
  "webpki::eku::root-has-eku",
  "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf",
  "webpki::forbidden-rsa-not-divisible-by-8-in-root",
  "webpki::san::san-critical-with-nonempty-subject",
];

const expectations: [policy: Policy, accepted: string[], refused: string[]][] = [
  ["web", ACCEPTED, ["rfc5280::eku::ee-without-eku"]], // contradicted by webpki::eku::ee-without-eku
  ["private", [...ACCEPTED, ...ACCEPTED_FROM_PRIVATE], []],
];

for (const [policy, accepted, refused] of expectations) {
  test(`x509-limbo's cases are decided as they should be, under the ${policy} policy`, { skip }, async (t) => {
    const core = await Core.acquire(await embeddedModule(), {} as CoreHost); // nothing is asked of the host
    const { testcases } = JSON.parse(readFileSync(path, "utf8")) as { testcases: Testcase[] };
    // The engine takes no revocation lists.
    const cases = testcases.filter(({ features }) => !features.includes("has-crl"));
    const wrong = { accepted: [] as string[], refused: [] as string[] };
    for (const testcase of cases) {
      const verdict = verdictOn(testcase, policy, core);
      if (verdict === testcase.expected_result) continue;
      wrong[verdict === "SUCCESS" ? "accepted" : "refused"].push(testcase.id);
    }
    const right = cases.length - wrong.accepted.length - wrong.refused.length;
    t.diagnostic(
      `${right} right, ${wrong.accepted.length} accepted that must fail, ${wrong.refused.length} refused that must ` +
        `pass, ${testcases.length - cases.length} skipped`,
    );
    assert.deepEqual(wrong.accepted.sort(), [...accepted].sort());
    assert.deepEqual(wrong.refused.sort(), [...refused].sort());
  });
}

function verdictOn(testcase: Testcase, policy: Policy, core: Core): "SUCCESS" | "FAILURE" {
  const { trusted_certs, peer_certificate, untrusted_intermediates, validation_time, validation_kind } = testcase;
  try {
    verifyCertificates({
      presented: [peer_certificate, ...untrusted_intermediates].flatMap(certificatesFromPem),
      roots: trusted_certs.flatMap(certificatesFromPem).map(readCertificate),
      policy,
      serverName: testcase.expected_peer_name?.value,
      chain: true,
      now: validation_time === null ? Date.now() : Date.parse(validation_time),
      ...(validation_kind === "CLIENT" && { purpose: CLIENT_AUTH }),
      ...(testcase.max_chain_depth !== null && { maxIntermediates: testcase.max_chain_depth }),
      verifySignature: (certificate, issuerKeyInfo) => verifySignature(core, certificate, issuerKeyInfo),
    });
    return "SUCCESS";
  } catch (error) {
    if (!(error instanceof CertificateRefused) && !(error instanceof Error && error.name === "DerError")) throw error;
    return "FAILURE";
  }
}
