import { EventEmitter } from "events";
import { inDomain } from "../../config/host.ts";
import type { TypeParserSource } from "../../types/codec.ts";
import type { QueryConfig } from "./config.ts";
import type { QueryResultRow, Result } from "./result.ts";

/** node-postgres's callback, as @types/pg has it: the error is null or undefined where all went well. */
// deno-lint-ignore no-explicit-any -- as in @types/pg
export type QueryCallback<R = any> = (error: Error, result: R) => void;

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
// deno-lint-ignore no-explicit-any -- generics as in @types/pg
export class Query<Row extends QueryResultRow = any, Values extends readonly any[] = any> extends EventEmitter {
  /** The SQL. As all of these, it may be changed until the query is given to a client. */
  text: string;
  /** The values of its parameters. */
  values: readonly unknown[] | undefined;
  /** The name of the prepared statement, where it has one. */
  name: string | undefined;
  /** As {@linkcode QueryConfig.rows}. */
  rows: number | undefined;
  /** As {@linkcode QueryConfig.types}. */
  types: TypeParserSource | undefined;
  /** As {@linkcode QueryConfig.binary}. */
  binary: boolean | undefined;
  /** As {@linkcode QueryConfig.queryMode}. */
  queryMode: QueryConfig["queryMode"];
  /** Is called back besides the events; rows are then gathered. */
  callback: QueryCallback<Result<Row>> | undefined;
  readonly #rest: Pick<QueryConfig, "rowMode" | "query_timeout" | "signal">;

  /** A query to be given to `client.query`, once. */
  constructor(
    textOrConfig: string | QueryConfig<Values>,
    valuesOrCallback?: Values | QueryCallback<Result<Row>>,
    callback?: QueryCallback<Result<Row>>,
  ) {
    super();
    const config: QueryConfig = typeof textOrConfig === "string" ? { text: textOrConfig } : textOrConfig as QueryConfig;
    const given = typeof valuesOrCallback === "function" ? undefined : valuesOrCallback;
    this.text = config.text;
    this.values = given || config.values;
    this.name = config.name;
    this.rows = config.rows;
    this.types = config.types;
    this.binary = config.binary;
    this.queryMode = config.queryMode;
    this.callback = inDomain(typeof valuesOrCallback === "function" ? valuesOrCallback : callback ?? config.callback);
    const { rowMode, query_timeout, signal } = config;
    this.#rest = { rowMode, query_timeout, signal };
  }

  /** What is asked. */
  get config(): QueryConfig {
    const { text, values, name, rows, types, binary, queryMode } = this;
    return { text, values, name, rows, types, binary, queryMode, ...this.#rest };
  }
}

/** A simple query with several statements has several results, as in node-postgres; otherwise there is the one. */
export function oneOrAll(results: Result[]): Result | Result[] {
  return results.length === 1 ? results[0] : results;
}
