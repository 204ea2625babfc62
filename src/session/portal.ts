/**
 * Reading the rows of a query in parts: a portal, and Execute with a limit.
 *
 * @see PostgreSQL documentation, "Message Flow", "Extended Query"
 * @module
 */

import { asError, type DatabaseError, ProtocolError } from "../errors.ts";
import type { ParameterValue } from "../protocol/frontend.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import { decodeRowDescription, type FieldDescription } from "../protocol/row_description.ts";
import * as Backend from "../protocol/backend_types.ts";
import { unexpectedMessage } from "./failures.ts";

/** What to bind to a portal. */
export interface PortalQuery {
  readonly text: string;
  readonly values: readonly ParameterValue[];
  readonly binary: boolean;
}

/** Hears what a portal brings. */
export interface PortalHandler {
  /** The columns of the rows; not called for a statement that returns none. */
  fields(fields: readonly FieldDescription[]): void;
  /** One row, `bytes[start, end)` of DataRow's payload. What it throws fails the portal alone. */
  row(bytes: Uint8Array, start: number, end: number): void;
  /** The rows that were asked for have come; `more`: there may be others. Nothing is heard any more where there are none. */
  batch(more: boolean): void;
  /** It failed: nothing is heard any more. */
  failed(error: Error): void;
}

/** An open portal. */
export interface Portal {
  /** Asks for the next rows; only once the last ones have come. */
  fetch(maxRows: number): void;
  /** Gives the portal up. Nothing is heard any more; resolves once the connection is free of it. */
  close(): Promise<void>;
}

/** What one message of a portal's answer meant. */
export type PortalProgress = "suspended" | "complete" | "copy in" | undefined;

/** Reads the messages that both kinds of portals hear. */
export class PortalAnswer {
  readonly #handler: PortalHandler;
  #error: Error | undefined;

  constructor(handler: PortalHandler) {
    this.#handler = handler;
  }

  /** Why the portal failed, where it has. */
  get error(): Error | undefined {
    return this.#error;
  }

  /** The server refused, and what follows is of no interest. */
  refuse(error: DatabaseError): void {
    this.#error ??= error;
  }

  /** @throws {ProtocolError} `PROTOCOL_UNEXPECTED_MESSAGE` */
  take(type: number, { bytes, start, end }: FrameReader, heard: boolean): PortalProgress {
    switch (type) {
      case Backend.DataRow:
        if (heard) this.#guard(() => this.#handler.row(bytes, start, end));
        return;
      case Backend.RowDescription: {
        const fields = decodeRowDescription(bytes, start, end);
        if (heard) this.#guard(() => this.#handler.fields(fields));
        return;
      }
      case Backend.PortalSuspended:
        return "suspended";
      case Backend.CommandComplete:
      case Backend.EmptyQueryResponse:
        return "complete";
      case Backend.CopyInResponse:
        return "copy in";
      case Backend.ParseComplete:
      case Backend.BindComplete:
      case Backend.CloseComplete:
      case Backend.NoData:
      case Backend.CopyOutResponse:
      case Backend.CopyData:
      case Backend.CopyDone:
        return;
    }
    throw unexpectedMessage(type);
  }

  /** What a parser of the program's own throws fails the portal; what breaks the protocol fails the session. */
  #guard(work: () => void): void {
    if (this.#error !== undefined) return;
    try {
      work();
    } catch (error) {
      if (error instanceof ProtocolError && error.code !== "VALUE_MALFORMED") throw error;
      this.#error = asError(error);
    }
  }
}
