/**
 * How the outcome of a query reaches those who did not ask for a promise.
 *
 * @module
 */

import { TimeoutError } from "../../errors.ts";
import { callOut } from "../call_out.ts";
import { oneOrAll, type Query, type QueryCallback } from "./query.ts";
import type { QueryObserver } from "./run.ts";
import type { QueryResultRow } from "./result.ts";

/** What a callback is told in truth: its type, which is that of @types/pg, has neither null nor undefined. */
type Report = (error: Error | null, result: unknown) => void;

/** Tells a callback. */
export function callbackObserver(given: QueryCallback): QueryObserver {
  const callback = given as Report;
  return {
    done: (results) => callOut(() => callback(null, oneOrAll(results))),
    failed: (error) => callOut(() => callback(error, undefined)),
  };
}

/**
 * Tells a Query's callback and listeners. Those may come and go while the query runs, so they are looked for at each turn.
 *
 * @param timed Whether the query may time out: as in node-postgres, its error is nobody's then if nobody listens.
 */
export function eventObserver(query: Query, timed: boolean): QueryObserver {
  const report = () => query.callback as Report | undefined;
  const emitError = (error: Error) => timed && query.listenerCount("error") === 0 || query.emit("error", error);
  return {
    query,
    done: (results) => {
      const result = oneOrAll(results);
      callOut(() => report()?.(null, result));
      callOut(() => query.emit("end", result));
    },
    failed: (error) => {
      const callback = report();
      callOut(() => callback === undefined ? emitError(error) : callback(error, undefined));
    },
    row: (row, result) => {
      const heard = query.listenerCount("row") > 0;
      if (heard) callOut(() => query.emit("row", row, result));
      if (!heard || query.callback !== undefined) result.rows.push(row as QueryResultRow);
    },
  };
}

/** As in node-postgres, what times out in a pipeline takes the connection with it. */
export function breakingOnTimeout(observer: QueryObserver, breakConnection: () => void): QueryObserver {
  const failed = (error: Error) => {
    observer.failed(error);
    const wasSent = error instanceof TimeoutError && !error.safeToRetry;
    if (wasSent) breakConnection();
  };
  return Object.assign(Object.create(observer) as QueryObserver, { failed });
}
