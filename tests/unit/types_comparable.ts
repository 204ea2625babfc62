/**
 * What the tests of values share.
 *
 * @module
 */

import type { ByteDecoder } from "../../src/types/codec.ts";

const encoder = new TextEncoder();
// What stands around a value in a row must not matter: these would continue or end most values.
const before = encoder.encode('-7"{\\');
const after = encoder.encode('9+:0,}"');

/** Decodes a value that stands in the middle of a larger buffer, as values do. */
export function decodeInside(decode: ByteDecoder, value: Uint8Array): unknown {
  const bytes = new Uint8Array(before.length + value.length + after.length);
  bytes.set(before);
  bytes.set(value, before.length);
  bytes.set(after, before.length + value.length);
  return decode(bytes, before.length, before.length + value.length);
}

export function decodeText(decode: ByteDecoder, text: string): unknown {
  return decodeInside(decode, encoder.encode(text));
}

/** The value in a form in which equal values of two implementations are deeply equal. */
export function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Date) return { date: value.getTime() };
  if (value instanceof Uint8Array) return { bytes: Array.from(value), class: value.constructor.name };
  if (typeof value === "object" && value !== null && "toPostgres" in value) {
    const interval = value as { toPostgres(): string; toISO(): string; toISOString(): string };
    const methods = [interval.toPostgres(), interval.toISO(), interval.toISOString()];
    return { fields: Object.entries(value), methods, json: JSON.stringify(value) };
  }
  return value;
}
