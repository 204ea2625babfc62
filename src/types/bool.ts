/**
 * `bool`.
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";

const T = 0x74;
const F = 0x66;

/** Every spelling of true that pg-types knows; the server itself only ever says `t`. */
const TRUE_SPELLINGS: ReadonlySet<string> = new Set(["TRUE", "t", "true", "y", "yes", "on", "1"]);

export function decodeBool(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start === 1) {
    if (bytes[start] === T) return true;
    if (bytes[start] === F) return false;
  }
  return TRUE_SPELLINGS.has(decodeUtf8(bytes, start, end));
}
