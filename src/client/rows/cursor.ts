import type { FieldDescription } from "../../protocol/row_description.ts";
import type { BatchSource } from "./batches.ts";
import { assertRowCount } from "./row_stream.ts";

/** How many rows an iteration fetches. */
const ROWS_AT_ONCE = 100;

/**
 * The rows of a query, as many at a time as one asks for. The query is run at the first read. A cursor that was not read
 * to its end must be closed; until then it keeps the connection, unless a transaction is open.
 *
 * @example
 * ```ts
 * await using cursor = client.cursor("select * from orders order by id");
 * for (let rows = await cursor.read(100); rows.length > 0; rows = await cursor.read(100)) console.log(rows.length);
 * ```
 */
export class Cursor<Row> implements AsyncIterable<Row> {
  readonly #source: BatchSource;
  #last: Promise<unknown> = Promise.resolve();
  #over = false;

  /** Made by `cursor` of a client, pool or transaction. */
  constructor(source: BatchSource) {
    this.#source = source;
  }

  /** The columns; undefined until the first rows were read. */
  get fields(): readonly FieldDescription[] | undefined {
    return this.#source.fields;
  }

  /**
   * The next rows, `maxRows` at most; none once there are no more, or after {@linkcode Cursor.close}. Reads that are
   * asked for side by side are answered in their order.
   *
   * @throws {ConfigError} `CURSOR_ROWS`; {@linkcode DatabaseError} what the server refused
   */
  async read(maxRows: number): Promise<Row[]> {
    assertRowCount("CURSOR_ROWS", "the number of rows to read", maxRows);
    const read = async (): Promise<Row[]> => {
      if (this.#over) return [];
      const { rows, more } = await this.#source.read(maxRows);
      if (!more) this.#over = true;
      return rows as Row[];
    };
    const reading = this.#last.then(read, read);
    this.#last = reading.catch(() => this.#over = true);
    return await reading;
  }

  /**
   * The rows that are left, one by one, a hundred of them fetched at once. Leaving the loop closes the cursor. A stream
   * fetches more, and ahead.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Row, void, undefined> {
    try {
      for (let rows = await this.read(ROWS_AT_ONCE); rows.length > 0; rows = await this.read(ROWS_AT_ONCE)) yield* rows;
    } finally {
      await this.close();
    }
  }

  /** Gives the rest up. Idempotent; resolves once the connection is free for others. */
  async close(): Promise<void> {
    this.#over = true;
    await this.#source.close();
  }

  /** Gives the rest up when an `await using` scope ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
