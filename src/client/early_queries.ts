/**
 * Queries given before there is a session: they wait, with the patience that they will have there.
 *
 * @module
 */

import type { ErrorPlace } from "../errors.ts";
import { queryAborted, queryTimedOut } from "../session/failures.ts";
import { type GivenUp, watchPatience } from "../session/patience.ts";
import type { QueryConfig } from "./query_config.ts";
import type { QueryObserver } from "./query_run.ts";

/** A query that waits. */
export interface EarlyQuery {
  readonly config: QueryConfig;
  readonly observer: QueryObserver;
  /** What is left of its time, in milliseconds; 0: no deadline. */
  readonly timeoutMillis: number;
}

interface Entry extends EarlyQuery {
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

  add(query: EarlyQuery): void {
    const entry: Entry = { ...query, since: performance.now(), release: undefined };
    this.#entries.add(entry);
    const { timeoutMillis, config: { signal } } = query;
    if (signal?.aborted) return queueMicrotask(() => this.#giveUp(entry, { by: "signal", signal }));
    if (timeoutMillis > 0 || signal !== undefined) {
      watchPatience(entry, { timeoutMillis, signal }, (why) => this.#giveUp(entry, why));
    }
  }

  /** Takes all out, in their order. */
  takeAll(): EarlyQuery[] {
    const taken: EarlyQuery[] = [];
    for (const { config, observer, timeoutMillis, since, release } of this.#entries) {
      release?.();
      // 0 would be no deadline at all.
      const left = timeoutMillis > 0 ? Math.max(1, Math.ceil(timeoutMillis - (performance.now() - since))) : 0;
      taken.push({ config, observer, timeoutMillis: left });
    }
    this.#entries.clear();
    return taken;
  }

  #giveUp(entry: Entry, why: GivenUp): void {
    if (!this.#entries.delete(entry)) return;
    entry.release?.();
    const error = why.by === "timeout"
      ? queryTimedOut(this.#place, why.timeoutMillis)
      : queryAborted(this.#place, why.signal);
    error.safeToRetry = true;
    entry.observer.failed(error);
  }
}
