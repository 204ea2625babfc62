/**
 * Cuts the backend's byte stream into messages, without copying any that arrives whole.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";

/** What the server itself allows in one message (`MaxAllocSize`). */
export const MAX_MESSAGE_LENGTH = 0x3fff_ffff;
/** What a server may send in one message before it has authenticated us; libpq's limit for an early error is 30,000. */
export const MAX_STARTUP_MESSAGE_LENGTH = 65_536;

const HEADER_LENGTH = 5;
const FIRST_PARTIAL_ROOM = 1024;
/** Of all messages that a backend sends; `backend_types.ts` has their names. */
const TYPES = "RK23CWdcGHDIEVvnNAtS1sZT";
const KNOWN_TYPES: readonly boolean[] = Array.from(
  { length: 256 },
  (_, type) => TYPES.includes(String.fromCharCode(type)),
);

/**
 * A cursor over backend messages. After {@linkcode FrameReader.next} returned a type, the message's payload is
 * `bytes[start, end)`, valid until the next call.
 *
 * A message that is spread over chunks is gathered in a buffer of its own, which grows with the bytes that really
 * arrived and never with the length that a peer claims.
 *
 * @example
 * ```ts
 * const frames = new FrameReader();
 * frames.push(Uint8Array.of(0x5a, 0, 0, 0, 5, 0x49)); // ReadyForQuery, idle
 * console.log(String.fromCharCode(frames.next()), frames.end - frames.start); // Z 1
 * ```
 */
export class FrameReader {
  /** The buffer that holds the current message. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the current message's payload begins, after its length. */
  start = 0;
  /** Where it ends. */
  end = 0;
  /** The longest message accepted, in bytes, its length word included. */
  maxLength: number = MAX_STARTUP_MESSAGE_LENGTH;

  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #partial: Uint8Array | undefined;
  #partialLength = 0;

  /** Bytes that were pushed and belong to no finished message yet. */
  get pending(): number {
    return this.#partialLength + this.#chunk.length - this.#at;
  }

  /** Adds what was read. Every message of the previous chunk must have been taken. */
  push(chunk: Uint8Array): void {
    if (this.#at < this.#chunk.length) throw new ProtocolError("PROTOCOL_USAGE", "push before all messages were taken");
    this.#chunk = chunk;
    this.#at = 0;
  }

  /**
   * Moves to the next message and returns its type, or 0 where the bytes at hand hold no whole message.
   *
   * @throws {ProtocolError} `PROTOCOL_MESSAGE_TYPE`, `PROTOCOL_MESSAGE_LENGTH`
   */
  next(): number {
    if (this.#partialLength > 0) return this.#nextFromPartial();
    const chunk = this.#chunk;
    const at = this.#at;
    const available = chunk.length - at;
    if (available >= HEADER_LENGTH) {
      const total = this.#totalLength(chunk, at);
      if (available >= total) {
        this.bytes = chunk;
        this.start = at + HEADER_LENGTH;
        this.end = this.#at = at + total;
        return chunk[at];
      }
    }
    if (available > 0) this.#gather(available);
    return 0;
  }

  #nextFromPartial(): number {
    if (this.#partialLength < HEADER_LENGTH) this.#gather(HEADER_LENGTH - this.#partialLength);
    const partial = this.#partial;
    if (partial === undefined || this.#partialLength < HEADER_LENGTH) return 0;
    const total = this.#totalLength(partial, 0);
    this.#gather(total - this.#partialLength);
    if (this.#partialLength < total) return 0;
    this.bytes = this.#partial ?? partial;
    this.start = HEADER_LENGTH;
    this.end = total;
    this.#partial = undefined;
    this.#partialLength = 0;
    return this.bytes[0];
  }

  /** Moves up to `wanted` bytes from the chunk to the partial message. */
  #gather(wanted: number): void {
    const taken = this.#chunk.subarray(this.#at, this.#at + wanted);
    const length = this.#partialLength + taken.length;
    let partial = this.#partial ?? new Uint8Array(FIRST_PARTIAL_ROOM);
    if (length > partial.length) {
      const grown = new Uint8Array(Math.max(length, partial.length * 2));
      grown.set(partial.subarray(0, this.#partialLength));
      partial = grown;
    }
    partial.set(taken, this.#partialLength);
    this.#partial = partial;
    this.#partialLength = length;
    this.#at += taken.length;
  }

  /** The message's length with its type byte, from its header. */
  #totalLength(bytes: Uint8Array, at: number): number {
    if (!KNOWN_TYPES[bytes[at]]) {
      throw new ProtocolError("PROTOCOL_MESSAGE_TYPE", `received invalid response: ${bytes[at].toString(16)}`, {
        verbatim: true,
        hint: `There is no message of type ${describeByte(bytes[at])}: is this a PostgreSQL server?`,
      });
    }
    const length = (bytes[at + 1] << 24) | (bytes[at + 2] << 16) | (bytes[at + 3] << 8) | bytes[at + 4];
    if (length < 4 || length > this.maxLength) {
      throw new ProtocolError(
        "PROTOCOL_MESSAGE_LENGTH",
        `the peer announced a message of type ${describeByte(bytes[at])} with ${
          length >>> 0
        } bytes (4 to ${this.maxLength} are allowed)`,
      );
    }
    return length + 1;
  }
}

function describeByte(byte: number): string {
  const hex = `0x${byte.toString(16).padStart(2, "0")}`;
  return byte > 0x20 && byte < 0x7f ? `'${String.fromCharCode(byte)}' (${hex})` : hex;
}
