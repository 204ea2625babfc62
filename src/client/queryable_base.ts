/**
 * What our clients and pools do alike beyond node-postgres's: streams, cursors and COPY.
 *
 * @module
 */

import { EventEmitter } from "events";
import { assertCopy, type CopyFromOptions, CopyIn, type CopySource, isCopySource } from "./copy/copy_in.ts";
import { CopyOut, type CopyToOptions } from "./copy/copy_out.ts";
import type { CopyWriter } from "./copy/writer.ts";
import { Cursor } from "./rows/cursor.ts";
import { LateBatches } from "./rows/late_batches.ts";
import { Place } from "./place.ts";
import type { PortalHost } from "./rows/portal_reader.ts";
import {
  type QueryArrayConfig,
  type QueryConfig,
  queryConfig,
  type QueryConfigValues,
  withFields,
} from "./query/config.ts";
import type { Queryable } from "./queryable.ts";
import type { Request } from "./request.ts";
import type { QueryResultRow, Result } from "./query/result.ts";
import { type PortalOptions, RowStream, type StreamOptions } from "./rows/row_stream.ts";
import type { TransactionWork } from "./transaction/transaction.ts";
import type { TransactionOptions } from "./transaction/options.ts";

/** What runs requests that were made elsewhere: a client. */
export interface RequestHost extends PortalHost {
  run(request: Request): void;
}

/** Runs a request on a client; see {@linkcode QueryableBase}. */
export type Lend = (request: Request, ended: () => Promise<unknown>, lent?: (host: RequestHost) => void) => void;

/** The base of clients and pools: each method hands a request to a client. */
export abstract class QueryableBase extends EventEmitter implements Queryable {
  /**
   * Itself, also through what programs put in its place: a Proxy, or an object that inherits from it, has no private fields.
   *
   * @internal
   */
  declare protected readonly self: this;

  /** @internal */
  constructor() {
    super();
    Object.defineProperty(this, "self", { value: this });
  }

  /**
   * Runs a request on a client, which is free for others once `ended` resolves.
   *
   * @param lent Told which client it is, before the request starts
   * @internal
   */
  protected abstract lend(...args: Parameters<Lend>): void;
  /**
   * Whether portals are opened in a transaction; undefined: it depends on what the client was told to do.
   *
   * @internal
   */
  protected abstract get portalsInTransaction(): false | undefined;

  /** As {@linkcode Queryable.query}. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  abstract query<Row extends any[] = any[], Values = readonly any[]>(
    config: QueryArrayConfig<Values>,
    values?: QueryConfigValues<Values>,
  ): Promise<Result<Row>>;
  /** Rows are objects by the names of their columns. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  abstract query<Row extends QueryResultRow = any, Values = readonly any[]>(
    config: string | QueryConfig<Values>,
    values?: QueryConfigValues<Values>,
  ): Promise<Result<Row>>;
  /** As {@linkcode Queryable.transaction}. */
  abstract transaction<T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T>;

  /** As {@linkcode Queryable.stream}. */
  stream<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options: StreamOptions = {},
  ): RowStream<Row> {
    return new RowStream(this.self.#batches(config, values, options), options);
  }

  /** As {@linkcode Queryable.cursor}. */
  cursor<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options: PortalOptions = {},
  ): Cursor<Row> {
    return new Cursor(this.self.#batches(config, values, options));
  }

  /** As {@linkcode Queryable.copyFrom}. */
  copyFrom(text: string, options?: CopyFromOptions): CopyIn;
  copyFrom(text: string, source: CopySource, options?: CopyFromOptions): Promise<number>;
  copyFrom(
    text: string,
    sourceOrOptions?: CopySource | CopyFromOptions,
    options?: CopyFromOptions,
  ): CopyIn | Promise<number> {
    assertCopy(text);
    if (!isCopySource(sourceOrOptions)) {
      const { taken } = this.self.#lendWriter(text, sourceOrOptions);
      return new CopyIn(taken);
    }
    return this.self.#lendWriter(text, options).taken.then((writer) => writer.copyAll(sourceOrOptions));
  }

  /** As {@linkcode Queryable.copyTo}. */
  copyTo(text: string, options?: CopyToOptions): CopyOut {
    assertCopy(text);
    const copy: CopyOut = new CopyOut(text, (request) => this.lend(request, () => copy.ended), options);
    return copy;
  }

  #lendWriter(text: string, options: CopyFromOptions | undefined): Place<CopyWriter> {
    const place = new Place(({ CopyWriter }, session) => new CopyWriter(session, text, options), options);
    this.lend(place, () => place.taken.then(({ ended }) => ended));
    return place;
  }

  #batches(
    config: string | QueryConfig,
    values: readonly unknown[] | undefined,
    { signal, inTransaction }: PortalOptions,
  ): LateBatches {
    const given = queryConfig(config, values);
    const batches: LateBatches = new LateBatches({
      config: signal === undefined ? given : withFields(given, { signal }),
      inTransaction: this.portalsInTransaction ?? inTransaction,
    }, (request, lent) => this.lend(request, () => batches.ended, lent));
    return batches;
  }
}
