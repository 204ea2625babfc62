import { EventEmitter } from "events";
import { inDomain } from "../config/host.ts";
import type { QueryConfig } from "./query_config.ts";
import type { Result } from "./result.ts";

/** node-postgres's callback. */
// deno-lint-ignore no-explicit-any -- as in @types/pg
export type QueryCallback<R = any> = (error: Error | null, result: R) => void;

/**
 * A query that reports by events, as node-postgres's: `row` (row, result) for each row, then `end` (result), or `error`.
 * With a `row` listener and no callback the rows are not gathered, so that a result of any size can be read.
 *
 * @example
 * ```ts
 * const query = client.query(new Query("select generate_series(1, 1000000) as n"));
 * query.on("row", (row) => console.log(row.n));
 * query.on("end", () => client.end());
 * ```
 */
export class Query extends EventEmitter {
  /** What is asked. */
  readonly config: QueryConfig;
  /** Is called back besides the events; rows are then gathered. */
  callback: QueryCallback | undefined;

  /** A query to be given to `client.query`, once. */
  constructor(
    textOrConfig: string | QueryConfig,
    valuesOrCallback?: readonly unknown[] | QueryCallback,
    callback?: QueryCallback,
  ) {
    super();
    const config = typeof textOrConfig === "string" ? { text: textOrConfig } : textOrConfig;
    const values = Array.isArray(valuesOrCallback) ? valuesOrCallback : undefined;
    this.config = values === undefined ? config : { ...config, values };
    this.callback = inDomain(typeof valuesOrCallback === "function" ? valuesOrCallback : callback ?? config.callback);
  }

  /** The SQL. */
  get text(): string {
    return this.config.text;
  }

  /** The values of its parameters. */
  get values(): readonly unknown[] | undefined {
    return this.config.values;
  }

  /** The name of the prepared statement, where it has one. */
  get name(): string | undefined {
    return this.config.name;
  }
}

/** A simple query with several statements has several results, as in node-postgres; otherwise there is the one. */
export function oneOrAll(results: Result[]): Result | Result[] {
  return results.length === 1 ? results[0] : results;
}
