/**
 * What the function of a transaction works with.
 *
 * @module
 */

import { ClientError } from "../../errors.ts";
import { type CopyFromOptions, type CopyIn, type CopySource, isCopySource } from "../copy/copy_in.ts";
import type { CopyOut, CopyToOptions } from "../copy/copy_out.ts";
import type { Cursor } from "../rows/cursor.ts";
import {
  type QueryArrayConfig,
  type QueryConfig,
  queryConfig,
  type QueryConfigValues,
  withFields,
} from "../query/config.ts";
import type { Queryable } from "../queryable.ts";
import type { QueryResultRow, Result } from "../query/result.ts";
import type { PortalOptions, RowStream, StreamOptions } from "../rows/row_stream.ts";
import type { TransactionHost, TransactionWork } from "./transaction.ts";
import type { TransactionOptions } from "./options.ts";

/** Ends what must not outlive a transaction. */
type GiveUp = () => Promise<void>;

/** What a transaction is made of besides its client. */
export interface TransactionInput {
  /** 0 for the outermost. */
  readonly depth: number;
  readonly signal: AbortSignal | undefined;
  /** Runs a nested one. */
  readonly runNested: <T>(
    host: TransactionHost,
    depth: number,
    work: TransactionWork<T>,
    options: TransactionOptions,
    outer: Transaction,
  ) => Promise<T>;
}

/**
 * An open transaction: queries by its methods belong to it, and are refused once it is over. Whatever a client can do,
 * it can, without leaving the client to others in between.
 */
export class Transaction implements Queryable {
  readonly #host: TransactionHost;
  readonly #input: TransactionInput;
  readonly #held = new Set<GiveUp>();
  #lastNested: Promise<unknown> = Promise.resolve();
  #over = false;
  #copyGivenUp = false;

  /** Made by `transaction` of a client or pool. */
  constructor(host: TransactionHost, input: TransactionInput) {
    this.#host = host;
    this.#input = input;
  }

  /**
   * Whether a COPY was still open at the end. Whether the server hears of that before it is done with the COPY is chance,
   * and the outcome must not depend on it.
   *
   * @internal
   */
  get copyGivenUp(): boolean {
    return this.#copyGivenUp;
  }

  /** Whether it was committed or rolled back, or is about to be. */
  get over(): boolean {
    return this.#over;
  }

  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends any[] = any[], Values = readonly any[]>(
    config: QueryArrayConfig<Values>,
    values?: QueryConfigValues<Values>,
  ): Promise<Result<Row>>;
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends QueryResultRow = any, Values = readonly any[]>(
    config: string | QueryConfig<Values>,
    values?: QueryConfigValues<Values>,
  ): Promise<Result<Row>>;
  async query(config: string | QueryConfig, values?: readonly unknown[]): Promise<Result> {
    this.assertOpen();
    const normalised = queryConfig(config, values);
    const signal = this.#signal(normalised.signal);
    return await this.#host.query(signal === normalised.signal ? normalised : withFields(normalised, { signal }));
  }

  /** As {@linkcode Queryable.stream}; other queries of the transaction may run between its rows. */
  stream<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options: StreamOptions = {},
  ): RowStream<Row> {
    this.assertOpen();
    const stream = this.#host.stream<Row>(config, values, this.#portalOptions(options));
    this.hold(() => stream.close());
    return stream;
  }

  /** As {@linkcode Queryable.cursor}; other queries of the transaction may run between its rows. */
  cursor<Row = QueryResultRow>(
    config: string | QueryConfig,
    values?: readonly unknown[],
    options: PortalOptions = {},
  ): Cursor<Row> {
    this.assertOpen();
    const cursor = this.#host.cursor<Row>(config, values, this.#portalOptions(options));
    this.hold(() => cursor.close());
    return cursor;
  }

  copyFrom(text: string, options?: CopyFromOptions): CopyIn;
  copyFrom(text: string, source: CopySource, options?: CopyFromOptions): Promise<number>;
  copyFrom(
    text: string,
    sourceOrOptions?: CopySource | CopyFromOptions,
    options?: CopyFromOptions,
  ): CopyIn | Promise<number> {
    this.assertOpen();
    if (isCopySource(sourceOrOptions)) {
      return this.#host.copyFrom(text, sourceOrOptions, this.#withSignal(options));
    }
    const copy = this.#host.copyFrom(text, this.#withSignal(sourceOrOptions));
    this.#holdCopy(copy, copy.rowCount);
    return copy;
  }

  copyTo(text: string, options?: CopyToOptions): CopyOut {
    this.assertOpen();
    const copy = this.#host.copyTo(text, this.#withSignal(options));
    this.#holdCopy(copy, copy.ended);
    return copy;
  }

  /**
   * Runs a transaction within this one, as a savepoint: what it rejects with is undone to where it began, and this one
   * may go on. Nested ones that are started side by side run one after the other.
   *
   * @throws {ConfigError} `TRANSACTION_OPTIONS` for any option but `signal`
   */
  async transaction<T>(work: TransactionWork<T>, options: TransactionOptions = {}): Promise<T> {
    this.assertOpen();
    const run = async () => {
      this.assertOpen();
      const { depth, runNested } = this.#input;
      return await runNested(this.#host, depth + 1, work, { ...options, signal: this.#signal(options.signal) }, this);
    };
    const nested = this.#lastNested.then(run, run);
    this.#lastNested = nested.catch(() => {});
    return await nested;
  }

  /**
   * Passes while the transaction is open.
   *
   * @throws {ClientError} `TRANSACTION_OVER`
   */
  assertOpen(): void {
    if (!this.#over) return;
    throw new ClientError(
      "TRANSACTION_OVER",
      "the transaction is over: await all of its work before its function resolves",
      { phase: "query", safeToRetry: true },
    );
  }

  /**
   * Has something ended with this transaction at the latest. Returns the way to forget it.
   *
   * @internal
   */
  hold(giveUp: GiveUp): () => void {
    this.#held.add(giveUp);
    return () => this.#held.delete(giveUp);
  }

  /** Refuses all further work, and closes what is still open. Never rejects. */
  async finish(): Promise<void> {
    this.#over = true;
    // All at once: the end of one may wait for that of another which has the connection to itself.
    await Promise.all(Array.from(this.#held, (giveUp) => giveUp().catch(() => {})));
    this.#held.clear();
  }

  #holdCopy(copy: CopyIn | CopyOut, ended: Promise<unknown>): void {
    const letGo = this.hold(() => {
      this.#copyGivenUp = true;
      return copy.giveUp();
    });
    ended.then(letGo, letGo);
  }

  #portalOptions<Options extends PortalOptions>(options: Options): Options {
    return { ...this.#withSignal(options), inTransaction: true };
  }

  #withSignal<Options extends { readonly signal?: AbortSignal | undefined }>(options: Options | undefined): Options {
    return { ...options, signal: this.#signal(options?.signal) } as Options;
  }

  /** Aborts with the transaction, and with a signal of one's own. */
  #signal(own: AbortSignal | undefined): AbortSignal | undefined {
    const { signal } = this.#input;
    if (own === undefined || signal === undefined) return own ?? signal;
    return AbortSignal.any([own, signal]);
  }
}
