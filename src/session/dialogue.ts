/**
 * An exchange whose messages somebody else writes, step by step, while the answers arrive: what cursors and COPY streams
 * of node-postgres's world need. It has the connection to itself until it has ended.
 *
 * @module
 */

import type { DatabaseError } from "../errors.ts";
import * as Backend from "../protocol/backend_types.ts";
import type { TransactionStatus } from "../protocol/codes.ts";
import { copyFail, query, sync } from "../protocol/frontend.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import { Exchange, type ExchangeContext } from "./exchange.ts";

/** Whoever writes the messages of a {@linkcode Dialogue} and hears the answers. */
export interface DialogueHandler {
  /** The connection is free: write the first messages. What this throws fails the dialogue, and nothing was sent. */
  begin(dialogue: Dialogue): void;
  /** One message of the answer, as for {@linkcode Exchange.handle}. */
  message(type: number, frames: FrameReader): Promise<void> | void;
  /** The server reported an error. It skips what it reads until the next Sync. */
  error(error: DatabaseError): void;
  /** ReadyForQuery; more of them may follow. */
  ready(status: TransactionStatus): void;
  /** The last ReadyForQuery was heard, or the dialogue has failed: nothing may be written any more. Called once. */
  over(): void;
  /** It failed apart from what the server says: the connection broke, or somebody gave up waiting. */
  failed(error: Error): void;
}

/**
 * Ends at the ReadyForQuery of its last Sync or Query. What would leave the connection hanging is completed: an error, a
 * failure or an end that no Sync follows.
 */
export class Dialogue extends Exchange {
  override readonly exclusive = true;
  readonly #handler: DialogueHandler;
  #context: ExchangeContext | undefined;
  #isOver = false;
  /** How many ReadyForQuery are to come. */
  #expected = 0;
  /** Whether there are messages which only a Sync completes. */
  #unsynced = false;

  constructor(handler: DialogueHandler) {
    super();
    this.#handler = handler;
  }

  override get handler(): DialogueHandler {
    return this.#handler;
  }

  /** Bytes that wait to be sent. */
  get waiting(): number {
    return this.#context?.writer.length ?? 0;
  }

  /** Writes any message that does not ask for ReadyForQuery. What `encode` throws leaves nothing of it behind. */
  write(encode: (writer: MessageWriter) => void): void {
    this.#write(encode);
    this.#unsynced = true;
  }

  /** Writes CopyData, CopyDone or CopyFail, or bytes that are already such messages. */
  writeCopy(encode: (writer: MessageWriter) => void): void {
    this.#write(encode);
  }

  sync(): void {
    this.#write(sync);
    this.#unsynced = false;
    this.#expected++;
  }

  /** Sees to it that a ReadyForQuery will come. */
  complete(): void {
    if (this.#expected === 0) this.sync();
  }

  query(text: string): void {
    this.#write((writer) => query(writer, text));
    this.#expected++;
  }

  /** Resolves once the transport has taken all that was written. Never rejects. */
  async drained(): Promise<void> {
    await this.#context?.drained();
  }

  override encode(_writer: MessageWriter, context: ExchangeContext): void {
    this.#context = context;
    try {
      this.#handler.begin(this);
    } catch (error) {
      this.#context = undefined;
      throw error;
    }
  }

  override handle(type: number, frames: FrameReader, context: ExchangeContext): Promise<void> | void {
    if (!this.abandoned) return this.#handler.message(type, frames);
    if (type === Backend.CopyInResponse) {
      copyFail(context.writer, "the COPY was given up");
      context.flush();
    }
  }

  override error(error: DatabaseError): void {
    if (!this.abandoned) this.#handler.error(error);
    this.complete();
  }

  override continues(status: TransactionStatus): boolean {
    this.#expected = Math.max(0, this.#expected - 1);
    if (!this.abandoned) this.#handler.ready(status);
    if (this.#unsynced) this.complete();
    return this.#expected > 0;
  }

  override ready(): void {
    this.#over();
  }

  override fail(error: Error): void {
    this.#handler.failed(error);
    // Whoever was told may have written nothing more, and the server would wait for ever.
    if (this.#context !== undefined) this.complete();
    this.#over();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#context = undefined;
    this.#handler.over();
  }

  /** Once it is over there is nobody to write to. */
  #write(encode: (writer: MessageWriter) => void): void {
    const context = this.#context;
    if (context === undefined) return;
    const { writer } = context;
    const before = writer.length;
    try {
      encode(writer);
    } catch (error) {
      writer.rollBack(before);
      throw error;
    }
    context.flush();
  }
}
