/**
 * Rows in parts: what streams and cursors read from.
 *
 * @module
 */

import type { FieldDescription } from "../../protocol/row_description.ts";

/** Some rows of a result. */
export interface Batch {
  readonly rows: unknown[];
  /** The size of the rows on the wire, in bytes. */
  readonly bytes: number;
  /** False where these were the last ones. */
  readonly more: boolean;
}

/** Where a stream or cursor reads. One read at a time. */
export interface BatchSource {
  /** The columns; undefined until the first rows have come, and where the query returns none. */
  readonly fields: readonly FieldDescription[] | undefined;
  read(maxRows: number): Promise<Batch>;
  /** Gives the rest up. Idempotent, never rejects; resolves once the connection is free of it. */
  close(): Promise<void>;
}

/** No rows, and no more of them. */
export const NOTHING: Batch = { rows: [], bytes: 0, more: false };
