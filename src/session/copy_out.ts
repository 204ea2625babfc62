/**
 * COPY ... TO STDOUT: the server sends data until there is no more.
 *
 * @see PostgreSQL documentation, "Message Flow", "COPY Operations"
 * @module
 */

import { ClientError, type DatabaseError } from "../errors.ts";
import { decodeCopyResponse } from "../protocol/backend.ts";
import * as Backend from "../protocol/backend_types.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import { copyFail } from "../protocol/frontend.ts";
import { Dialogue, type DialogueHandler } from "./dialogue.ts";
import type { Patience } from "./patience.ts";
import type { Session } from "./session.ts";

/** What is gathered before it is handed on: the server sends each row in a message of its own. */
const CHUNK_LENGTH = 65_536;

/** Takes the data of a COPY. */
export interface CopyOutHandler {
  /** A piece of data, cut anywhere, which the handler owns. A promise holds the server back. */
  data(bytes: Uint8Array): Promise<void> | void;
  /** That was all. */
  done(): void;
  failed(error: Error): void;
}

/** One COPY out of the server. */
export class CopyOutTransfer implements DialogueHandler {
  readonly #text: string;
  readonly #handler: CopyOutHandler;
  #dialogue: Dialogue | undefined;
  #chunk: Uint8Array = new Uint8Array(0);
  #length = 0;
  #copying = false;
  #error: Error | undefined;

  constructor(text: string, handler: CopyOutHandler) {
    this.#text = text;
    this.#handler = handler;
  }

  start(session: Session, patience: Patience): void {
    session.submit(new Dialogue(this), patience);
  }

  begin(dialogue: Dialogue): void {
    this.#dialogue = dialogue;
    dialogue.query(this.#text);
  }

  message(type: number, { bytes, start, end }: FrameReader): Promise<void> | void {
    switch (type) {
      case Backend.CopyData:
        return this.#gather(bytes, start, end);
      case Backend.CopyOutResponse:
        decodeCopyResponse(bytes, start, end);
        if (this.#copying) this.#error ??= oneCopy();
        this.#copying = true;
        return;
      case Backend.CopyDone:
        return this.#handOn();
      case Backend.CopyInResponse:
        this.#error ??= notCopyOut();
        this.#dialogue?.writeCopy((writer) => copyFail(writer, "No source stream defined"));
        return;
      case Backend.RowDescription:
        this.#error ??= notCopyOut();
    }
  }

  error(error: DatabaseError): void {
    this.#error ??= error;
  }

  ready(): void {
    const error = this.#error ?? (this.#copying ? undefined : notCopyOut());
    if (error === undefined) this.#handler.done();
    else this.#handler.failed(error);
  }

  over(): void {
    this.#dialogue = undefined;
  }

  failed(error: Error): void {
    this.#handler.failed(this.#error ?? error);
  }

  #gather(bytes: Uint8Array, start: number, end: number): Promise<void> | void {
    if (this.#error !== undefined) return;
    const length = end - start;
    let held: Promise<void> | void = undefined;
    if (this.#length + length > this.#chunk.length) {
      held = this.#handOn();
      this.#chunk = new Uint8Array(Math.max(CHUNK_LENGTH, length));
    }
    this.#chunk.set(length === bytes.length ? bytes : bytes.subarray(start, end), this.#length);
    this.#length += length;
    return held;
  }

  #handOn(): Promise<void> | void {
    if (this.#length === 0 || this.#error !== undefined) return;
    const data = this.#chunk.subarray(0, this.#length);
    // What follows goes behind it, where there is room.
    this.#chunk = this.#chunk.subarray(this.#length);
    this.#length = 0;
    return this.#handler.data(data);
  }
}

function notCopyOut(): ClientError {
  return new ClientError("COPY_DIRECTION", "the command is no COPY ... TO STDOUT: the server sent no data", {
    phase: "query",
  });
}

function oneCopy(): ClientError {
  return new ClientError("COPY_DIRECTION", "the command has more than one COPY", { phase: "query" });
}
