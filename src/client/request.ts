import type { Session } from "../session/session.ts";

/** What a client was asked to run, and whoever waits for it. */
export interface Request {
  /** How long to wait for its end, in milliseconds; 0: for ever. */
  readonly timeoutMillis: number;
  readonly signal: AbortSignal | undefined;
  /** Settles when what it is still waiting for is there; until then those behind it wait, too. Undefined: it can start. */
  readonly loading?: Promise<unknown> | undefined;
  /** Who will hear the answer. */
  readonly handler?: unknown;
  /** Hands it to a session with what is left of its time. What cannot be sent fails once this has returned. */
  start(session: Session, timeoutMillis: number): void;
  /** It has failed before it was handed to a session. */
  failed(error: Error): void;
}
