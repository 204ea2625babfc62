/**
 * Arrays of any type, from text literals (PostgreSQL's documentation, "Array Input and Output Syntax"). Several dimensions
 * become nested arrays; lower bounds are dropped.
 *
 * @module
 */

import { type ByteDecoder, malformedValue } from "./codec.ts";

const QUOTE = 0x22;
const COMMA = 0x2c;
const EQUALS = 0x3d;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const OPEN = 0x7b;
const CLOSE = 0x7d;

/** The server's MAXDIM. */
export const MAX_DIMENSIONS = 6;

/** A decoder for text literals whose elements `element` decodes. An empty text gives null, as in node-postgres. */
export function textArrayDecoder(element: ByteDecoder): ByteDecoder {
  return (bytes, start, end) => (start === end ? null : decodeLiteral(bytes, start, end, element));
}

function decodeLiteral(bytes: Uint8Array, start: number, end: number, element: ByteDecoder): unknown[] {
  const root: unknown[] = [];
  const open: unknown[][] = [];
  let current = root;
  let scratch: Uint8Array | undefined;
  let at = skipBounds(bytes, start, end);
  if (bytes[at] !== OPEN) throw malformedValue("array", "it does not begin with {");
  at++;
  while (at < end) {
    const byte = bytes[at];
    if (byte === COMMA) {
      at++;
    } else if (byte === OPEN) {
      if (open.length >= MAX_DIMENSIONS) throw malformedValue("array", "too many dimensions");
      const inner: unknown[] = [];
      current.push(inner);
      open.push(current);
      current = inner;
      at++;
    } else if (byte === CLOSE) {
      const outer = open.pop();
      if (outer === undefined) return root;
      current = outer;
      at++;
    } else if (byte === QUOTE) {
      const first = at + 1;
      at = first;
      while (at < end && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++;
      if (bytes[at] === BACKSLASH && at < end) {
        scratch ??= new Uint8Array(end - start);
        at = closingQuote(bytes, first, end);
        current.push(element(scratch, 0, unescape(bytes, first, at, scratch)));
      } else {
        current.push(element(bytes, first, at));
      }
      at++;
    } else {
      const first = at;
      while (at < end && bytes[at] !== COMMA && bytes[at] !== CLOSE) at++;
      current.push(isNull(bytes, first, at) ? null : element(bytes, first, at));
    }
  }
  throw malformedValue("array", "it ends before its last }");
}

/** Past `[0:2]=`, where there are bounds. */
function skipBounds(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] !== OPEN_BRACKET) return start;
  let at = start;
  while (at < end && bytes[at] !== EQUALS) at++;
  return at + 1;
}

function closingQuote(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  if (at >= end) throw malformedValue("array", "it ends within quotes");
  return at;
}

/** Copies `bytes[start, end)` without its escapes; returns the length. */
function unescape(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let length = 0;
  for (let at = start; at < end; at++) {
    if (bytes[at] === BACKSLASH) at++;
    target[length++] = bytes[at];
  }
  return length;
}

/** Whether the unquoted element is `NULL`; the server writes it in capitals. */
function isNull(bytes: Uint8Array, start: number, end: number): boolean {
  return end - start === 4 && bytes[start] === 0x4e && bytes[start + 1] === 0x55 &&
    bytes[start + 2] === 0x4c && bytes[start + 3] === 0x4c;
}
