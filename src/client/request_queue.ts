/**
 * Requests that cannot be handed to a session yet, since there is none, or since one before them is still being loaded:
 * they wait in their order, with the patience that they will have there.
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
export class RequestQueue {
  readonly #place: ErrorPlace;
  readonly #goOn: () => void;
  readonly #entries = new Set<Entry>();
  #starting = false;

  /** @param goOn Called when a request that others have waited for can start, or has failed. */
  constructor(place: ErrorPlace, goOn: () => void) {
    this.#place = { ...place, phase: "query" };
    this.#goOn = goOn;
  }

  /** Whether a new request has to wait behind others. What a request asks for while it starts goes with it. */
  get holds(): boolean {
    return this.#entries.size > 0 && !this.#starting;
  }

  /** Those that wait, in their order. */
  get requests(): readonly Request[] {
    return Array.from(this.#entries, ({ request }) => request);
  }

  add(request: Request): void {
    const entry: Entry = { request, since: performance.now(), release: undefined };
    this.#entries.add(entry);
    const { timeoutMillis, signal, loading } = request;
    loading?.then(this.#goOn, (error) => {
      this.#drop(entry, error);
      this.#goOn();
    });
    if (signal?.aborted) return queueMicrotask(() => this.#giveUp(entry, { by: "signal", signal }));
    if (timeoutMillis > 0 || signal !== undefined) {
      watchPatience(entry, { timeoutMillis, signal }, (why) => this.#giveUp(entry, why));
    }
  }

  /** Hands them to a session, in their order, up to one that is still being loaded. */
  startAll(session: Session): void {
    for (const entry of this.#entries) {
      const { request, since } = entry;
      if (request.loading !== undefined) return;
      this.#take(entry);
      const { timeoutMillis } = request;
      // 0 would be no deadline at all.
      const left = timeoutMillis > 0 ? Math.max(1, Math.ceil(timeoutMillis - (performance.now() - since))) : 0;
      this.#starting = true;
      try {
        request.start(session, left);
      } finally {
        this.#starting = false;
      }
    }
  }

  /** There will be no session. The error is made only where somebody waits: most clients end with nobody waiting. */
  failAll(makeError: () => Error): void {
    if (this.#entries.size === 0) return;
    const error = makeError();
    for (const entry of this.#entries) this.#drop(entry, error);
  }

  /** False where it is gone already. */
  #take(entry: Entry): boolean {
    entry.release?.();
    return this.#entries.delete(entry);
  }

  #drop(entry: Entry, error: Error): void {
    if (this.#take(entry)) entry.request.failed(error);
  }

  #giveUp(entry: Entry, why: GivenUp): void {
    const error = why.by === "timeout"
      ? queryTimedOut(this.#place, why.timeoutMillis)
      : queryAborted(this.#place, why.signal);
    error.safeToRetry = true;
    this.#drop(entry, error);
    if (entry.request.loading !== undefined) this.#goOn();
  }
}
