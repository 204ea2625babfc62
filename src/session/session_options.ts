/**
 * What a session is told and what it tells.
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import type { ErrorPlace, ServerReport } from "../errors.ts";
import type { NotificationResponse } from "../protocol/backend.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import type { Session } from "./session.ts";
import type { StatementCache } from "./statement_cache.ts";

/** What a session reports of its own accord. */
export interface SessionEvents {
  /** `length` is the message's on the wire, in bytes. */
  notice?(notice: ServerReport, length: number): void;
  notification?(notification: NotificationResponse, length: number): void;
  parameterStatus?(parameter: string, value: string): void;
  /** What the server says while it authenticates us, by the name in the protocol's documentation. */
  authentication?(name: string): void;
  /** Nothing is outstanding any more. */
  drain?(): void;
  /** The session is over; `error` is undefined where it was ended on purpose. Called once. */
  end?(error: Error | undefined): void;
}

/** What the startup learnt, and what the session needs to know of its connection. */
export interface SessionOptions {
  readonly duplex: Duplex;
  readonly frames: FrameReader;
  readonly writer: MessageWriter;
  readonly place: ErrorPlace;
  readonly events: SessionEvents;
  /** How long the session may stand idle before it ends itself, in milliseconds; 0: for ever. */
  readonly idleTimeoutMillis: number;
  /** Which statements are kept prepared; undefined: none but those that the program names. */
  readonly kept?: StatementCache | undefined;
  /** Asks the server, over a connection of its own, to cancel what this session is doing, if that is wanted by then. */
  readonly requestCancel: (session: Session, wanted: () => boolean) => Promise<void>;
}
