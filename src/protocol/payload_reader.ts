/**
 * Reads the fields of one message's payload, in order, and never past its end.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { decodeUtf8 } from "../utf8.ts";

/** A cursor over `bytes[at, end)`. Whatever does not fit raises `PROTOCOL_MALFORMED` with the message's name. */
export class PayloadReader {
  readonly #message: string;
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(message: string, bytes: Uint8Array, start: number, end: number) {
    this.#message = message;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  uint8(): number {
    return this.#bytes[this.#advance(1)];
  }

  uint16(): number {
    const at = this.#advance(2);
    return (this.#bytes[at] << 8) | this.#bytes[at + 1];
  }

  int16(): number {
    return (this.uint16() << 16) >> 16;
  }

  int32(): number {
    const at = this.#advance(4);
    const bytes = this.#bytes;
    return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  }

  uint32(): number {
    return this.int32() >>> 0;
  }

  /** A zero-terminated string. */
  cstring(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end === -1 || end >= this.#end) throw this.malformed("a string without an end");
    const text = decodeUtf8(this.#bytes, this.#at, end);
    this.#at = end + 1;
    return text;
  }

  /** A copy of the next `length` bytes. */
  copy(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.slice(at, at + length);
  }

  /** A copy of all that is left. */
  rest(): Uint8Array {
    return this.copy(this.remaining);
  }

  /** Refuses what stands after the last field. */
  finish(): void {
    if (this.remaining > 0) throw this.malformed(`${this.remaining} bytes too many`);
  }

  malformed(what: string): ProtocolError {
    return new ProtocolError("PROTOCOL_MALFORMED", `the peer sent a malformed ${this.#message}: ${what}`);
  }

  #advance(length: number): number {
    if (length < 0 || length > this.remaining) throw this.malformed("it ends too soon");
    const at = this.#at;
    this.#at += length;
    return at;
  }
}
