/**
 * What our client does beyond node-postgres's: streams, cursors, COPY, transactions.
 *
 * @module
 */

import type { ClientConfig } from "../config/client_config.ts";
import type { ConnectionOptions } from "../config/options.ts";
import { ClientError } from "../errors.ts";
import { ClientShape } from "./client_shape.ts";
import { copyAll, type CopyFromOptions, CopyIn, type CopySource, CopyWriter, isCopySource } from "./copy_in.ts";
import { CopyOut, type CopyToOptions } from "./copy_out.ts";
import { Cursor } from "./cursor.ts";
import { PortalReader } from "./portal_reader.ts";
import { type QueryArrayConfig, type QueryConfig, queryConfig } from "./query_config.ts";
import type { QueryDefaults } from "./query_run.ts";
import type { Queryable } from "./queryable.ts";
import type { Request } from "./request.ts";
import type { QueryResultRow, Result } from "./result.ts";
import { type PortalOptions, RowStream, type StreamOptions } from "./row_stream.ts";
import { CATALOG_QUERY, type CatalogType, registerCatalog } from "../types/catalog.ts";
import { TypeRegistry } from "../types/registry.ts";
import { Transactions, type TransactionWork } from "./transaction.ts";
import type { TransactionOptions } from "./transaction_options.ts";

/** A row that is an array. */
type CatalogRow = [...CatalogType];

/** What runs requests that were made elsewhere: a client, for its pool. */
export interface RequestHost {
  run(request: Request): void;
  readonly defaults: QueryDefaults;
  /** A name that no other portal of the client has. */
  portalName(): string;
}

let hostOf: (client: object) => RequestHost;

/** The base of the client: each method hands a request to whatever runs them. */
export abstract class ClientOperations extends ClientShape implements Queryable {
  static {
    hostOf = (client) => {
      if (#host in client) return client.#host;
      throw new ClientError(
        "POOL_CLIENT",
        "streams, cursors and COPY of a pool need clients of pgduplex, not of its `Client`",
        {
          safeToRetry: true,
        },
      );
    };
  }

  readonly #host: RequestHost;
  readonly #transactions = new Transactions(this);
  #portals = 0;

  /** @internal */
  constructor(options: ConnectionOptions, config: ClientConfig) {
    super(options, config);
    const run = (request: Request) => this.runRequest(request);
    const defaults = () => this.queryDefaults;
    this.#host = {
      run,
      get defaults() {
        return defaults();
      },
      portalName: () => `pgduplex_${++this.#portals}`,
    };
  }

  /**
   * Runs a request as soon as there is a session.
   *
   * @internal
   */
  protected abstract runRequest(request: Request): void;
  /**
   * What holds for queries that do not say otherwise.
   *
   * @internal
   */
  protected abstract get queryDefaults(): QueryDefaults;
  /**
   * The client's own parsers.
   *
   * @internal
   */
  protected abstract get typeRegistry(): TypeRegistry;

  /** As {@linkcode Queryable.query}. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  abstract query<Row extends any[]>(config: QueryArrayConfig, values?: readonly unknown[]): Promise<Result<Row>>;
  /** Rows are objects by the names of their columns. */
  abstract query<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
  ): Promise<Result<Row>>;
  /** As {@linkcode Queryable.stream}. */
  stream<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options: StreamOptions = {},
  ): RowStream<Row> {
    return new RowStream(this.#portal(config, values, options), options);
  }

  /** As {@linkcode Queryable.cursor}. */
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
    return new CopyOut(text, this.#host.run, options);
  }

  /** As {@linkcode Queryable.transaction}. A client runs one at a time; within one, use that transaction's own method. */
  transaction<T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T> {
    return this.#transactions.run(work, options);
  }

  /**
   * Looks up the types that this database has of its own, so that this client gives values of theirs as what they are:
   * composites and rows of tables as objects, ranges as {@linkcode Range}s, arrays of enums and of all of these as
   * arrays, domains as what they are made of, `hstore` as objects. Until then, and by default, they are strings as in
   * node-postgres. Call it again after types were created. For a pool's clients, call it in `onConnect`.
   *
   * @example
   * ```ts
   * await client.loadTypes();
   * const { rows } = await client.query("select int4range(1, 5) as range, array['a'::mood] as moods");
   * console.log(rows[0].range.upper, rows[0].moods); // 5 [ "a" ]
   * ```
   */
  async loadTypes(): Promise<void> {
    const types = new TypeRegistry();
    const { rows } = await this.query<CatalogRow>({ text: CATALOG_QUERY, rowMode: "array", types });
    registerCatalog(this.typeRegistry, rows);
  }

  #portal(
    config: string | QueryConfig,
    values: readonly unknown[] | undefined,
    options: PortalOptions,
  ): PortalReader {
    return new PortalReader({
      config: portalConfig(config, values, options),
      inTransaction: options.inTransaction,
      host: () => this.#host,
      run: this.#host.run,
    });
  }

  #copyWriter(text: string, options: CopyFromOptions | undefined): CopyWriter {
    const writer = new CopyWriter(text, options);
    this.runRequest(writer);
    return writer;
  }
}

/** What runs requests on a client. */
export { hostOf };

/** The query that a stream or cursor reads. */
export function portalConfig(
  config: string | QueryConfig,
  values: readonly unknown[] | undefined,
  { signal }: PortalOptions,
): QueryConfig {
  const given = queryConfig(config, values);
  return signal === undefined ? given : { ...given, signal };
}
