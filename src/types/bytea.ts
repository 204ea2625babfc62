/**
 * `bytea`: in text either `\x` and hexadecimal digits or, with `bytea_output = escape`, characters with escapes
 * (PostgreSQL's documentation, "Binary Data Types").
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";
import { allocateByteArray, byteArrayFromHex, copyByteArray } from "./byte_array.ts";
import { malformedValue } from "./codec.ts";

const BACKSLASH = 0x5c;
const X = 0x78;
const ZERO = 0x30;

/** From so many bytes on, a native decoder is faster than a loop, although it needs a string first. */
const NATIVE_LENGTH = 256;

/** The value of a hexadecimal digit by its character code; 0xff where it is none. */
const HEX_VALUE = new Uint8Array(256).fill(0xff);
for (
  const [value, digits] of ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "aA", "bB", "cC", "dD", "eE", "fF"]
    .entries()
) {
  for (const digit of digits) HEX_VALUE[digit.charCodeAt(0)] = value;
}

/** Text of `bytea`, to a Buffer where the runtime has one. */
export function decodeBytea(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return end - start >= 2 && bytes[start] === BACKSLASH && bytes[start + 1] === X
    ? decodeHex(bytes, start + 2, end)
    : decodeEscapes(bytes, start, end);
}

function decodeHex(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const length = (end - start) / 2;
  const decoded = length >= NATIVE_LENGTH && byteArrayFromHex !== undefined
    ? byteArrayFromHex(decodeUtf8(bytes, start, end))
    : decodeHexDigits(bytes, start, end);
  if (decoded === undefined || decoded.length !== length) {
    throw malformedValue("bytea", "it is not pairs of hexadecimal digits");
  }
  return decoded;
}

/** Exported, so that a test can hold it to the same rule as the native decoder. Undefined for what are no digits. */
export function decodeHexDigits(bytes: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const decoded = allocateByteArray((end - start) >> 1);
  let union = 0;
  for (let at = start, to = 0; to < decoded.length; at += 2, to++) {
    const high = HEX_VALUE[bytes[at]];
    const low = HEX_VALUE[bytes[at + 1]];
    union |= high | low;
    decoded[to] = (high << 4) | low;
  }
  return union > 0xf ? undefined : decoded;
}

function decodeEscapes(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const decoded = new Uint8Array(end - start);
  let length = 0;
  for (let at = start; at < end;) {
    if (bytes[at] !== BACKSLASH) {
      decoded[length++] = bytes[at++];
    } else if (at + 1 < end && bytes[at + 1] === BACKSLASH) {
      decoded[length++] = BACKSLASH;
      at += 2;
    } else {
      decoded[length++] = octal(bytes, at + 1, end);
      at += 4;
    }
  }
  return copyByteArray(decoded, 0, length);
}

function octal(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let index = at; index < at + 3; index++) {
    const digit = index < end ? bytes[index] - ZERO : -1;
    if (digit < 0 || digit > 7) throw malformedValue("bytea", "a backslash without three octal digits");
    value = value * 8 + digit;
  }
  return value & 0xff;
}
