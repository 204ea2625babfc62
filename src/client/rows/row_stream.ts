/**
 * The rows of a query one by one, as they are consumed.
 *
 * @module
 */

import { ConfigError } from "../../errors.ts";
import type { FieldDescription } from "../../protocol/row_description.ts";
import { loadOperations } from "../place.ts";
import type { BatchSource } from "./batches.ts";
import type { RowReader } from "./row_reader.ts";

/** How the rows of a query are read in parts. */
export interface PortalOptions {
  /**
   * Aborts: the server is asked to cancel what it does, and whoever waits for rows is told by an `AbortError`. Default:
   * the query's own signal.
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * Whether a transaction is open. In one, other queries may run between the rows; outside, the connection is the
   * reader's own until it has ended or was closed, and other queries of the client wait. Default: found out.
   */
  readonly inTransaction?: boolean | undefined;
}

/** How rows are streamed. */
export interface StreamOptions extends PortalOptions {
  /**
   * The most rows to ask for at once. Twice as many are held at most, fewer where they are large (a batch aims at
   * 1 MiB). Default 1,000.
   */
  readonly batchSize?: number | undefined;
}

const DEFAULT_BATCH_SIZE = 1_000;
/** Of whose size nothing is known yet. */
const FIRST_BATCH_SIZE = 100;

/**
 * The rows of a query as an async iterable, read as they are consumed. Leaving a `for await` early, or
 * {@linkcode RowStream.close}, gives the rest up; whoever does neither keeps the connection.
 *
 * @example
 * ```ts
 * for await (const row of client.stream("select * from measurements where day > $1", ["2026-01-01"])) {
 *   if (row.value > 100) break;
 * }
 * ```
 */
export class RowStream<Row> implements AsyncIterableIterator<Row> {
  readonly #source: BatchSource;
  readonly #batchSize: number;
  #reader: RowReader | undefined;
  #opening: Promise<RowReader | undefined> | undefined;
  #over = false;

  /** @internal */
  constructor(source: BatchSource, { batchSize = DEFAULT_BATCH_SIZE }: StreamOptions = {}) {
    assertRowCount("STREAM_BATCH_SIZE", "batchSize", batchSize);
    this.#source = source;
    this.#batchSize = batchSize;
  }

  /** The columns; undefined until the first row was read. */
  get fields(): readonly FieldDescription[] | undefined {
    return this.#source.fields;
  }

  /** The next row. */
  next(): Promise<IteratorResult<Row, undefined>> {
    return (this.#reader?.next() ?? this.#first()) as Promise<IteratorResult<Row, undefined>>;
  }

  /** Gives the rest up. */
  async return(): Promise<IteratorResult<Row, undefined>> {
    await this.close();
    return { value: undefined, done: true };
  }

  /** Gives the rest up. Idempotent; resolves once the connection is free for others. */
  async close(): Promise<void> {
    this.#over = true;
    this.#reader?.finish();
    await this.#source.close();
  }

  /** The stream itself, which can be gone through once. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Gives the rest up when an `await using` scope ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #first(): Promise<IteratorResult<unknown, undefined>> {
    const reader = this.#over ? undefined : await (this.#opening ??= this.#open());
    return await reader?.next() ?? { value: undefined, done: true };
  }

  /** Undefined where the stream was closed meanwhile. */
  async #open(): Promise<RowReader | undefined> {
    // The query takes its turn now, whatever is still to be loaded.
    const first = this.#source.read(Math.min(this.#batchSize, FIRST_BATCH_SIZE));
    first.catch(() => {}); // whoever reads is told
    const loading = loadOperations();
    loading.catch(() => {}); // as well
    // Whoever gives the query up does not wait for what would have read it.
    await Promise.race([loading, first]).catch((error) => {
      this.#over = true;
      throw error;
    });
    if (this.#over) return undefined;
    const { RowReader } = await loading;
    return this.#reader = new RowReader(this.#source, this.#batchSize, first);
  }
}

/** What Execute can be asked for: 0 would be all. */
const MAX_ROWS = 0x7fff_ffff;

/** @throws {ConfigError} `code` */
export function assertRowCount(code: string, what: string, count: number): void {
  if (Number.isInteger(count) && count >= 1 && count <= MAX_ROWS) return;
  throw new ConfigError(code, `${what} must be a whole number from 1 to ${MAX_ROWS}`, {
    phase: "query",
    safeToRetry: true,
  });
}
