import type { FieldDescription } from "../protocol/row_description.ts";

/** A row keyed by column name. */
// deno-lint-ignore no-explicit-any -- as in @types/pg: what a column holds is known to the caller alone
export type QueryResultRow = Record<string, any>;

const TAG = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/;

/** The result of one statement, under node-postgres's names. */
export class Result<Row = QueryResultRow> {
  /** The first word of the command tag, such as `SELECT`; null for an empty query. */
  command: string | null = null;
  /** Rows returned or affected; null where the command counts none. */
  rowCount: number | null = null;
  /** The OID of an inserted row, which PostgreSQL 12 and newer always report as 0. */
  oid: number | null = null;
  rows: Row[] = [];
  /** The columns of the rows. */
  fields: FieldDescription[] = [];
  /** Whether rows are arrays of values. */
  readonly rowAsArray: boolean;

  constructor(rowAsArray = false) {
    this.rowAsArray = rowAsArray;
  }

  /** Takes the command, the OID and the count from a tag such as `INSERT 0 1`. */
  setTag(tag: string): void {
    const match = TAG.exec(tag);
    if (match === null) return;
    const [, command, first, second] = match;
    this.command = command;
    if (second !== undefined) {
      this.oid = Number(first);
      this.rowCount = Number(second);
    } else if (first !== undefined) this.rowCount = Number(first);
  }
}
