/**
 * Turns DataRow messages into rows, decoding every value in place.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { FieldDescription } from "../protocol/row_description.ts";
import type { ByteDecoder } from "../types/codec.ts";

/** A row keyed by column name, or its values in order. */
export type RowMode = "object" | "array";

type RowObject = Record<string, unknown>;

/** Decodes the rows of one result. */
export class RowDecoder {
  readonly #decoders: readonly ByteDecoder[];
  readonly #names: readonly string[];
  readonly #asArray: boolean;
  /** A row of nulls; copying it gives every row the same shape from its beginning. */
  readonly #template: RowObject;
  readonly #awkwardNames: boolean;

  constructor(fields: readonly FieldDescription[], decoders: readonly ByteDecoder[], mode: RowMode) {
    this.#decoders = decoders;
    this.#names = fields.map((field) => field.name);
    this.#asArray = mode === "array";
    this.#awkwardNames = this.#names.includes("__proto__");
    const template: RowObject = {};
    if (!this.#awkwardNames) { for (const name of this.#names) template[name] = null; }
    this.#template = template;
  }

  /**
   * Decodes the DataRow whose payload is `bytes[start, end)`.
   *
   * @throws {ProtocolError} `PROTOCOL_MALFORMED`; and whatever a user's type parser throws
   */
  decode(bytes: Uint8Array, start: number, end: number): RowObject | unknown[] {
    const decoders = this.#decoders;
    const count = decoders.length;
    if (end - start < 2 || ((bytes[start] << 8) | bytes[start + 1]) !== count) throw malformed();
    if (this.#asArray) return this.#decodeArray(bytes, start + 2, end);
    if (this.#awkwardNames) return this.#decodeAwkward(bytes, start + 2, end);
    const names = this.#names;
    const row = { ...this.#template };
    let at = start + 2;
    for (let index = 0; index < count; index++) {
      if (at + 4 > end) throw malformed();
      const length = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
      at += 4;
      if (length < 0) {
        if (length !== -1) throw malformed();
        row[names[index]] = null;
      } else {
        const next = at + length;
        if (next > end) throw malformed();
        row[names[index]] = decoders[index](bytes, at, next);
        at = next;
      }
    }
    if (at !== end) throw malformed();
    return row;
  }

  #decodeArray(bytes: Uint8Array, first: number, end: number): unknown[] {
    const decoders = this.#decoders;
    const count = decoders.length;
    const row = new Array<unknown>(count);
    let at = first;
    for (let index = 0; index < count; index++) {
      if (at + 4 > end) throw malformed();
      const length = (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
      at += 4;
      if (length < 0) {
        if (length !== -1) throw malformed();
        row[index] = null;
      } else {
        const next = at + length;
        if (next > end) throw malformed();
        row[index] = decoders[index](bytes, at, next);
        at = next;
      }
    }
    if (at !== end) throw malformed();
    return row;
  }

  /** A column named `__proto__` must become a property like any other. */
  #decodeAwkward(bytes: Uint8Array, first: number, end: number): RowObject {
    const values = this.#decodeArray(bytes, first, end);
    const row: RowObject = {};
    this.#names.forEach((name, index) => {
      Object.defineProperty(row, name, { value: values[index], writable: true, enumerable: true, configurable: true });
    });
    return row;
  }
}

function malformed(): ProtocolError {
  return new ProtocolError("PROTOCOL_MALFORMED", "the server sent a DataRow that does not fit its RowDescription");
}
