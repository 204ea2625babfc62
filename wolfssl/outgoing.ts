/**
 * The ciphertext of one connection on its way out, in order, although some of it is still being made.
 *
 * @module
 */

import type { Duplex } from "../src/duplex/duplex.ts";

/** How much may be under way before a write waits, in bytes. */
const UNDER_WAY = 256 * 1024;

const DONE: Promise<void> = Promise.resolve();

/** Ciphertext, or a promise of it. */
export type Piece = Uint8Array | Promise<Uint8Array>;

/** Hands pieces to a Duplex in the order in which they came. */
export class Outgoing {
  readonly #duplex: Duplex;
  readonly #onFailure: (cause: unknown) => void;
  #failure: { readonly cause: unknown } | undefined;
  #underWay: { readonly size: number; readonly sent: Promise<void> }[] = [];
  #size = 0;

  /** `onFailure` is told of the first piece that fails while it is under way: nobody might ever write again. */
  constructor(duplex: Duplex, onFailure: (cause: unknown) => void) {
    this.#duplex = duplex;
    this.#onFailure = onFailure;
  }

  /**
   * Sends a piece of about so many bytes after all others, and resolves when more may be written. A piece that fails
   * fails all that come after it, {@linkcode Outgoing.settled} too.
   */
  send(piece: Piece, size: number): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.cause);
    const last = this.#underWay.at(-1);
    if (last === undefined && piece instanceof Uint8Array) return this.#duplex.write(piece);
    const sent = this.#send(piece, last?.sent);
    const entry = { size, sent };
    this.#underWay.push(entry);
    this.#size += size;
    // What has failed stays, so that nothing is sent after it.
    sent.then(() => {
      this.#underWay.shift();
      this.#size -= size;
    }, (cause) => this.#fail(cause));
    return this.#size < UNDER_WAY ? DONE : this.#underWay[0]?.sent ?? DONE;
  }

  /** Resolves once everything was handed on. */
  settled(): Promise<void> {
    return this.#underWay.at(-1)?.sent ?? DONE;
  }

  #fail(cause: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { cause };
    this.#onFailure(cause);
  }

  async #send(piece: Piece, before: Promise<void> | undefined): Promise<void> {
    // Whatever happens, a promise has somebody who looks at it.
    const [bytes] = await Promise.all([piece, before]);
    await this.#duplex.write(bytes);
  }
}
