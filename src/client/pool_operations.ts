/**
 * What our pool does beyond node-postgres's: streams, cursors, COPY and transactions, each on a client of its own that
 * goes back by itself.
 *
 * @module
 */

import { EventEmitter } from "events";
import { hostOf, portalConfig, type RequestHost } from "./client_operations.ts";
import type { ConnectOptions } from "./client.ts";
import { copyAll, type CopyFromOptions, CopyIn, type CopySource, CopyWriter, isCopySource } from "./copy_in.ts";
import { CopyOut, type CopyToOptions } from "./copy_out.ts";
import { Cursor } from "./cursor.ts";
import type { PoolClient } from "./pool_client.ts";
import { PortalReader } from "./portal_reader.ts";
import type { QueryArrayConfig, QueryConfig } from "./query_config.ts";
import type { Queryable } from "./queryable.ts";
import type { Request } from "./request.ts";
import type { QueryResultRow, Result } from "./result.ts";
import { type PortalOptions, RowStream, type StreamOptions } from "./row_stream.ts";
import type { TransactionWork } from "./transaction.ts";
import type { TransactionOptions } from "./transaction_options.ts";

/** The base of the pool. */
export abstract class PoolOperations extends EventEmitter implements Queryable {
  /** Takes a client out, to be given back by its `release`. */
  abstract connect(options?: ConnectOptions): Promise<PoolClient>;
  /** As {@linkcode Queryable.query}, on any client. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  abstract query<Row extends any[]>(config: QueryArrayConfig, values?: readonly unknown[]): Promise<Result<Row>>;
  /** Rows are objects by the names of their columns. */
  abstract query<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<Result<Row>>;

  /** As {@linkcode Queryable.stream}; the client goes back once the stream has ended or was closed. */
  stream<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options: StreamOptions = {},
  ): RowStream<Row> {
    return new RowStream(this.#portal(config, values, options), options);
  }

  /** As {@linkcode Queryable.cursor}; the client goes back once the cursor was read to its end or closed. */
  cursor<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options: PortalOptions = {},
  ): Cursor<Row> {
    return new Cursor(this.#portal(config, values, options));
  }

  /** As {@linkcode Queryable.copyFrom}. */
  copyFrom(text: string, options?: CopyFromOptions): CopyIn;
  copyFrom(text: string, source: CopySource, options?: CopyFromOptions): Promise<number>;
  copyFrom(
    text: string,
    sourceOrOptions?: CopySource | CopyFromOptions,
    options?: CopyFromOptions,
  ): CopyIn | Promise<number> {
    if (!isCopySource(sourceOrOptions)) return new CopyIn(this.#copyWriter(text, sourceOrOptions));
    return copyAll(this.#copyWriter(text, options), sourceOrOptions);
  }

  /** As {@linkcode Queryable.copyTo}. */
  copyTo(text: string, options?: CopyToOptions): CopyOut {
    const copy: CopyOut = new CopyOut(text, (request) => void this.#lend(request, () => copy.ended), options);
    return copy;
  }

  /** As {@linkcode Queryable.transaction}, on a client of its own. */
  async transaction<T>(work: TransactionWork<T>, options: TransactionOptions = {}): Promise<T> {
    const client = await this.connect({ signal: options.signal });
    try {
      return await client.transaction(work, options);
    } finally {
      // A transaction that could not be ended would go on with whoever gets the client next.
      client.release(client.getTransactionStatus() !== "I");
    }
  }

  #portal(
    config: string | QueryConfig,
    values: readonly unknown[] | undefined,
    options: PortalOptions,
  ): PortalReader {
    let host: RequestHost | undefined;
    const reader: PortalReader = new PortalReader({
      config: portalConfig(config, values, options),
      inTransaction: false,
      host: () => {
        if (host === undefined) throw new TypeError("a portal has no client before its start");
        return host;
      },
      run: (request) => void this.#lend(request, () => reader.ended, (lent) => host = lent),
    });
    return reader;
  }

  #copyWriter(text: string, options: CopyFromOptions | undefined): CopyWriter {
    const writer = new CopyWriter(text, options);
    this.#lend(writer, () => writer.ended);
    return writer;
  }

  /** Takes a client for a request, and gives it back when the request has ended. Never rejects: the request is told. */
  async #lend(
    request: Request,
    ended: () => Promise<unknown>,
    lent: (host: RequestHost) => void = () => {},
  ): Promise<void> {
    let client: PoolClient;
    try {
      client = await this.connect({ signal: request.signal });
    } catch (error) {
      return request.failed(error instanceof Error ? error : new Error(String(error)));
    }
    try {
      const host = hostOf(client);
      lent(host);
      host.run(request);
      await ended().catch(() => {});
    } catch (error) {
      request.failed(error instanceof Error ? error : new Error(String(error)));
    } finally {
      client.release();
    }
  }
}
