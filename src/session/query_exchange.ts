/**
 * What the simple and the extended query have in common: results that arrive statement by statement.
 *
 * @module
 */

import { asError, type DatabaseError, ProtocolError } from "../errors.ts";
import { decodeCommandComplete } from "../protocol/backend.ts";
import * as Backend from "../protocol/backend_types.ts";
import type { TransactionStatus } from "../protocol/codes.ts";
import { copyFail } from "../protocol/frontend.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import { decodeRowDescription, type FieldDescription } from "../protocol/row_description.ts";
import { Exchange, type ExchangeContext } from "./exchange.ts";
import { unexpectedMessage } from "./failures.ts";

/** Receives the result of one statement. */
export interface ResultSink {
  /** The columns of the rows that follow; not called for a statement that returns none. A promise holds the rows back. */
  fields(fields: readonly FieldDescription[]): Promise<void> | void;
  /** One row, `bytes[start, end)` of DataRow's payload. A promise holds further rows back. */
  row(bytes: Uint8Array, start: number, end: number): Promise<void> | void;
  /** The statement has ended; the tag is such as `INSERT 0 1`, and null for an empty query. */
  complete(tag: string | null): void;
}

/** Receives the outcome of a query. */
export interface QueryHandler {
  /** A new statement's result begins. A simple query has one for each statement of its text. */
  result(): ResultSink;
  /** All has ended well. */
  done(status: TransactionStatus): void;
  /** It failed: a DatabaseError, or why the answer will never come. */
  failed(error: Error): void;
}

/** An exchange whose answer is results. */
export abstract class QueryExchange extends Exchange {
  readonly #handler: QueryHandler;
  #sink: ResultSink | undefined;
  #error: Error | undefined;

  constructor(handler: QueryHandler) {
    super();
    this.#handler = handler;
  }

  override get handler(): QueryHandler {
    return this.#handler;
  }

  override handle(type: number, frames: FrameReader, context: ExchangeContext): Promise<void> | void {
    switch (type) {
      case Backend.DataRow:
        return this.#row(frames);
      case Backend.CommandComplete:
        return this.complete(decodeCommandComplete(frames.bytes, frames.start, frames.end));
      case Backend.RowDescription:
        return this.describe(decodeRowDescription(frames.bytes, frames.start, frames.end));
      case Backend.EmptyQueryResponse:
        return this.complete(null);
      case Backend.CopyInResponse:
        return this.refuseCopy(context);
      case Backend.CopyOutResponse:
      case Backend.CopyData:
      case Backend.CopyDone:
        return;
    }
    throw unexpectedMessage(type);
  }

  override error(error: DatabaseError): void {
    this.#error = error;
  }

  override ready(status: TransactionStatus): void {
    if (this.abandoned) return;
    if (this.#error === undefined) this.#handler.done(status);
    else this.#handler.failed(this.#error);
  }

  override fail(error: Error): void {
    this.#handler.failed(this.#error ?? error);
  }

  /** The columns are known. */
  protected describe(fields: readonly FieldDescription[]): Promise<void> | void {
    if (!this.#failedHere()) return this.#guard(() => this.#currentSink().fields(fields));
  }

  protected complete(tag: string | null): void {
    if (!this.#failedHere()) this.#guard(() => this.#currentSink().complete(tag));
    this.#sink = undefined;
  }

  /** What failed is tried again. */
  protected forgive(): void {
    this.#error = undefined;
  }

  /** Nobody brought data: the server must be told, or it would wait for ever. */
  protected refuseCopy(context: ExchangeContext): void {
    copyFail(context.writer, "No source stream defined");
    context.flush();
  }

  #row(frames: FrameReader): Promise<void> | void {
    if (this.#failedHere()) return;
    try {
      return this.#currentSink().row(frames.bytes, frames.start, frames.end);
    } catch (error) {
      this.#raise(error);
    }
  }

  #failedHere(): boolean {
    return this.abandoned || this.#error !== undefined;
  }

  #currentSink(): ResultSink {
    return this.#sink ??= this.#handler.result();
  }

  /** What a user's type parser throws fails this query and no other; what breaks the protocol fails the session. */
  #guard(work: () => Promise<void> | void): Promise<void> | void {
    try {
      return work();
    } catch (error) {
      this.#raise(error);
    }
  }

  #raise(error: unknown): void {
    if (error instanceof ProtocolError && error.code !== "VALUE_MALFORMED") throw error;
    this.#error = asError(error);
  }
}
