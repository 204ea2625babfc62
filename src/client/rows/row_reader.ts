/**
 * How a stream of rows is read: in batches of a bounded size, one of them ahead.
 *
 * @module
 */

import type { Batch, BatchSource } from "./batches.ts";

const BATCH_BYTES = 1_048_576;

/** The rows of a source one by one. */
export class RowReader {
  readonly #source: BatchSource;
  readonly #batchSize: number;
  #rows: readonly unknown[] = [];
  #at = 0;
  #ahead: Promise<Batch>;
  #advancing: Promise<void> | undefined;
  #over = false;

  /** @param first What was asked for already. */
  constructor(source: BatchSource, batchSize: number, first: Promise<Batch>) {
    this.#source = source;
    this.#batchSize = batchSize;
    this.#ahead = first;
  }

  next(): Promise<IteratorResult<unknown, undefined>> {
    if (this.#at < this.#rows.length) return Promise.resolve({ value: this.#rows[this.#at++], done: false });
    return this.#nextOfNextBatch();
  }

  /** Nothing is read any more. */
  finish(): void {
    this.#over = true;
    this.#rows = [];
    this.#at = 0;
  }

  async #nextOfNextBatch(): Promise<IteratorResult<unknown, undefined>> {
    while (this.#at >= this.#rows.length) {
      if (this.#over) return { value: undefined, done: true };
      await (this.#advancing ??= this.#advance().finally(() => this.#advancing = undefined));
    }
    return { value: this.#rows[this.#at++], done: false };
  }

  async #advance(): Promise<void> {
    let batch: Batch;
    try {
      batch = await this.#ahead;
    } catch (error) {
      this.finish();
      throw error;
    }
    if (this.#over) return;
    this.#rows = batch.rows;
    this.#at = 0;
    if (!batch.more) {
      this.#over = true;
      return;
    }
    // While these rows are consumed, the next ones travel.
    this.#ahead = this.#source.read(this.#sizeAfter(batch));
    this.#ahead.catch(() => {});
  }

  #sizeAfter({ rows, bytes }: Batch): number {
    const fitting = Math.floor(BATCH_BYTES / Math.max(1, bytes / Math.max(1, rows.length)));
    return Math.max(1, Math.min(this.#batchSize, fitting));
  }
}
