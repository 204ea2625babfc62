/**
 * How a record is protected (RFC 8446 §5.2 and §5.3, RFC 5246 §6.2.3.3 with RFC 5288): nonce, additional data, content.
 *
 * @module
 */

import { TAG_SIZE } from "./aead.ts";
import { RECORD_HEADER, RECORD_TYPE } from "./records.ts";

export const MAX_PLAINTEXT = 16384;

/** The part of a nonce that TLS 1.2 sends with the record. */
const EXPLICIT_NONCE = 8;

/** What a record of so many bytes of content is larger by, unless it is padded. */
export function overheadOf(isTls13: boolean): number {
  return RECORD_HEADER + TAG_SIZE + (isTls13 ? 1 : EXPLICIT_NONCE);
}

/** A record's number, in two halves of 32 bits. */
export interface Sequence {
  readonly high: number;
  readonly low: number;
}

/** The number of the record that comes `count` (less than 2^32) later. */
export function later({ high, low }: Sequence, count: number): Sequence {
  const sum = low + count;
  return sum < 2 ** 32 ? { high, low: sum } : { high: high + 1, low: sum - 2 ** 32 };
}

/** What an AEAD works on. */
export interface Sealed {
  readonly nonce: Uint8Array;
  readonly additionalData: Uint8Array;
  /** The tag at its end. */
  readonly ciphertext: Uint8Array;
}

/** What of a TLS 1.3 record the AEAD is given. */
export function sealed13(record: Uint8Array, iv: Uint8Array, sequence: Sequence): Sealed {
  return {
    nonce: nonceOf(iv, sequence),
    additionalData: record.subarray(0, RECORD_HEADER),
    ciphertext: record.subarray(RECORD_HEADER),
  };
}

/** What of a TLS 1.2 record the AEAD is given. */
export function sealed12(record: Uint8Array, iv: Uint8Array, sequence: Sequence): Sealed {
  const nonce = new Uint8Array(12);
  nonce.set(iv.subarray(0, 4));
  nonce.set(record.subarray(RECORD_HEADER, RECORD_HEADER + EXPLICIT_NONCE), 4);
  const ciphertext = record.subarray(RECORD_HEADER + EXPLICIT_NONCE);
  const size = ciphertext.length - TAG_SIZE;
  const additionalData = new Uint8Array(13);
  const view = new DataView(additionalData.buffer);
  view.setUint32(0, sequence.high);
  view.setUint32(4, sequence.low);
  additionalData.set(record.subarray(0, 3), 8);
  view.setUint16(11, size);
  return { nonce, additionalData, ciphertext };
}

/**
 * The application data of a TLSInnerPlaintext; undefined where it is something else, not well-formed, or over the limit
 * (RFC 8446 §5.4), to which the padding counts.
 */
export function applicationData13(plaintext: Uint8Array): Uint8Array | undefined {
  if (plaintext.length > MAX_PLAINTEXT + 1) return undefined;
  // The content, its type, and any number of zeros.
  let end = plaintext.length - 1;
  while (end > 0 && plaintext[end] === 0) end--;
  return plaintext[end] === RECORD_TYPE.applicationData ? bytesOf(plaintext, end) : undefined;
}

/** The application data of TLS 1.2, which is all there is; undefined where it is over the limit (RFC 5246 §6.2.1). */
export function applicationData12(plaintext: Uint8Array): Uint8Array | undefined {
  return plaintext.length > MAX_PLAINTEXT ? undefined : bytesOf(plaintext, plaintext.length);
}

/** No Buffer, whose slice() is a view and whose toString() decodes: no reader should meet one. */
function bytesOf(plaintext: Uint8Array, size: number): Uint8Array {
  return new Uint8Array(plaintext.buffer as ArrayBuffer, plaintext.byteOffset, size);
}

/** The TLSInnerPlaintext of application data, without padding. */
export function innerPlaintext13(content: Uint8Array): Uint8Array {
  const inner = new Uint8Array(content.length + 1);
  inner.set(content);
  inner[content.length] = RECORD_TYPE.applicationData;
  return inner;
}

/** The header of a TLS 1.3 record with a plaintext of this size. */
export function header13(innerSize: number): Uint8Array {
  const size = innerSize + TAG_SIZE;
  return Uint8Array.of(RECORD_TYPE.applicationData, 3, 3, size >> 8, size & 0xff);
}

export function nonceOf(iv: Uint8Array, { high, low }: Sequence): Uint8Array {
  const nonce = new Uint8Array(iv);
  for (let i = 0; i < 4; i++) {
    nonce[4 + i] ^= high >>> (24 - 8 * i);
    nonce[8 + i] ^= low >>> (24 - 8 * i);
  }
  return nonce;
}
