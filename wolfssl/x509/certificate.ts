/**
 * An X.509 certificate (RFC 5280 §4.1), read as far as verification needs it.
 *
 * @module
 */

import {
  DerError,
  DerReader,
  type DerValue,
  integerBytes,
  readBitBytes,
  readSequence,
  readSmallInteger,
  readTime,
  readWhole,
  sameBytes,
  TAG,
} from "./der.ts";
import { type Extensions, NO_EXTENSIONS, readExtensions } from "./extensions.ts";
import { type Name, readName } from "./name.ts";
import { type PublicKey, readPublicKey, readSignatureAlgorithm, type SignatureAlgorithm } from "./public_key.ts";

export interface Certificate {
  readonly der: Uint8Array;
  /** What is signed. */
  readonly signed: Uint8Array;
  readonly signatureAlgorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  /** True for the serial number 0, which RFC 5280 forbids and some scripts give. */
  readonly zeroSerial: boolean;
  /** 1, 2 or 3. */
  readonly version: number;
  readonly issuer: Name;
  readonly subject: Name;
  /** Milliseconds since 1970; both ends belong to it. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** SubjectPublicKeyInfo. */
  readonly publicKeyInfo: Uint8Array;
  readonly publicKey: PublicKey;
  readonly extensions: Extensions;
}

/** RFC 5280 §4.1.2.2 */
const MAX_SERIAL_BYTES = 20;

/**
 * Reads a certificate.
 *
 * @throws {DerError} where it is none, or breaks a rule of its form
 */
export function readCertificate(der: Uint8Array): Certificate {
  const outer = readSequence(der);
  const signed = outer.next(TAG.sequence);
  const algorithm = outer.next(TAG.sequence).whole;
  const signature = readBitBytes(outer.next(TAG.bitString));
  outer.end();
  const certificate = readSigned(signed, algorithm);
  return { ...certificate, der, signature };
}

/**
 * Reads a root that is trusted as it is: what a certificate has signed (TBSCertificate), without the signature, which
 * nobody would check. It is no certificate that a server could present, and equals none.
 *
 * @throws {DerError} as {@linkcode readCertificate}
 */
export function readTrustAnchor(signed: DerValue): Certificate {
  return readSigned(signed, undefined);
}

/** Reads a TBSCertificate; the algorithm by which it is signed is said in it, and must be the one outside. */
function readSigned(signed: DerValue, outerAlgorithm: Uint8Array | undefined): Certificate {
  const fields = new DerReader(signed.content);
  const version = readVersion(fields);
  const serial = integerBytes(fields.next(TAG.integer));
  checkSerial(serial);
  const algorithm = fields.next(TAG.sequence).whole;
  if (outerAlgorithm !== undefined && !sameBytes(algorithm, outerAlgorithm)) {
    throw new DerError("two different signature algorithms");
  }
  const issuer = readName(fields.next(TAG.sequence).whole);
  const validity = fields.inside(TAG.sequence);
  const notBefore = readTime(validity.next());
  const notAfter = readTime(validity.next());
  validity.end();
  const subject = readName(fields.next(TAG.sequence).whole);
  const publicKeyInfo = fields.next(TAG.sequence).whole;
  fields.optional(TAG.primitive(1)); // issuerUniqueID
  fields.optional(TAG.primitive(2)); // subjectUniqueID
  const extensions = fields.optional(TAG.constructed(3));
  fields.end();
  if (extensions !== undefined && version !== 3) throw new DerError(`extensions in version ${version}`);
  if (issuer.parts.length === 0) throw new DerError("an empty issuer");

  return {
    der: signed.whole,
    signed: signed.whole,
    signatureAlgorithm: readSignatureAlgorithm(algorithm),
    signature: new Uint8Array(),
    zeroSerial: serial.every((byte) => byte === 0),
    version,
    issuer,
    subject,
    notBefore,
    notAfter,
    publicKeyInfo,
    publicKey: readPublicKey(publicKeyInfo),
    extensions: extensions === undefined ? NO_EXTENSIONS : readExtensions(readSequence(extensions.content)),
  };
}

function readVersion(fields: DerReader): number {
  const explicit = fields.optional(TAG.constructed(0));
  if (explicit === undefined) return 1;
  const version = readSmallInteger(readWhole(explicit.content, TAG.integer)) + 1;
  if (version !== 2 && version !== 3) throw new DerError(`the version ${version}`);
  return version;
}

function checkSerial(bytes: Uint8Array): void {
  if ((bytes[0] ?? 0) >= 0x80) throw new DerError("a negative serial number");
  const size = bytes[0] === 0 ? bytes.length - 1 : bytes.length;
  if (size > MAX_SERIAL_BYTES) throw new DerError("a serial number of more than 20 bytes");
}
