/**
 * AES-GCM record protection by SubtleCrypto, worked out ahead of the core (see docs/tls.md, "Working ahead"): the key
 * is imported once, the nonces that the core will use are known, and any number of records can be under way at once.
 * The core stays in charge: it takes a result only for the very nonce that it asks for, and computes itself otherwise.
 *
 * @module
 */

import { type QueuedRecord, RECORD_HEADER, RECORD_TYPE } from "./records.ts";
import type { Session, TrafficKeys } from "./session.ts";
import { sameBytes } from "./x509/der.ts";

const TAG_SIZE = 16;
const TAG_BITS = 128;
const EXPLICIT_NONCE = 8;
const MAX_PLAINTEXT = 16384;

/** One direction's key, as SubtleCrypto holds it. */
interface ImportedKey {
  readonly raw: Uint8Array;
  readonly iv: Uint8Array;
  readonly key: Promise<CryptoKey>;
}

/** Works ahead on the records of one session. Sizes below the thresholds are left to the core. */
export class RecordCrypto {
  readonly #session: Session;
  readonly #isTls13: boolean;
  readonly #openFrom: number;
  readonly #sealFrom: number;
  #opening: ImportedKey | undefined;
  #sealing: ImportedKey | undefined;
  readonly #sealed = new Map<string, Uint8Array>();

  /** `openFrom` and `sealFrom` are sizes of plaintext, in bytes. */
  constructor(session: Session, thresholds: { readonly openFrom: number; readonly sealFrom: number }) {
    this.#session = session;
    this.#isTls13 = session.protocol === "TLSv1.3";
    this.#openFrom = thresholds.openFrom;
    this.#sealFrom = thresholds.sealFrom;
  }

  /** Starts on records that have just been queued, `before` of which nobody has read others yet. */
  openAhead(records: readonly QueuedRecord[], before: number): void {
    const overhead = RECORD_HEADER + TAG_SIZE + (this.#isTls13 ? 1 : EXPLICIT_NONCE);
    if (!records.some(({ bytes }) => bytes.length - overhead >= this.#openFrom)) return;
    const traffic = this.#session.trafficKeys("opening");
    if (traffic === undefined) return;
    this.#opening = currentKey(this.#opening, traffic);
    const { key } = this.#opening;
    for (const [index, record] of records.entries()) {
      if (record.bytes.length - overhead < this.#openFrom || record.bytes[0] !== RECORD_TYPE.applicationData) continue;
      const sequence = traffic.sequence + BigInt(before + index);
      record.hold = this.#open(record, key, traffic.iv, sequence).finally(() => record.hold = undefined);
    }
  }

  /** Whether a write of this size is worth {@linkcode RecordCrypto.sealAhead}. */
  wantsToSeal(size: number): boolean {
    // In TLS 1.2 the core chooses the nonce, which is then not known ahead.
    return this.#isTls13 && size >= this.#sealFrom;
  }

  /** Encrypts the records that a write of these bytes will be, for {@linkcode RecordCrypto.takeSealed}. */
  async sealAhead(bytes: Uint8Array): Promise<void> {
    const traffic = this.#session.trafficKeys("sealing");
    if (traffic === undefined) return;
    this.#sealing = currentKey(this.#sealing, traffic);
    const key = await this.#sealing.key;
    const pieces: Promise<void>[] = [];
    for (let at = 0; at < bytes.length; at += MAX_PLAINTEXT) {
      const sequence = traffic.sequence + BigInt(at / MAX_PLAINTEXT);
      pieces.push(this.#seal(bytes.subarray(at, at + MAX_PLAINTEXT), key, traffic.iv, sequence));
    }
    await Promise.all(pieces);
  }

  /** The record for this nonce, if it was sealed ahead. */
  takeSealed(nonce: Uint8Array): Uint8Array | undefined {
    return this.#sealed.get(nonceKey(nonce));
  }

  /** Drops what was sealed ahead, once the write is done. */
  dropSealed(): void {
    this.#sealed.clear();
  }

  async #open(record: QueuedRecord, key: Promise<CryptoKey>, iv: Uint8Array, sequence: bigint): Promise<void> {
    const { bytes } = record;
    const header = bytes.subarray(0, RECORD_HEADER);
    const body = bytes.subarray(RECORD_HEADER);
    const nonce = this.#isTls13
      ? nonceOf(iv, sequence)
      : new Uint8Array([...iv.subarray(0, 4), ...body.subarray(0, 8)]);
    const ciphertext = this.#isTls13 ? body : body.subarray(EXPLICIT_NONCE);
    const additionalData = this.#isTls13 ? header : additionalData12(header, sequence, ciphertext.length - TAG_SIZE);
    try {
      const algorithm = { name: "AES-GCM", iv: nonce, additionalData, tagLength: TAG_BITS } as AesGcmParams;
      const plaintext = await crypto.subtle.decrypt(algorithm, await key, ciphertext as BufferSource);
      record.opened = { nonce, plaintext: new Uint8Array(plaintext) };
    } catch {
      // Not what was foreseen (a new key, say) or not genuine: the core finds out which.
    }
  }

  async #seal(plaintext: Uint8Array, key: CryptoKey, iv: Uint8Array, sequence: bigint): Promise<void> {
    const nonce = nonceOf(iv, sequence);
    const inner = new Uint8Array(plaintext.length + 1);
    inner.set(plaintext);
    inner[plaintext.length] = RECORD_TYPE.applicationData;
    const size = inner.length + TAG_SIZE;
    const additionalData = Uint8Array.of(RECORD_TYPE.applicationData, 3, 3, size >> 8, size & 0xff);
    const algorithm = { name: "AES-GCM", iv: nonce, additionalData, tagLength: TAG_BITS } as AesGcmParams;
    this.#sealed.set(nonceKey(nonce), new Uint8Array(await crypto.subtle.encrypt(algorithm, key, inner)));
  }
}

/** The imported key, or a new import after a KeyUpdate. */
function currentKey(known: ImportedKey | undefined, { key, iv }: TrafficKeys): ImportedKey {
  if (known !== undefined && sameBytes(known.raw, key) && sameBytes(known.iv, iv)) return known;
  const imported = crypto.subtle.importKey("raw", key as BufferSource, "AES-GCM", false, ["encrypt", "decrypt"]);
  imported.catch(() => {}); // whoever uses it meets the failure
  return { raw: key, iv, key: imported };
}

/** RFC 8446 §5.3 */
function nonceOf(iv: Uint8Array, sequence: bigint): Uint8Array {
  const nonce = iv.slice();
  for (let i = 11, rest = sequence; i >= 4; i--, rest >>= 8n) nonce[i] = (nonce[i] ?? 0) ^ Number(rest & 0xffn);
  return nonce;
}

/** RFC 5246 §6.2.3.3 */
function additionalData12(header: Uint8Array, sequence: bigint, size: number): Uint8Array {
  const data = new Uint8Array(13);
  new DataView(data.buffer).setBigUint64(0, sequence);
  data.set(header.subarray(0, 3), 8);
  data[11] = size >> 8;
  data[12] = size & 0xff;
  return data;
}

function nonceKey(nonce: Uint8Array): string {
  return String.fromCharCode(...nonce);
}
