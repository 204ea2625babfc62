/**
 * `uuid` in binary. Its text is the string itself.
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";
import { expectLength } from "./wire.ts";

const DASH = 0x2d;
const HEX_DIGITS = /* @__PURE__ */ (() => new TextEncoder().encode("0123456789abcdef"))();

/** Prints sixteen bytes as `01234567-89ab-cdef-0123-456789abcdef` (RFC 9562 section 4). */
export function decodeBinaryUuid(bytes: Uint8Array, start: number, end: number): string {
  expectLength("uuid", start, end, 16);
  const text = new Uint8Array(36);
  let to = 0;
  for (let at = 0; at < 16; at++) {
    if (at === 4 || at === 6 || at === 8 || at === 10) text[to++] = DASH;
    text[to++] = HEX_DIGITS[bytes[start + at] >> 4];
    text[to++] = HEX_DIGITS[bytes[start + at] & 15];
  }
  return decodeUtf8(text, 0, 36);
}
