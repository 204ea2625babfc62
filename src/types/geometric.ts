/**
 * `point` and `circle`. The other geometric types stay strings, as in node-postgres.
 *
 * @module
 */

import { decodeFloat } from "./numbers.ts";

/** What a `point` is decoded to. */
export interface Point {
  x: number;
  y: number;
}

/** What a `circle` is decoded to. */
export interface Circle extends Point {
  radius: number;
}

const OPEN = 0x28;
const CLOSE = 0x29;
const COMMA = 0x2c;
const LESS = 0x3c;

/** Text of `point`, `(x,y)`; null for any other form. */
export function decodePoint(bytes: Uint8Array, start: number, end: number): Point | null {
  if (bytes[start] !== OPEN || end - start < 2) return null;
  const comma = find(COMMA, bytes, start, end);
  return { x: decodeFloat(bytes, start + 1, comma), y: decodeFloat(bytes, comma + 1, end - 1) };
}

/** Text of `circle`, `<(x,y),radius>`; null for any other form. */
export function decodeCircle(bytes: Uint8Array, start: number, end: number): Circle | null {
  if (end - start < 2 || bytes[start] !== LESS || bytes[start + 1] !== OPEN) return null;
  const comma = find(COMMA, bytes, start, end);
  const close = find(CLOSE, bytes, comma, end);
  return {
    x: decodeFloat(bytes, start + 2, comma),
    y: decodeFloat(bytes, comma + 1, close),
    radius: decodeFloat(bytes, close + 2, end - 1),
  };
}

/** Where the byte is next, or `end`. */
function find(byte: number, bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}
