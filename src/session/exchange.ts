/**
 * A request and its whole answer: what a session pipelines. One file per kind of exchange stands beside this one.
 *
 * @module
 */

import type { DatabaseError } from "../errors.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import type { TransactionStatus } from "../protocol/codes.ts";

/** What an exchange may do while its answer arrives. */
export interface ExchangeContext {
  /** For messages in the middle of an exchange (CopyData, CopyFail); they leave with the next flush. */
  readonly writer: MessageWriter;
  /** Sends what is in the writer at the end of this turn of the event loop. */
  flush(): void;
  /** Whether nothing was sent behind this exchange, so that what it writes now is answered next. */
  alone(): boolean;
  /** Resolves once the transport has taken all that was written, or will take nothing any more. Never rejects. */
  drained(): Promise<void>;
}

/**
 * The base of all exchanges. It is written once, hears every message of its answer in order, and ends exactly once: by
 * {@linkcode Exchange.ready} or by {@linkcode Exchange.fail}.
 */
export abstract class Exchange {
  /** True where nothing may be in flight before it nor be sent behind it, such as a COPY or a submittable. */
  readonly exclusive: boolean = false;
  /** True once it has failed although its answer is still to come: it hears the rest and reports nothing more. */
  abandoned = false;
  /** Releases the deadline and abort listener, where the session attached any. */
  release: (() => void) | undefined;

  /**
   * Writes the request, its Sync included. What it throws rejects this exchange alone, and nothing of it is sent. The
   * context is for an exchange that will write more while its answer arrives.
   */
  abstract encode(writer: MessageWriter, context: ExchangeContext): void;

  /**
   * Takes one message of the answer: any but ErrorResponse, ReadyForQuery and the asynchronous ones. Returns a promise
   * only to hold the connection's reading back. What it throws ends the session.
   */
  abstract handle(type: number, frames: FrameReader, context: ExchangeContext): Promise<void> | void;

  /** The server reported an error; ReadyForQuery follows, unless the session ends. */
  abstract error(error: DatabaseError): void;

  /** Who hears the answer, for those who look at what is outstanding. */
  get handler(): unknown {
    return undefined;
  }

  /** ReadyForQuery came: whether the exchange goes on nevertheless, since it has asked for another one. */
  continues(_status: TransactionStatus): boolean {
    return false;
  }

  /** ReadyForQuery: the exchange has ended, well or by what {@linkcode Exchange.error} was told. */
  abstract ready(status: TransactionStatus): void;

  /** It will never be ready: the session failed, or somebody gave up waiting. */
  abstract fail(error: Error): void;
}
