/**
 * AES-GCM record protection by SubtleCrypto, in the core's place (see docs/tls.md, "Working ahead"): the key is imported
 * once, the sequence numbers that the core would use are known, and any number of records can be under way at once. The
 * core stays in charge: what is not application data, does not decrypt as foreseen or was sealed for a sequence number
 * that has been used meanwhile is left to it.
 *
 * @module
 */

import { concatenate, type QueuedRecord, RECORD_HEADER, RECORD_TYPE } from "./records.ts";
import type { Session, TrafficKeys } from "./session.ts";
import { sameBytes } from "./x509/der.ts";

const TAG_SIZE = 16;
const TAG_BITS = 128;
const EXPLICIT_NONCE = 8;
const MAX_PLAINTEXT = 16384;
/** Well below what one AES-GCM key may protect (RFC 8446 §5.5); from there on the core writes, and updates the key. */
const SEALED_AT_MOST = 2n ** 24n;

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

  /** Whether a write of this size is worth {@linkcode RecordCrypto.seal}. */
  wantsToSeal(size: number): boolean {
    // In TLS 1.2 the core chooses the nonce, which is then not known ahead.
    return this.#isTls13 && size >= this.#sealFrom;
  }

  /** The records of a write; undefined where the core has to make them. */
  async seal(bytes: Uint8Array): Promise<Uint8Array | undefined> {
    const before = this.#session.trafficKeys("sealing");
    if (before === undefined || before.sequence > SEALED_AT_MOST) return undefined;
    this.#sealing = currentKey(this.#sealing, before);
    const key = await this.#sealing.key;
    const records: Promise<Uint8Array>[] = [];
    for (let at = 0; at < bytes.length; at += MAX_PLAINTEXT) {
      const sequence = before.sequence + BigInt(records.length);
      records.push(sealRecord(bytes.subarray(at, at + MAX_PLAINTEXT), key, before.iv, sequence));
    }
    const sealed = await Promise.all(records);
    const after = this.#session.trafficKeys("sealing");
    // The core may have answered a KeyUpdate meanwhile: nothing of ours was sent, and nothing must be.
    if (after?.sequence !== before.sequence || !sameBytes(after.iv, before.iv) || !sameBytes(after.key, before.key)) {
      return undefined;
    }
    this.#session.advanceSealing(sealed.length);
    return concatenate(sealed);
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
      record.opened = this.#applicationData(new Uint8Array(plaintext));
    } catch {
      // Not what was foreseen (a new key, say) or not genuine: the core finds out which.
    }
  }

  /** What is in a record; undefined where it is not application data, or not well-formed. */
  #applicationData(plaintext: Uint8Array): Uint8Array | undefined {
    if (!this.#isTls13) return plaintext;
    // TLSInnerPlaintext (RFC 8446 §5.2): the content, its type, and any number of zeros.
    let end = plaintext.length - 1;
    while (end > 0 && plaintext[end] === 0) end--;
    const isData = plaintext[end] === RECORD_TYPE.applicationData && end <= MAX_PLAINTEXT;
    return isData ? plaintext.subarray(0, end) : undefined;
  }
}

/** One TLS 1.3 record of application data (RFC 8446 §5.2). */
async function sealRecord(content: Uint8Array, key: CryptoKey, iv: Uint8Array, sequence: bigint): Promise<Uint8Array> {
  const inner = new Uint8Array(content.length + 1);
  inner.set(content);
  inner[content.length] = RECORD_TYPE.applicationData;
  const size = inner.length + TAG_SIZE;
  const header = Uint8Array.of(RECORD_TYPE.applicationData, 3, 3, size >> 8, size & 0xff);
  const nonce = nonceOf(iv, sequence);
  const algorithm = { name: "AES-GCM", iv: nonce, additionalData: header, tagLength: TAG_BITS } as AesGcmParams;
  return concatenate([header, new Uint8Array(await crypto.subtle.encrypt(algorithm, key, inner))]);
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
