import type { FieldDescription } from "../../protocol/row_description.ts";
import type { TypeParserSource } from "../../types/codec.ts";
import { types as globalTypes } from "../../types/registry.ts";

/** A row keyed by column name. */
export interface QueryResultRow {
  /** A value, by the name of its column. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg: what a column holds is known to the caller alone
  [column: string]: any;
}

/** What every result tells, under the names of @types/pg. */
export interface QueryResultBase {
  /** The first word of the command tag, such as `SELECT`. As in node-postgres, null for an empty query. */
  command: string;
  /** Rows returned or affected; null where the command counts none. */
  rowCount: number | null;
  /** The OID of an inserted row, which PostgreSQL 12 and newer always report as 0. As in node-postgres, null elsewhere. */
  oid: number;
  /** The columns of the rows. */
  fields: FieldDef[];
}

/** A column of a result as @types/pg has it. */
export interface FieldDef extends Omit<FieldDescription, "format"> {
  /** How the values were sent: `text` or `binary`. */
  readonly format: string;
}

/** What a query resolves with. */
// deno-lint-ignore no-explicit-any -- as in @types/pg
export interface QueryResult<Row extends QueryResultRow = any> extends QueryResultBase {
  /** The rows, each an object by column names. */
  rows: Row[];
}

/** What a query whose rows are arrays resolves with. */
// deno-lint-ignore no-explicit-any -- as in @types/pg
export interface QueryArrayResult<Row extends any[] = any[]> extends QueryResultBase {
  /** The rows, each the array of its values. */
  rows: Row[];
}

/** A result while its rows come, as a {@linkcode Query}'s listeners see it. */
// deno-lint-ignore no-explicit-any -- as in @types/pg
export interface ResultBuilder<Row extends QueryResultRow = any> extends QueryResult<Row> {
  /** Adds a row. */
  addRow(row: Row): void;
}

/** What the types of @types/pg, which programs are written to, have no place for. */
const NOTHING = null as never;

/** The most frequent tag, which needs no search. */
const SELECT = "SELECT ";
const TAG = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/;

/** The result of one statement, under node-postgres's names. */
// deno-lint-ignore no-explicit-any -- as in @types/pg
export class Result<Row = any> implements QueryResultBase {
  /** The first word of the command tag, such as `SELECT`; null for an empty query, whatever the type says. */
  command: string = NOTHING;
  /** Rows returned or affected; null where the command counts none. */
  rowCount: number | null = null;
  /** The OID of an inserted row, which PostgreSQL 12 and newer always report as 0; null elsewhere, whatever the type says. */
  oid: number = NOTHING;
  /** The rows, each an object by column names, or an array (`rowMode`). */
  rows: Row[] = [];
  /** The columns of the rows. */
  fields: FieldDescription[] = [];
  /** Whether rows are arrays of values. */
  readonly rowAsArray: boolean;
  /** As in node-postgres: the parsers for {@linkcode Result.parseRow}, where they are not the global ones. */
  declare _types?: TypeParserSource | undefined;

  /**
   * An empty result, for submittables that gather their own.
   *
   * @param rowMode `array`: rows are arrays of values.
   * @param types The parsers for {@linkcode Result.parseRow}. Default: the global ones.
   */
  constructor(rowMode?: string | null, types?: TypeParserSource | null) {
    this.rowAsArray = rowMode === "array";
    if (types) this._types = types;
  }

  /** Takes the command, the OID and the count from a tag such as `INSERT 0 1`. */
  setTag(tag: string): void {
    if (tag.startsWith(SELECT)) {
      this.command = "SELECT";
      this.rowCount = Number(tag.slice(SELECT.length));
      return;
    }
    const match = TAG.exec(tag);
    if (match === null) return;
    const [, command, first, second] = match;
    this.command = command;
    if (second !== undefined) {
      this.oid = Number(first);
      this.rowCount = Number(second);
    } else if (first !== undefined) this.rowCount = Number(first);
  }

  // What submittables that gather a result of their own call, as in node-postgres.

  /** Takes the tag of a `commandComplete` message. */
  addCommandComplete({ text, command }: { readonly text?: string; readonly command?: string }): void {
    this.setTag(text ?? command ?? "");
  }

  /** Takes the columns of a `rowDescription` message. */
  addFields(fields: FieldDescription[]): void {
    this.fields = fields;
  }

  /** Parses the values of a `dataRow` message: strings, or bytes for columns in binary. */
  parseRow(values: readonly (string | Uint8Array | null)[]): Row {
    const parsed = values.map((value, index) => value === null ? null : this.#parse(value, this.fields[index]));
    if (this.rowAsArray) return parsed as Row;
    return Object.fromEntries(this.fields.map(({ name }, index) => [name, parsed[index]])) as Row;
  }

  /** Adds a row. */
  addRow(row: Row): void {
    this.rows.push(row);
  }

  #parse(value: string | Uint8Array, { dataTypeID, format }: FieldDescription): unknown {
    const parser = (this._types ?? globalTypes).getTypeParser(dataTypeID, format ?? "text");
    return (parser as (value: unknown) => unknown)(value);
  }
}
