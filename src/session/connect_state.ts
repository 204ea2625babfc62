/**
 * What one attempt to connect knows of itself: where it leads, what it is doing, and when it got there.
 *
 * @module
 */

import { DriverError, type ErrorPlace, type Phase } from "../errors.ts";
import { broken } from "./failures.ts";

/** When each part of connecting was done, in milliseconds since the connect began. */
export interface ConnectTimings {
  /** The transport was open. */
  readonly opened: number;
  /** TLS was agreed; undefined without TLS. */
  readonly secured: number | undefined;
  /** The server accepted our authentication. */
  readonly authenticated: number;
  /** The first ReadyForQuery. */
  readonly ready: number;
}

/** The progress of one attempt; errors take their place from it. */
export class ConnectState {
  readonly host: string;
  readonly port: number;
  readonly signal: AbortSignal;
  phase: Phase = "open";
  transport: string | undefined;
  readonly #startedAt: number;
  readonly timings: { opened: number; secured: number | undefined; authenticated: number; ready: number } = {
    opened: 0,
    secured: undefined,
    authenticated: 0,
    ready: 0,
  };

  /** `startedAt`: when the whole connect began, by `performance.now()`; this may not be its first attempt. */
  constructor(target: { host: string; port: number }, signal: AbortSignal, startedAt: number = performance.now()) {
    this.host = target.host;
    this.port = target.port;
    this.signal = signal;
    this.#startedAt = startedAt;
  }

  get place(): ErrorPlace {
    return { host: this.host, port: this.port, transport: this.transport, phase: this.phase };
  }

  /** Milliseconds since the connect began. */
  elapsed(): number {
    return performance.now() - this.#startedAt;
  }

  /** The error as one of ours that names this place. An abort's own reason wins over what it broke. */
  located(cause: unknown): DriverError {
    if (this.signal.aborted && this.signal.reason instanceof DriverError) {
      return this.signal.reason.addPlace(this.place);
    }
    return broken(this.place, cause);
  }
}
