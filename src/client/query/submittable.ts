/**
 * Objects that run themselves: npm `pg-cursor`, `pg-query-stream`, `pg-copy-streams` and their like.
 *
 * @module
 */

import { TimeoutError } from "../../errors.ts";
import type { TypeParserSource } from "../../types/codec.ts";
import { callOut } from "../call_out.ts";
import type { Connection } from "../connection/connection.ts";

/**
 * An object that node-postgres's `client.query` takes: it submits itself to a connection, and hears the answer by its
 * `handle` methods. It has the connection to itself until it has ended.
 */
export interface Submittable {
  /**
   * Writes the first messages. An Error that it returns or throws is what `handleError` is told.
   */
  // deno-lint-ignore no-explicit-any -- each library names the connection by a type of its own
  submit(connection: any): unknown;
}

/** Whether this is an object that submits itself. */
export function isSubmittable(query: unknown): query is Submittable {
  return typeof (query as Partial<Submittable> | null | undefined)?.submit === "function";
}

/** A query's callback hears of a timeout too, whatever the submittable makes of it, and of nothing afterwards. */
export function tellFailure(submittable: Submittable, error: Error, connection: Connection): void {
  const equipped = submittable as { callback?: unknown; handleError?: (error: Error, connection: Connection) => void };
  const { callback } = equipped;
  if (typeof callback === "function" && error instanceof TimeoutError) {
    equipped.callback = () => {};
    callOut(() => callback(error));
  }
  callOut(() => equipped.handleError?.(error, connection));
}

/** Gives a submittable what node-postgres's client gives it: a callback where it has none, and the client's parsers. */
export function equip(submittable: Submittable, callback: unknown, types: TypeParserSource): void {
  const equipped = submittable as { callback?: unknown; _result?: { _types?: unknown } };
  if (callback !== undefined) equipped.callback ??= callback;
  if (typeof equipped._result === "object" && equipped._result !== null) equipped._result._types ??= types;
}
