/**
 * Checking a certificate's signature with the core.
 *
 * @module
 */

import type { Core } from "./core.ts";
import type { Certificate } from "./x509/certificate.ts";
import { sameBytes } from "./x509/der.ts";
import type { Hash, SignatureAlgorithm } from "./x509/public_key.ts";

// Numbers of core/certificate.c and of wolfCrypt's wc_HashType.
const KIND: Readonly<Record<Exclude<SignatureAlgorithm["kind"], "unsupported">, number>> = {
  rsa: 1,
  "rsa-pss": 2,
  ecdsa: 3,
  ed25519: 4,
};
const HASH: Readonly<Record<Hash, number>> = { "SHA-256": 6, "SHA-384": 7, "SHA-512": 8 };

/** Whether `certificate` was signed with the private half of the key (a SubjectPublicKeyInfo). */
export function verifySignature(core: Core, certificate: Certificate, issuerKeyInfo: Uint8Array): boolean {
  const { signatureAlgorithm: algorithm, signed, signature } = certificate;
  if (algorithm.kind === "unsupported") return false;
  const hash = algorithm.kind === "ed25519" ? 0 : HASH[algorithm.hash];
  const salt = algorithm.kind === "rsa-pss" ? algorithm.saltLength : 0;
  return core.lend([issuerKeyInfo, signed, signature], (key, message, at) =>
    core.exports.signature_verify(
      KIND[algorithm.kind],
      hash,
      salt,
      key,
      issuerKeyInfo.length,
      message,
      signed.length,
      at,
      signature.length,
    ) === 1);
}

/**
 * Signatures that were found valid, so that a server that is met again costs no more than its own proof. A signature
 * once valid stays so: dates, names and all else are checked at every connect.
 */
export class VerifiedSignatures {
  readonly #known: { readonly certificate: Uint8Array; readonly issuerKeyInfo: Uint8Array }[] = [];

  /** As {@linkcode verifySignature}, but for what is known. */
  verify(core: Core, certificate: Certificate, issuerKeyInfo: Uint8Array): boolean {
    const isKnown = this.#known.some((known) =>
      sameBytes(known.certificate, certificate.der) && sameBytes(known.issuerKeyInfo, issuerKeyInfo)
    );
    if (isKnown) return true;
    if (!verifySignature(core, certificate, issuerKeyInfo)) return false;
    this.#known.push({ certificate: certificate.der, issuerKeyInfo: issuerKeyInfo.slice() });
    if (this.#known.length > MAX_KNOWN) this.#known.shift();
    return true;
  }
}

const MAX_KNOWN = 16;
