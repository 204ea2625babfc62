/**
 * COPY's binary format.
 *
 * @see PostgreSQL documentation, "SQL Commands", "COPY", "Binary Format"
 * @module
 */

import { ConfigError } from "../errors.ts";
import { type BinaryTypeName, binaryTypes, encodeBinary } from "./binary_encoders.ts";
import { type ByteDecoder, malformedValue, type TypeParserSource } from "./codec.ts";
import type { CopyFormat, CopyRowDecoder } from "./copy_format.ts";
import { decoderOf, types as globalTypes } from "./registry.ts";
import { int16At, int32At } from "./wire.ts";

/** `PGCOPY\n\377\r\n\0`, no flags, no header extension. */
const HEADER = /* @__PURE__ */ Uint8Array.of(
  0x50,
  0x47,
  0x43,
  0x4f,
  0x50,
  0x59,
  0x0a,
  0xff,
  0x0d,
  0x0a,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
);
const SIGNATURE_LENGTH = 11;
const TRAILER = /* @__PURE__ */ Uint8Array.of(0xff, 0xff);
/** Flags from this bit on change the format: what does not know them must not read on. */
const CRITICAL_FLAGS = 0xffff_0000;

/** A column's type: by name, or by OID for reading alone. */
export type CopyColumnType = BinaryTypeName | number;

/**
 * Rows of COPY's binary format, for columns of these types in this order; they must be the columns' own types.
 *
 * @param types Whose parsers read the values. Default: the global ones.
 * @throws {ConfigError} `COPY_FORMAT` for a type that is not known
 *
 * @example
 * ```ts
 * const format = copyBinary(["int4", "text", "timestamptz"]);
 * await client.copyFrom("copy visits from stdin (format binary)", [[1, "/", new Date()]], { format });
 * ```
 */
export function copyBinary(columns: readonly CopyColumnType[], types: TypeParserSource = globalTypes): CopyFormat {
  const oids = columns.map(oidOf);
  return {
    header: HEADER,
    trailer: TRAILER,
    encodeRow: (row) => encodeRow(columns, row),
    decoder: () => new BinaryRowDecoder(oids.map((oid) => decoderOf(types, oid, 1))),
  };
}

function oidOf(column: CopyColumnType): number {
  if (typeof column === "number") return column;
  if (Object.hasOwn(binaryTypes, column)) return binaryTypes[column].oid;
  throw new ConfigError(
    "COPY_FORMAT",
    `binary COPY cannot write the type ${JSON.stringify(column)}: use copyText, or one of ${
      Object.keys(binaryTypes).join(", ")
    }`,
  );
}

function encodeRow(columns: readonly CopyColumnType[], row: readonly unknown[]): Uint8Array {
  if (row.length !== columns.length) {
    throw new ConfigError("VALUE_UNENCODABLE", `a row of ${row.length} values for ${columns.length} columns`);
  }
  const values = Array.from(row, (value, index) => {
    if (value === null || value === undefined) return null;
    const type = columns[index];
    if (typeof type !== "number") return encodeBinary(type, value, index + 1);
    throw new ConfigError("COPY_FORMAT", `column ${index + 1} is given by OID, which is for reading: name its type`);
  });
  const bytes = new Uint8Array(values.reduce((length, value) => length + 4 + (value?.length ?? 0), 2));
  const view = new DataView(bytes.buffer);
  view.setInt16(0, values.length);
  let at = 2;
  for (const value of values) {
    view.setInt32(at, value === null ? -1 : value.length);
    at += 4;
    if (value === null) continue;
    bytes.set(value, at);
    at += value.length;
  }
  return bytes;
}

class BinaryRowDecoder implements CopyRowDecoder {
  readonly #decoders: readonly ByteDecoder[];
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #headerRead = false;
  #ended = false;

  constructor(decoders: readonly ByteDecoder[]) {
    this.#decoders = decoders;
  }

  push(bytes: Uint8Array): unknown[][] {
    this.#append(bytes);
    if (!this.#headerRead && !this.#readHeader()) return [];
    const rows: unknown[][] = [];
    for (let row = this.#readRow(); row !== undefined; row = this.#readRow()) rows.push(row);
    return rows;
  }

  end(): unknown[][] {
    if (!this.#ended) throw malformedValue("binary COPY", "it ends before its trailer");
    return [];
  }

  #append(bytes: Uint8Array): void {
    const rest = this.#bytes.subarray(this.#at);
    this.#at = 0;
    if (rest.length === 0) {
      this.#bytes = bytes;
      return;
    }
    this.#bytes = new Uint8Array(rest.length + bytes.length);
    this.#bytes.set(rest);
    this.#bytes.set(bytes, rest.length);
  }

  #readHeader(): boolean {
    const bytes = this.#bytes;
    if (bytes.length < HEADER.length) return false;
    for (let at = 0; at < SIGNATURE_LENGTH; at++) {
      if (bytes[at] !== HEADER[at]) throw malformedValue("binary COPY", "it does not begin with the signature");
    }
    if ((int32At(bytes, SIGNATURE_LENGTH) & CRITICAL_FLAGS) !== 0) throw malformedValue("binary COPY", "unknown flags");
    const extension = int32At(bytes, SIGNATURE_LENGTH + 4);
    if (extension < 0) throw malformedValue("binary COPY", "a bad header extension");
    if (bytes.length < HEADER.length + extension) return false;
    this.#at = HEADER.length + extension;
    this.#headerRead = true;
    return true;
  }

  /** Undefined where the row is not complete yet, or where there is none any more. */
  #readRow(): unknown[] | undefined {
    const bytes = this.#bytes;
    let at = this.#at;
    if (this.#ended || at + 2 > bytes.length) return undefined;
    const count = int16At(bytes, at);
    at += 2;
    if (count === -1) {
      this.#ended = true;
      return undefined;
    }
    if (count !== this.#decoders.length) {
      throw malformedValue("binary COPY", `a row of ${count} columns, not ${this.#decoders.length}`);
    }
    const ends: number[] = [];
    for (let index = 0; index < count; index++) {
      if (at + 4 > bytes.length) return undefined;
      const length = int32At(bytes, at);
      if (length < -1) throw malformedValue("binary COPY", "a bad length");
      at += 4 + Math.max(0, length);
      if (at > bytes.length) return undefined;
      ends.push(length === -1 ? -1 : at);
    }
    const row = this.#decodeRow(ends);
    this.#at = at;
    return row;
  }

  #decodeRow(ends: readonly number[]): unknown[] {
    let at = this.#at + 2;
    return ends.map((end, index) => {
      const start = at + 4;
      if (end === -1) {
        at = start;
        return null;
      }
      at = end;
      return this.#decoders[index](this.#bytes, start, end);
    });
  }
}
