/**
 * What a session sends: all that is written within one turn of the event loop leaves in one write, and from 64 KiB on at
 * once. While the transport asks to wait, what comes is gathered.
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import { DONE } from "../duplex/waiting.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import type { Exchange, ExchangeContext } from "./exchange.ts";

/** So many waiting bytes are worth a write of their own. */
const LARGE_WRITE = 65_536;

/** Hands what is in a writer to a transport. */
export class Outbox {
  readonly writer: MessageWriter;
  readonly #duplex: Duplex;
  readonly #failed: (cause: unknown) => void;
  #flushScheduled = false;
  /** Something is being written that may be rolled back. */
  #encoding = false;
  #blocked: Promise<void> | undefined;
  readonly #awaitingDrain: (() => void)[] = [];
  #closed = false;

  /** @param failed Told when the transport has taken what it cannot send. */
  constructor(writer: MessageWriter, duplex: Duplex, failed: (cause: unknown) => void) {
    this.writer = writer;
    this.#duplex = duplex;
    this.#failed = failed;
  }

  /** Encodes an exchange as a whole: what it throws leaves nothing of it behind. It leaves with the next flush. */
  encode(exchange: Exchange, context: ExchangeContext): void {
    const before = this.writer.length;
    this.#encoding = true;
    try {
      exchange.encode(this.writer, context);
    } catch (error) {
      this.writer.rollBack(before);
      throw error;
    } finally {
      this.#encoding = false;
    }
  }

  /** What has become large does not wait for the end of the turn: it would only be moved to larger and larger buffers. */
  flush(): void {
    if (this.writer.length >= LARGE_WRITE && !this.#encoding) this.#send();
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(this.#sendAtEndOfTurn);
  }

  /** Resolves once the transport has taken all that was written, or will take nothing any more. Never rejects. */
  drained(): Promise<void> {
    const settled = this.#closed || (this.writer.length === 0 && this.#blocked === undefined);
    return settled ? DONE : new Promise((resolve) => this.#awaitingDrain.push(resolve));
  }

  /** Nothing is sent any more. */
  close(): void {
    this.#closed = true;
    this.#wakeDrained();
  }

  #send(): void {
    if (this.writer.length === 0 || this.#blocked !== undefined || this.#closed) return;
    const blocked = this.#duplex.write(this.writer.take());
    if (blocked === DONE && this.#awaitingDrain.length === 0) return;
    this.#blocked = blocked;
    blocked.then(this.#unblock, this.#fail);
  }

  readonly #sendAtEndOfTurn = (): void => {
    this.#flushScheduled = false;
    this.#send();
  };

  readonly #unblock = (): void => {
    this.#blocked = undefined;
    if (this.writer.length > 0) this.flush();
    else this.#wakeDrained();
  };

  readonly #fail = (cause: unknown): void => {
    this.#blocked = undefined;
    this.#failed(cause);
  };

  #wakeDrained(): void {
    for (const wake of this.#awaitingDrain.splice(0)) wake();
  }
}
