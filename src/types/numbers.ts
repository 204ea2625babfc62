/**
 * `int2`, `int4`, `oid`, `int8`, `float4` and `float8`. Whatever fits a double is a number; `int8` is a string, as in
 * node-postgres.
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";

const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;

/** More digits than this may not be exact in a double. */
const EXACT_DIGITS = 15;
/** Below this every integer is exact in a double. */
const EXACT_LIMIT = 2 ** 53;
/** The powers of ten that are exact in a double; a quotient of two exact doubles is correctly rounded. */
const EXACT_POWERS_OF_TEN: readonly number[] = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** Text of `int2`, `int4` and `oid`. */
export function decodeInt(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS;
  let at = negative ? start + 1 : start;
  if (at >= end || end - at > EXACT_DIGITS) return parseInt(decodeUtf8(bytes, start, end), 10);
  let value = 0;
  for (; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit < 0 || digit > 9) return parseInt(decodeUtf8(bytes, start, end), 10);
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** Text of `float4` and `float8`, and of each element of `numeric[]`. */
export function decodeFloat(bytes: Uint8Array, start: number, end: number): number {
  const negative = bytes[start] === MINUS;
  const first = negative ? start + 1 : start;
  if (first >= end) return NaN;
  let mantissa = 0;
  let point = -1;
  for (let at = first; at < end; at++) {
    const digit = bytes[at] - ZERO;
    if (digit >= 0 && digit <= 9) mantissa = mantissa * 10 + digit;
    else if (bytes[at] === POINT && point === -1 && at > first) point = at;
    else return parseFloat(decodeUtf8(bytes, start, end)); // an exponent, NaN, Infinity
  }
  const decimals = point === -1 ? 0 : end - point - 1;
  if (mantissa >= EXACT_LIMIT || decimals >= EXACT_POWERS_OF_TEN.length) {
    return parseFloat(decodeUtf8(bytes, start, end));
  }
  const value = decimals === 0 ? mantissa : mantissa / EXACT_POWERS_OF_TEN[decimals];
  return negative ? -value : value;
}
