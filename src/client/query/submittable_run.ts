/**
 * The run of an object that submits itself: it writes its own messages, and is told the answer in node-postgres's form.
 *
 * @module
 */

import { asError, type DatabaseError } from "../../errors.ts";
import * as Backend from "../../protocol/backend_types.ts";
import type { TransactionStatus } from "../../protocol/codes.ts";
import type { FrameReader } from "../../protocol/frame_reader.ts";
import { Dialogue, type DialogueHandler } from "../../session/dialogue.ts";
import type { Patience } from "../../session/patience.ts";
import type { Session } from "../../session/session.ts";
import { copyByteArray } from "../../types/byte_array.ts";
import { callOut } from "../call_out.ts";
import type { Connection } from "../connection/connection.ts";
import { FrontendMessages } from "../connection/frontend_messages.ts";
import { type Message, MessageDecoder } from "../connection/message_decoder.ts";
import { type Submittable, tellFailure } from "./submittable.ts";

/** Runs a submittable in its turn; it has the connection to itself until it has ended. */
export function runSubmittable(
  submittable: Submittable,
  connection: Connection,
  session: Session,
  patience: Patience,
): void {
  session.submit(new Dialogue(new SubmittableRun(submittable, connection)), patience);
}

type Handle = (messageOrConnection: unknown, connection?: Connection) => void;

/** What a submittable may have; one that lacks a method does not care. */
interface Handlers extends Submittable {
  readonly handleRowDescription?: Handle;
  readonly handleDataRow?: Handle;
  readonly handlePortalSuspended?: Handle;
  readonly handleEmptyQuery?: Handle;
  readonly handleCommandComplete?: Handle;
  readonly handleCopyInResponse?: Handle;
  readonly handleCopyData?: Handle;
  readonly handleReadyForQuery?: Handle;
  readonly handleError?: Handle;
  readonly name?: unknown;
  readonly text?: unknown;
  /** A stream of Node's that is over. */
  readonly closed?: unknown;
}

class SubmittableRun implements DialogueHandler {
  readonly #submittable: Handlers;
  readonly #connection: Connection;
  readonly #decoder = new MessageDecoder();
  #dialogue: Dialogue | undefined;
  /** What it failed by; it hears of nothing else afterwards. */
  #error: Error | undefined;
  /** What it was last told of. */
  #told: Error | undefined;
  #status: TransactionStatus | undefined;

  constructor(submittable: Submittable, connection: Connection) {
    this.#submittable = submittable;
    this.#connection = connection;
  }

  /** What programs see of it while it is outstanding. */
  get query(): Submittable {
    return this.#submittable;
  }

  begin(dialogue: Dialogue): void {
    const connection = this.#connection;
    this.#dialogue = dialogue;
    connection.give(new FrontendMessages(dialogue), this.#submittable);
    try {
      // A COPY stream that was given up may have left listeners behind.
      connection.stream.removeAllListeners("data").removeAllListeners("readable").on("data", this.#takeBack);
      // A stream that was closed while it waited would run its query, and nobody would ever end it.
      if (this.#submittable.closed === true) return dialogue.complete();
      const refusal: unknown = this.#submittable.submit(connection);
      if (refusal instanceof Error) throw refusal;
    } catch (error) {
      this.#detach();
      throw error;
    }
  }

  message(type: number, frames: FrameReader): Promise<void> | void {
    const { stream } = this.#connection;
    if (!stream.tapped) {
      this.#dispatch(type, frames);
      return stream.resumed;
    }
    return stream.offer(copyByteArray(frames.bytes, frames.start - HEADER_LENGTH, frames.end));
  }

  error(error: DatabaseError): void {
    if (this.#connection.stream.tapped) {
      // Whoever took the listener away expects to see the error, and to hand it back.
      this.#error = error;
      this.#connection.stream.offer(copyByteArray(ERROR_RESPONSE, 0, ERROR_RESPONSE.length));
    } else this.#fail(error);
  }

  ready(status: TransactionStatus): void {
    const first = this.#status === undefined;
    this.#status = status;
    if (first && this.#error === undefined) this.#call("handleReadyForQuery", this.#connection);
  }

  /** Only now the event: whoever waits for it, to close a cursor say, finds the connection free, or broken. */
  over(): void {
    this.#detach();
    this.#emit({ name: "readyForQuery", length: 5, status: this.#status });
  }

  #detach(): void {
    this.#connection.stream.removeListener("data", this.#takeBack).resume();
    this.#connection.take();
  }

  failed(error: Error): void {
    if (error !== this.#told) this.#fail(error);
    // What is left unread would hold the connection, and so would a pause.
    this.#connection.stream.resume().read();
  }

  #dispatch(type: number, frames: FrameReader): void {
    if (type === Backend.DataRow) return this.#dispatchRow(frames);
    const message = this.#decoder.message(type, frames);
    if (this.#error === undefined) {
      switch (type) {
        case Backend.RowDescription:
          this.#call("handleRowDescription", message);
          break;
        case Backend.CommandComplete:
          this.#call("handleCommandComplete", message, this.#connection);
          break;
        case Backend.PortalSuspended:
          this.#call("handlePortalSuspended", this.#connection);
          break;
        case Backend.EmptyQueryResponse:
          this.#call("handleEmptyQuery", this.#connection);
          break;
        case Backend.ParseComplete:
          this.#rememberStatement();
          break;
        case Backend.CopyInResponse:
          this.#call("handleCopyInResponse", this.#connection);
          break;
        case Backend.CopyData:
          this.#call("handleCopyData", message, this.#connection);
      }
    }
    this.#emit(message);
    // Nobody brings data, or he who would has failed: the server must be told, or it would wait for ever.
    if (type === Backend.CopyInResponse && (this.#error || !this.#submittable.handleCopyInResponse)) {
      this.#connection.sendCopyFail("No source stream defined");
    }
  }

  /** Most messages are rows. */
  #dispatchRow(frames: FrameReader): void {
    const message = this.#decoder.row(frames);
    if (this.#error === undefined) {
      try {
        this.#submittable.handleDataRow?.(message);
      } catch (cause) {
        this.#broken(cause);
      }
    }
    this.#emit(message);
  }

  #emit(message: Message): void {
    const connection = this.#connection;
    if (connection.listenerCount("message") > 0) callOut(() => connection.emit("message", message));
    if (connection.listenerCount(message.name) > 0) callOut(() => connection.emit(message.name, message));
  }

  /** Once; what the submittable throws of its own fails it, and not the connection. */
  #fail(error: Error): void {
    this.#error ??= error;
    this.#told = error;
    tellFailure(this.#submittable, error, this.#connection);
  }

  #call(handler: Exclude<keyof Handlers, "submit" | "name" | "text" | "closed">, ...args: Parameters<Handle>): void {
    try {
      this.#submittable[handler]?.(...args);
    } catch (cause) {
      this.#broken(cause);
    }
  }

  #broken(cause: unknown): void {
    this.#fail(asError(cause));
    this.#dialogue?.complete();
  }

  #rememberStatement(): void {
    const { name, text } = this.#submittable;
    if (typeof name === "string" && name !== "") this.#connection.parsedStatements[name] = String(text);
  }

  /** Takes back what a COPY stream read too far: it puts our listener back, and then hands it the bytes. */
  readonly #takeBack = (bytes: Uint8Array): void => {
    if (bytes[0] === Backend.ErrorResponse && this.#error !== undefined) this.#fail(this.#error);
  };
}

const HEADER_LENGTH = 5;

/** An ErrorResponse without fields: whoever takes it out only looks at its type. */
const ERROR_RESPONSE = Uint8Array.of(Backend.ErrorResponse, 0, 0, 0, 5, 0);
