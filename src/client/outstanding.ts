/**
 * What was asked of a client and is not answered yet, as node-postgres shows it: tracers look at it, and put a callback of
 * their own there.
 *
 * @module
 */

import type { Session } from "../session/session.ts";
import { eventObserver } from "./query/observers.ts";
import { Query, type QueryCallback } from "./query/query.ts";
import type { Result } from "./query/result.ts";
import { QueryRun } from "./query/run.ts";
import type { Request } from "./request.ts";

/** In their order: those that a session has, and those that wait for one. */
export function outstandingQueries(session: Session | undefined, requests: readonly Request[]): object[] {
  return [...session?.handlers ?? [], ...requests.map((request) => request.handler)].flatMap(shown);
}

/** The query or the submittable behind what hears the answer. */
function shown(handler: unknown): object[] {
  if (handler instanceof QueryRun) return [queryOf(handler)];
  const { query } = (handler ?? {}) as { readonly query?: object };
  return query === undefined ? [] : [query];
}

/** What was given as a text or a config becomes a Query, whose callback is whoever has waited for it. */
function queryOf(run: QueryRun): Query {
  const { observer } = run;
  if (observer.query !== undefined) return observer.query;
  const query = new Query(run.config);
  const report = (error: Error | null, result: Result | Result[]) =>
    error === null ? observer.done(Array.isArray(result) ? result : [result]) : observer.failed(error);
  query.callback = report as QueryCallback;
  run.observer = eventObserver(query, false);
  return query;
}
