/**
 * COPY ... FROM STDIN: the server is sent data until it has all.
 *
 * @see PostgreSQL documentation, "Message Flow", "COPY Operations"
 * @module
 */

import { type Deferred, deferred } from "../duplex/waiting.ts";
import { ClientError, type DatabaseError } from "../errors.ts";
import { type CopyResponse, decodeCommandComplete, decodeCopyResponse } from "../protocol/backend.ts";
import * as Backend from "../protocol/backend_types.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import { copyData, copyDone, copyFail } from "../protocol/frontend.ts";
import { Dialogue, type DialogueHandler } from "./dialogue.ts";
import type { Patience } from "./patience.ts";
import type { Session } from "./session.ts";

/** While more than this waits to be sent, whoever brings data waits. */
const HIGH_WATER = 262_144;

/** One COPY into the server. Give it to a session by {@linkcode CopyInTransfer.start}. */
export class CopyInTransfer implements DialogueHandler {
  readonly #text: string;
  readonly #started = deferred<CopyResponse>();
  readonly #ended: Deferred<number> = deferred<number>();
  #dialogue: Dialogue | undefined;
  #copying = false;
  #done = false;
  #rowCount = 0;
  #error: Error | undefined;

  constructor(text: string) {
    this.#text = text;
    for (const { promise } of [this.#started, this.#ended]) promise.catch(() => {});
  }

  /** Resolves with the server's wishes once it waits for data. */
  get started(): Promise<CopyResponse> {
    return this.#started.promise;
  }

  /** Resolves with the number of rows once the server has stored all. */
  get ended(): Promise<number> {
    return this.#ended.promise;
  }

  start(session: Session, patience: Patience): void {
    session.submit(new Dialogue(this), patience);
  }

  /** Sends data; resolves when more may be sent. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#error !== undefined) throw this.#error;
    const dialogue = this.#dialogue;
    if (dialogue === undefined || this.#done) throw copyOver();
    dialogue.writeCopy((writer) => copyData(writer, bytes));
    if (dialogue.waiting < HIGH_WATER) return;
    await dialogue.drained();
    // What the server refused meanwhile.
    if (this.#error !== undefined) throw this.#error;
  }

  /** That was all. */
  finish(): void {
    if (this.#copying && !this.#done && this.#error === undefined) this.#dialogue?.writeCopy(copyDone);
    this.#done = true;
  }

  /** Makes the server forget what it was sent; it answers by an error that quotes the reason. */
  giveUp(reason: string): void {
    if (this.#copying && !this.#done && this.#error === undefined) this.#fail(reason);
    this.#done = true;
  }

  begin(dialogue: Dialogue): void {
    this.#dialogue = dialogue;
    dialogue.query(this.#text);
  }

  message(type: number, { bytes, start, end }: FrameReader): void {
    switch (type) {
      case Backend.CopyInResponse:
        if (this.#copying || this.#done) return this.#fail("one COPY at a time");
        this.#copying = true;
        return this.#started.resolve(decodeCopyResponse(bytes, start, end));
      case Backend.CommandComplete:
        if (this.#copying) this.#rowCount = countOf(decodeCommandComplete(bytes, start, end));
        else this.#error ??= notCopyIn();
        return;
      case Backend.CopyOutResponse:
      case Backend.RowDescription:
        this.#error ??= notCopyIn();
    }
  }

  error(error: DatabaseError): void {
    this.#error ??= error;
    this.#started.reject(this.#error);
  }

  ready(): void {
    const error = this.#error ?? (this.#copying ? undefined : notCopyIn());
    if (error === undefined) return this.#ended.resolve(this.#rowCount);
    this.#started.reject(error);
    this.#ended.reject(error);
  }

  over(): void {
    this.#dialogue = undefined;
  }

  failed(error: Error): void {
    // The server would wait for data for ever: it hears of a cancellation only between its messages.
    if (this.#copying && !this.#done && this.#error === undefined) this.#fail("the COPY was given up");
    this.#error ??= error;
    this.#started.reject(this.#error);
    this.#ended.reject(this.#error);
  }

  #fail(reason: string): void {
    this.#dialogue?.writeCopy((writer) => copyFail(writer, reason.replaceAll("\0", " ")));
  }
}

/** The number of rows in a tag such as `COPY 42`. */
function countOf(tag: string): number {
  return Number(/^COPY (\d+)$/.exec(tag)?.[1] ?? 0);
}

function notCopyIn(): ClientError {
  return new ClientError("COPY_DIRECTION", "the command is no COPY ... FROM STDIN: the server did not ask for data", {
    phase: "query",
  });
}

function copyOver(): ClientError {
  return new ClientError("COPY_OVER", "the COPY is over, and takes no more data", { phase: "query" });
}
