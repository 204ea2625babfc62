/**
 * Queries given before there is a session: they wait, with the patience that they will have there.
 *
 * @module
 */

import type { ErrorPlace } from "../errors.ts";
import { queryAborted, queryTimedOut } from "../session/failures.ts";
import { type GivenUp, watchPatience } from "../session/patience.ts";
import type { Session } from "../session/session.ts";
import type { Request } from "./request.ts";

interface Entry {
  readonly request: Request;
  readonly since: number;
  release: (() => void) | undefined;
}

/** The queue of one client. */
export class EarlyQueries {
  readonly #place: ErrorPlace;
  readonly #entries = new Set<Entry>();

  constructor(place: ErrorPlace) {
    this.#place = { ...place, phase: "query" };
  }

  add(request: Request): void {
    const entry: Entry = { request, since: performance.now(), release: undefined };
    this.#entries.add(entry);
    const { timeoutMillis, signal } = request;
    if (signal?.aborted) return queueMicrotask(() => this.#giveUp(entry, { by: "signal", signal }));
    if (timeoutMillis > 0 || signal !== undefined) {
      watchPatience(entry, { timeoutMillis, signal }, (why) => this.#giveUp(entry, why));
    }
  }

  /** Hands all to a session, in their order. */
  startAll(session: Session): void {
    for (const { request, since } of this.#takeAll()) {
      const { timeoutMillis } = request;
      // 0 would be no deadline at all.
      const left = timeoutMillis > 0 ? Math.max(1, Math.ceil(timeoutMillis - (performance.now() - since))) : 0;
      request.start(session, left);
    }
  }

  /** There will be no session. */
  failAll(error: Error): void {
    for (const { request } of this.#takeAll()) request.failed(error);
  }

  #takeAll(): Entry[] {
    const taken = [...this.#entries];
    this.#entries.clear();
    for (const { release } of taken) release?.();
    return taken;
  }

  #giveUp(entry: Entry, why: GivenUp): void {
    if (!this.#entries.delete(entry)) return;
    entry.release?.();
    const error = why.by === "timeout"
      ? queryTimedOut(this.#place, why.timeoutMillis)
      : queryAborted(this.#place, why.signal);
    error.safeToRetry = true;
    entry.request.failed(error);
  }
}
