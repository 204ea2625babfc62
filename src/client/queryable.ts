/**
 * What a client, a pool and an open transaction have in common, for functions that work with either.
 *
 * @module
 */

import type { CopyFromOptions, CopyIn, CopySource } from "./copy/copy_in.ts";
import type { CopyOut, CopyToOptions } from "./copy/copy_out.ts";
import type { Cursor } from "./rows/cursor.ts";
import type { QueryArrayConfig, QueryConfig, QueryConfigValues } from "./query/config.ts";
import type { QueryResultRow, Result } from "./query/result.ts";
import type { PortalOptions, RowStream, StreamOptions } from "./rows/row_stream.ts";
import type { TransactionWork } from "./transaction/transaction.ts";
import type { TransactionOptions } from "./transaction/options.ts";

/**
 * Whatever runs queries: a `Client`, a `Pool` (each query on any of its clients), or a `Transaction`.
 *
 * @example
 * ```ts
 * async function rename(db: Queryable, id: number, name: string) {
 *   await db.query("update people set name = $2 where id = $1", [id, name]);
 * }
 * ```
 */
export interface Queryable {
  /** Runs a query; as in node-postgres. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends any[] = any[], Values = readonly any[]>(
    config: QueryArrayConfig<Values>,
    values?: QueryConfigValues<Values>,
  ): Promise<Result<Row>>;
  /** Rows are objects by the names of their columns. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends QueryResultRow = any, Values = readonly any[]>(
    config: string | QueryConfig<Values>,
    values?: QueryConfigValues<Values>,
  ): Promise<Result<Row>>;

  /**
   * The rows of a query one by one, read as they are consumed: of a result of any size only a part is held.
   *
   * @throws {ConfigError} `STREAM_BATCH_SIZE`; what the server refuses is thrown by the first `next`
   */
  stream<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options?: StreamOptions,
  ): RowStream<Row>;

  /** The rows of a query, as many at a time as one asks for. */
  cursor<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options?: PortalOptions,
  ): Cursor<Row>;

  /**
   * Runs `COPY ... FROM STDIN`. Without a source, a WritableStream that takes the data; with one, all that it brings is
   * stored, and the promise resolves with the number of rows. Where anything fails, nothing is stored.
   *
   * @throws {DatabaseError} what the server refused; {@linkcode ClientError} `COPY_DIRECTION`
   */
  copyFrom(text: string, options?: CopyFromOptions): CopyIn;
  /** Stores all that the source brings; the number of rows. */
  copyFrom(text: string, source: CopySource, options?: CopyFromOptions): Promise<number>;

  /**
   * Runs `COPY ... TO STDOUT`: a ReadableStream of bytes, and by its `rows()` an async iterable of rows.
   *
   * @throws {DatabaseError} what the server refused, when it is read; {@linkcode ClientError} `COPY_DIRECTION`
   */
  copyTo(text: string, options?: CopyToOptions): CopyOut;

  /**
   * Runs a function in a transaction: committed when it resolves, rolled back when it rejects or the signal aborts.
   * Resolves with what the function does, once the server has confirmed the commit.
   *
   * @throws what the function throws; {@linkcode DatabaseError} what COMMIT was refused for; {@linkcode ClientError}
   * `TRANSACTION_ROLLED_BACK` where a query had failed and the function resolved nevertheless, `TRANSACTION_RUNNING`;
   * {@linkcode TransportError} `TRANSACTION_OUTCOME_UNKNOWN` where the answer to COMMIT did not come;
   * {@linkcode ConfigError} `TRANSACTION_OPTIONS`
   *
   * @example
   * ```ts
   * const balance = await client.transaction(async (transaction) => {
   *   await transaction.query("update accounts set balance = balance - $1 where id = $2", [10, "a"]);
   *   const { rows } = await transaction.query("select balance from accounts where id = $1", ["a"]);
   *   return rows[0].balance;
   * }, { isolation: "serializable", retries: 5 });
   * ```
   */
  transaction<T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T>;
}
