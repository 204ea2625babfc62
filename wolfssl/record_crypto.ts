/**
 * AES-GCM record protection by the runtime, in the core's place (see docs/tls.md, "Working ahead"): the key is imported
 * once, the sequence numbers that the core would use are known, and any number of records can be under way at once. The
 * core stays in charge: what is not application data, or does not decrypt as foreseen, is left to it.
 *
 * @module
 */

import type { Aead, AeadKey } from "./aead.ts";
import {
  applicationData12,
  applicationData13,
  header13,
  innerPlaintext13,
  later,
  MAX_PLAINTEXT,
  nonceOf,
  overheadOf,
  sealed12,
  sealed13,
  type Sequence,
} from "./record_layout.ts";
import { concatenate, type QueuedRecord, RECORD_TYPE } from "./records.ts";
import type { Session, TrafficKeys } from "./session.ts";
import { sameBytes } from "./x509/der.ts";

/** Well below what one AES-GCM key may protect (RFC 8446 §5.5); from there on the core writes, and updates the key. */
const SEALED_AT_MOST = 2 ** 24;

/** Who computes, and for which records: sizes of plaintext, in bytes. Smaller ones are left to the core. */
export interface RecordChoice {
  readonly aead: Aead;
  readonly openFrom: number;
  readonly sealFrom: number;
}

/** One direction's key. */
interface ImportedKey {
  readonly raw: Uint8Array;
  readonly iv: Uint8Array;
  readonly key: AeadKey;
}

/** Works ahead on the records of one session. */
export class RecordCrypto {
  readonly #session: Session;
  readonly #isTls13: boolean;
  readonly #choice: RecordChoice;
  #opening: ImportedKey | undefined;
  #sealing: ImportedKey | undefined;

  constructor(session: Session, choice: RecordChoice) {
    this.#session = session;
    this.#isTls13 = session.protocol === "TLSv1.3";
    this.#choice = choice;
  }

  /**
   * Opens records that have just been queued, `before` of which nobody has read others yet. Those that are not open at
   * once are held together until they are, so that a reader is given them together.
   */
  openAhead(records: readonly QueuedRecord[], before: number): void {
    const enough = this.#choice.openFrom + overheadOf(this.#isTls13);
    const isOurs = ({ bytes }: QueuedRecord) => bytes.length >= enough && bytes[0] === RECORD_TYPE.applicationData;
    if (!records.some(isOurs)) return;
    const traffic = this.#session.trafficKeys("opening");
    if (traffic === undefined) return;
    this.#opening = this.#currentKey(this.#opening, traffic);
    const { key } = this.#opening;
    const held: QueuedRecord[] = [];
    const underWay: Promise<void>[] = [];
    for (const [index, record] of records.entries()) {
      if (!isOurs(record)) continue;
      const opening = this.#open(record, key, traffic.iv, later(traffic.sequence, before + index));
      if (opening === undefined) continue;
      held.push(record);
      underWay.push(opening);
    }
    if (held.length === 0) return;
    const hold = Promise.all(underWay).then(() => {
      for (const record of held) record.hold = undefined;
    });
    for (const record of held) record.hold = hold;
  }

  /** Whether a write of this size is worth {@linkcode RecordCrypto.seal}. */
  wantsToSeal(size: number): boolean {
    // In TLS 1.2 the core chooses the nonce, which is then not known ahead.
    return this.#isTls13 && size >= this.#choice.sealFrom;
  }

  /**
   * The records of a write, whose place in the stream is taken with the call: whatever the core writes next comes after
   * them. Undefined where the core has to make them.
   */
  seal(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> | undefined {
    const traffic = this.#session.trafficKeys("sealing");
    if (traffic === undefined || traffic.sequence.high > 0 || traffic.sequence.low > SEALED_AT_MOST) return undefined;
    this.#sealing = this.#currentKey(this.#sealing, traffic);
    const { key } = this.#sealing;
    const pieces: (Uint8Array[] | Promise<Uint8Array[]>)[] = [];
    let count = 0;
    for (let at = 0; at < bytes.length; at += MAX_PLAINTEXT) {
      const inner = innerPlaintext13(bytes.subarray(at, at + MAX_PLAINTEXT));
      const header = header13(inner.length);
      pieces.push([header], key.seal(inner, nonceOf(traffic.iv, later(traffic.sequence, count++)), header));
    }
    this.#session.advanceSealing(count);
    return pieces.every((piece): piece is Uint8Array[] => Array.isArray(piece))
      ? concatenate(pieces.flat())
      : Promise.all(pieces).then((made) => concatenate(made.flat()));
  }

  /** A promise where the record is not opened at once. */
  #open(record: QueuedRecord, key: AeadKey, iv: Uint8Array, sequence: Sequence): Promise<void> | undefined {
    const layOut = this.#isTls13 ? sealed13 : sealed12;
    const { ciphertext, nonce, additionalData } = layOut(record.bytes, iv, sequence);
    // Where it stays shut it is not what was foreseen (a new key, say) or not genuine: the core finds out which.
    const done = (plaintext: Uint8Array | undefined) => {
      record.opened = plaintext && (this.#isTls13 ? applicationData13(plaintext) : applicationData12(plaintext));
    };
    const plaintext = key.open(ciphertext, nonce, additionalData);
    if (plaintext instanceof Promise) return plaintext.then(done);
    done(plaintext);
  }

  /** The imported key, or a new import after a KeyUpdate. */
  #currentKey(known: ImportedKey | undefined, { key, iv }: TrafficKeys): ImportedKey {
    if (known !== undefined && sameBytes(known.raw, key) && sameBytes(known.iv, iv)) return known;
    return { raw: key, iv, key: this.#choice.aead.importKey(key) };
  }
}
