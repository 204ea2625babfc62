/**
 * Public keys and the algorithms they sign with: what is accepted, and by which numbers the core knows it.
 *
 * @module
 */

import {
  DerError,
  DerReader,
  integerBytes,
  latin1,
  readBitBytes,
  readOid,
  readSequence,
  readSmallInteger,
  TAG,
} from "./der.ts";

/** A key as far as it matters for what may be done with it. */
export type PublicKey =
  | { readonly kind: "rsa"; readonly bits: number }
  | { readonly kind: "ecdsa"; readonly curve: "P-256" | "P-384" | "P-521" }
  | { readonly kind: "ed25519" }
  | { readonly kind: "unsupported"; readonly name: string };

/** How a certificate was signed, in the core's terms. */
export type SignatureAlgorithm =
  | { readonly kind: "rsa" | "ecdsa"; readonly hash: Hash }
  | { readonly kind: "rsa-pss"; readonly hash: Hash; readonly saltLength: number }
  | { readonly kind: "ed25519" }
  | { readonly kind: "unsupported"; readonly name: string };

export type Hash = "SHA-256" | "SHA-384" | "SHA-512";

const RSA = "1.2.840.113549.1.1.1";
const RSA_PSS = "1.2.840.113549.1.1.10";
const MGF1 = "1.2.840.113549.1.1.8";
const EC = "1.2.840.10045.2.1";
const ED25519 = "1.3.101.112";

const CURVES: Readonly<Record<string, "P-256" | "P-384" | "P-521">> = {
  "1.2.840.10045.3.1.7": "P-256",
  "1.3.132.0.34": "P-384",
  "1.3.132.0.35": "P-521",
};

const HASHES: Readonly<Record<string, Hash>> = {
  "2.16.840.1.101.3.4.2.1": "SHA-256",
  "2.16.840.1.101.3.4.2.2": "SHA-384",
  "2.16.840.1.101.3.4.2.3": "SHA-512",
};

const SIGNATURES: Readonly<Record<string, SignatureAlgorithm>> = {
  "1.2.840.113549.1.1.11": { kind: "rsa", hash: "SHA-256" },
  "1.2.840.113549.1.1.12": { kind: "rsa", hash: "SHA-384" },
  "1.2.840.113549.1.1.13": { kind: "rsa", hash: "SHA-512" },
  "1.2.840.10045.4.3.2": { kind: "ecdsa", hash: "SHA-256" },
  "1.2.840.10045.4.3.3": { kind: "ecdsa", hash: "SHA-384" },
  "1.2.840.10045.4.3.4": { kind: "ecdsa", hash: "SHA-512" },
  [ED25519]: { kind: "ed25519" },
};

const LEGACY: Readonly<Record<string, string>> = {
  "1.2.840.113549.1.1.4": "RSA with MD5",
  "1.2.840.113549.1.1.5": "RSA with SHA-1",
  "1.2.840.10045.4.1": "ECDSA with SHA-1",
  "1.2.840.10040.4.1": "DSA",
  "1.3.101.113": "Ed448",
};

/** Reads a SubjectPublicKeyInfo, given whole. */
export function readPublicKey(der: Uint8Array): PublicKey {
  const info = readSequence(der);
  const algorithm = info.inside(TAG.sequence);
  const key = readBitBytes(info.next(TAG.bitString));
  info.end();
  const oid = readOid(algorithm.next(TAG.oid));
  switch (oid) {
    case RSA:
    case RSA_PSS:
      return { kind: "rsa", bits: modulusBits(key) };
    case EC: {
      const parameters = algorithm.next();
      if (parameters.tag !== TAG.oid) return { kind: "unsupported", name: "an elliptic curve that is spelled out" };
      const curveOid = readOid(parameters);
      const curve = CURVES[curveOid];
      return curve ? { kind: "ecdsa", curve } : { kind: "unsupported", name: `the elliptic curve ${curveOid}` };
    }
    case ED25519:
      return { kind: "ed25519" };
    default:
      return { kind: "unsupported", name: LEGACY[oid] ?? `the algorithm ${oid}` };
  }
}

/** Reads an AlgorithmIdentifier of a signature, given whole. */
export function readSignatureAlgorithm(der: Uint8Array): SignatureAlgorithm {
  const reader = readSequence(der);
  const oid = readOid(reader.next(TAG.oid));
  if (oid === RSA_PSS) return readPss(reader);
  return SIGNATURES[oid] ?? { kind: "unsupported", name: LEGACY[oid] ?? `the algorithm ${oid}` };
}

/** RSASSA-PSS-params (RFC 4055 §3.1), with one hash for both, as TLS has it. */
function readPss(reader: DerReader): SignatureAlgorithm {
  const unsupported = { kind: "unsupported", name: "RSA-PSS with unusual parameters" } as const;
  if (reader.done) return unsupported; // SHA-1 by default
  const parameters = reader.inside(TAG.sequence);
  const hash = parameters.optional(TAG.constructed(0));
  const mask = parameters.optional(TAG.constructed(1));
  const salt = parameters.optional(TAG.constructed(2));
  if (hash === undefined || mask === undefined || salt === undefined) return unsupported;
  const hashOid = readOid(new DerReader(hash.content).inside(TAG.sequence).next(TAG.oid));
  const maskReader = new DerReader(mask.content).inside(TAG.sequence);
  if (readOid(maskReader.next(TAG.oid)) !== MGF1) return unsupported;
  const maskOid = readOid(maskReader.inside(TAG.sequence).next(TAG.oid));
  const name = HASHES[hashOid];
  if (name === undefined || maskOid !== hashOid) return unsupported;
  return { kind: "rsa-pss", hash: name, saltLength: readSmallInteger(new DerReader(salt.content).next(TAG.integer)) };
}

function modulusBits(key: Uint8Array): number {
  const numbers = readSequence(key);
  const modulus = integerBytes(numbers.next(TAG.integer));
  const unsigned = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const top = unsigned[0];
  if (top === undefined || (modulus[0] ?? 0) >= 0x80) {
    throw new DerError(`an RSA modulus of ${latin1(modulus).length} bytes`);
  }
  return unsigned.length * 8 - Math.clz32(top) + 24;
}
