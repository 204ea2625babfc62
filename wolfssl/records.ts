/**
 * TLS records (RFC 8446 §5.1) on their way to the core: cut out of the stream, so that one can be held back until
 * SubtleCrypto has worked on it.
 *
 * @module
 */

import { CoreFailure } from "./failures.ts";

/** type, version, length */
export const RECORD_HEADER = 5;
/** TLSCiphertext.length at most: 2^14 + 2048 in TLS 1.2 (RFC 5246 §6.2.3), less in 1.3. */
const MAX_BODY = 16384 + 2048;

export const RECORD_TYPE = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

const TYPES: ReadonlySet<number> = new Set(Object.values(RECORD_TYPE));

/** A record, whole. */
export interface QueuedRecord {
  readonly bytes: Uint8Array;
  /** What has to settle before the core may see the record. */
  hold: Promise<unknown> | undefined;
  /** The application data that it is, where somebody else than the core has opened it. */
  opened: Uint8Array | undefined;
}

/** How many records that are done with are kept at most until their places are freed. */
const MAX_DROPPED = 64;

/** A first in, first out queue of records that the core reads from. */
export class RecordQueue {
  #records: QueuedRecord[] = [];
  /** Where the first record is in the array, and how much of it the core has. */
  #first = 0;
  #offset = 0;
  #pieces: Uint8Array[] = [];
  #have = 0;
  #ended = false;
  #size = 0;

  /** Bytes that the core has not taken, those of an incomplete record included. */
  get size(): number {
    return this.#size;
  }

  /** Records that the core has not begun to read. */
  get unread(): readonly QueuedRecord[] {
    return this.#records.slice(this.#offset === 0 ? this.#first : this.#first + 1);
  }

  /** Whether the peer has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** What has to settle before the core can go on, where records are there. */
  get hold(): Promise<unknown> | undefined {
    return this.#records[this.#first]?.hold;
  }

  /** Whether the core would be given any of a record. */
  get isReadable(): boolean {
    const first = this.#records[this.#first];
    return first !== undefined && first.hold === undefined && first.opened === undefined;
  }

  /**
   * Takes bytes of the stream; gives the records that they complete.
   *
   * @throws {CoreFailure} where they are no records, or one is over the limit
   */
  push(bytes: Uint8Array): readonly QueuedRecord[] {
    this.#size += bytes.length;
    const complete: QueuedRecord[] = [];
    let rest = this.#finishPartial(bytes, complete);
    for (let size = recordSize(rest); size !== undefined && size <= rest.length; size = recordSize(rest)) {
      complete.push(queued(rest.subarray(0, size)));
      rest = rest.subarray(size);
    }
    if (rest.length > 0) {
      this.#pieces.push(rest);
      this.#have += rest.length;
    }
    // Not spread: how many there are is the peer's choice, and how many arguments a call may have is not.
    for (const record of complete) this.#records.push(record);
    return complete;
  }

  /** Completes the record that earlier bytes began, if these suffice; gives what is left of them. */
  #finishPartial(bytes: Uint8Array, complete: QueuedRecord[]): Uint8Array {
    let rest = bytes;
    // Once for what the header lacks, and once for what the body does.
    while (this.#have > 0) {
      const size = recordSize(this.#header());
      const missing = (size ?? RECORD_HEADER) - this.#have;
      const taken = rest.subarray(0, missing);
      this.#pieces.push(taken);
      this.#have += taken.length;
      rest = rest.subarray(taken.length);
      if (taken.length < missing) return rest;
      if (size === undefined && recordSize(this.#header()) !== RECORD_HEADER) continue;
      complete.push(queued(concatenate(this.#pieces)));
      this.#pieces = [];
      this.#have = 0;
    }
    return rest;
  }

  /** The peer ended: what is incomplete is given to the core as it is. */
  end(): void {
    if (this.#have > 0) this.#records.push(queued(concatenate(this.#pieces)));
    this.#pieces = [];
    this.#have = 0;
    this.#ended = true;
  }

  /** Fills `target` from the first record: how much, 0 where nothing can be given yet, -1 at the end. */
  receive(target: Uint8Array): number {
    const first = this.#records[this.#first];
    if (first === undefined) return this.#ended ? -1 : 0;
    if (first.hold !== undefined || first.opened !== undefined) return 0;
    const count = Math.min(target.length, first.bytes.length - this.#offset);
    target.set(first.bytes.subarray(this.#offset, this.#offset + count));
    this.#offset += count;
    this.#size -= count;
    if (this.#offset === first.bytes.length) this.#drop();
    return count;
  }

  /** Whether the first record was opened. */
  get hasOpened(): boolean {
    return this.#records[this.#first]?.opened !== undefined;
  }

  /** What the first record was opened to, which the core is then not to see. */
  takeOpened(): Uint8Array | undefined {
    const first = this.#records[this.#first];
    if (first?.opened === undefined) return undefined;
    this.#drop();
    this.#size -= first.bytes.length;
    return first.opened;
  }

  #drop(): void {
    this.#offset = 0;
    this.#first++;
    // Only now and then, so that a long queue is not moved for every record.
    if (this.#first < this.#records.length && this.#first < MAX_DROPPED) return;
    this.#records = this.#records.slice(this.#first);
    this.#first = 0;
  }

  /** The first bytes of an incomplete record, at least its header. */
  #header(): Uint8Array {
    const [first] = this.#pieces;
    if (first !== undefined && first.length >= RECORD_HEADER) return first;
    const joined = concatenate(this.#pieces);
    // A peer that sends byte by byte makes many pieces: the header is put together once.
    this.#pieces = [joined];
    return joined;
  }
}

function queued(bytes: Uint8Array): QueuedRecord {
  return { bytes, hold: undefined, opened: undefined };
}

/** The size of the record that begins here; undefined while its header is incomplete. */
function recordSize(bytes: Uint8Array): number | undefined {
  const [type, major, , high, low] = bytes;
  if (high === undefined || low === undefined) return undefined;
  if (!TYPES.has(type ?? 0) || major !== 3) throw new CoreFailure(UNKNOWN_RECORD_TYPE, undefined);
  const body = high << 8 | low;
  if (body > MAX_BODY) throw new CoreFailure(LENGTH_ERROR, undefined);
  return RECORD_HEADER + body;
}

// What wolfSSL calls them.
const UNKNOWN_RECORD_TYPE = -311;
const LENGTH_ERROR = -341;

export function concatenate(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
