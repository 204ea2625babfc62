/**
 * RowDescription: the columns of the rows that follow.
 *
 * @module
 */

import { PayloadReader } from "./payload_reader.ts";

/** One column, under node-postgres's field names. */
export interface FieldDescription {
  /** The column's name. */
  readonly name: string;
  /** The table's OID where the column is one of a table, else 0. */
  readonly tableID: number;
  /** The column's number in its table, else 0. */
  readonly columnID: number;
  /** The type's OID. */
  readonly dataTypeID: number;
  /** The type's size in bytes; negative for types of variable length. */
  readonly dataTypeSize: number;
  /** Type-specific, such as the length limit of a varchar; -1 where there is none. */
  readonly dataTypeModifier: number;
  /** How the values were sent. */
  readonly format: "text" | "binary";
}

const FIXED_LENGTH = 18;

/** @throws {ProtocolError} `PROTOCOL_MALFORMED` */
export function decodeRowDescription(bytes: Uint8Array, start: number, end: number): FieldDescription[] {
  const reader = new PayloadReader("RowDescription", bytes, start, end);
  const count = reader.uint16();
  if (count * (FIXED_LENGTH + 1) > reader.remaining) throw reader.malformed(`a count of ${count}`);
  const fields: FieldDescription[] = [];
  for (let index = 0; index < count; index++) fields.push(fieldDescription(reader));
  reader.finish();
  return fields;
}

function fieldDescription(reader: PayloadReader): FieldDescription {
  return {
    name: reader.cstring(),
    tableID: reader.uint32(),
    columnID: reader.int16(),
    dataTypeID: reader.uint32(),
    dataTypeSize: reader.int16(),
    dataTypeModifier: reader.int32(),
    format: resultFormat(reader),
  };
}

function resultFormat(reader: PayloadReader): "text" | "binary" {
  const format = reader.int16();
  if (format !== 0 && format !== 1) throw reader.malformed(`format ${format}`);
  return format === 0 ? "text" : "binary";
}
