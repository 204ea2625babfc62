/**
 * Rows of COPY: what turns them into data and back.
 *
 * @module
 */

/** Cuts data into rows. */
export interface CopyRowDecoder {
  /** The rows that are complete with this piece of data, which may be cut anywhere. */
  push(bytes: Uint8Array): unknown[][];
  /** That was all: the last row, where nothing ended it. Throws where the data ends within a row. */
  end(): unknown[][];
}

/** One of COPY's formats. Made by {@linkcode copyText}, {@linkcode copyCsv} or {@linkcode copyBinary}. */
export interface CopyFormat {
  /** What stands before the first row. */
  readonly header: string | Uint8Array;
  /** What stands behind the last row. */
  readonly trailer: string | Uint8Array;
  /** A row as data, with what ends it. */
  encodeRow(row: readonly unknown[]): string | Uint8Array;
  /** A decoder for the data of one COPY. */
  decoder(): CopyRowDecoder;
}
