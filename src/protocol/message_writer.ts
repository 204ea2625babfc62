/**
 * The growing buffer into which messages are encoded, and which a session hands to its Duplex once per turn.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { encodeUtf8, encodeUtf8Into } from "../utf8.ts";
import { MAX_MESSAGE_LENGTH } from "./frame_reader.ts";

/** `PQ_LARGE_MESSAGE_LIMIT`: one byte less than the server may send, length word included. */
const MAX_WRITTEN_LENGTH = MAX_MESSAGE_LENGTH - 1;
const SLAB_LENGTH = 16_384;
/** Room for a piece of 64 KiB, as streams of bytes tend to have. */
const LARGE_SLAB_LENGTH = 81_920;
/** Strings longer than this are encoded on their own first, so that the buffer does not grow to their worst case. */
const LONG_STRING = 65_536;

/**
 * Appends fields and frames messages. What {@linkcode MessageWriter.take} returned is never touched again: writing goes
 * on behind it in the same slab, or in a new one.
 */
export class MessageWriter {
  #bytes = new Uint8Array(SLAB_LENGTH);
  /** Where what has not been taken begins. */
  #start = 0;
  #at = 0;
  #messageAt = 0;

  /** How many bytes wait to be taken. */
  get length(): number {
    return this.#at - this.#start;
  }

  /** Hands over all that was written. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(this.#start, this.#at);
    this.#start = this.#at;
    // A slab that grew for one large message is not worth keeping, but where much was written, more will come.
    if (this.#bytes.length > SLAB_LENGTH) {
      this.#bytes = new Uint8Array(taken.length > SLAB_LENGTH ? LARGE_SLAB_LENGTH : SLAB_LENGTH);
      this.#start = this.#at = 0;
    }
    return taken;
  }

  /** Forgets what was written after `length` was read: for a message that turned out not to be encodable. */
  rollBack(length: number): void {
    this.#at = this.#start + length;
  }

  /** Begins a message; its length is filled in by {@linkcode MessageWriter.end}. */
  begin(type: number): void {
    this.#reserve(5);
    this.#bytes[this.#at++] = type;
    this.#beginLength();
  }

  /** Begins a message without a type: StartupMessage and the requests. */
  beginUntyped(): void {
    this.#reserve(4);
    this.#beginLength();
  }

  /** @throws {ConfigError} `MESSAGE_TOO_LONG`: the caller rolls back. */
  end(): void {
    const length = this.#messageLength;
    assertMessageFits(length);
    this.#setInt32(this.#start + this.#messageAt, length);
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  int16(value: number): void {
    this.#reserve(2);
    this.#bytes[this.#at++] = value >>> 8;
    this.#bytes[this.#at++] = value;
  }

  int32(value: number): void {
    this.#reserve(4);
    this.#setInt32(this.#at, value);
    this.#at += 4;
  }

  /** @throws {ConfigError} `MESSAGE_TOO_LONG`, before there is a buffer for so much: the caller rolls back. */
  bytes(value: Uint8Array): void {
    assertMessageFits(this.#messageLength + value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** UTF-8 without length or end. */
  text(value: string): void {
    if (value.length > LONG_STRING) return this.bytes(encodeUtf8(value));
    this.#reserve(3 * value.length); // the most that its units can need
    this.#at = encodeUtf8Into(value, this.#bytes, this.#at);
  }

  /**
   * A zero-terminated string.
   *
   * @throws {ConfigError} `STRING_CONTAINS_NUL`: the caller rolls back.
   */
  cstring(value: string, what: string): void {
    if (value.includes("\0")) {
      throw new ConfigError("STRING_CONTAINS_NUL", `${what} contains a NUL character, which PostgreSQL cannot take`);
    }
    this.text(value);
    this.uint8(0);
  }

  /** A value behind its length in 32 bits; null is the length -1. */
  value(value: string | Uint8Array | null): void {
    if (value === null) return this.int32(-1);
    if (typeof value !== "string") {
      this.int32(value.length);
      return this.bytes(value);
    }
    this.int32(0);
    const before = this.length;
    this.text(value);
    this.#setInt32(this.#start + before - 4, this.length - before);
  }

  get #messageLength(): number {
    return this.#at - this.#start - this.#messageAt;
  }

  #beginLength(): void {
    this.#messageAt = this.#at - this.#start;
    this.#at += 4;
  }

  #setInt32(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  #reserve(room: number): void {
    if (this.#at + room > this.#bytes.length) this.#moveToNewSlab(room);
  }

  /** Moves what was not taken to a new slab that has the room, and leaves the old one to those who took parts of it. */
  #moveToNewSlab(room: number): void {
    const waiting = this.#bytes.subarray(this.#start, this.#at);
    const needed = waiting.length + room;
    const slab = new Uint8Array(needed <= SLAB_LENGTH / 2 ? SLAB_LENGTH : needed * 2);
    slab.set(waiting);
    this.#bytes = slab;
    this.#at = waiting.length;
    this.#start = 0;
  }
}

function assertMessageFits(length: number): void {
  if (length <= MAX_WRITTEN_LENGTH) return;
  throw new ConfigError(
    "MESSAGE_TOO_LONG",
    `a message of ${length} bytes is longer than PostgreSQL accepts (${MAX_WRITTEN_LENGTH}): send the data in parts, or by COPY`,
  );
}
