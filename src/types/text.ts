/**
 * Types whose value is their text: `text`, `varchar`, `int8`, `numeric` and whatever has no decoder of its own.
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";

/** Up to here one call of String.fromCharCode is two to three times as fast as a native slice (Node 20, Deno 2.9). */
const SHORT = 16;

/** The text itself. Malformed UTF-8 becomes U+FFFD. */
export function decodeText(bytes: Uint8Array, start: number, end: number): string {
  const length = end - start;
  if (length > SHORT) return decodeUtf8(bytes, start, end);
  let union = 0;
  for (let at = start; at < end; at++) union |= bytes[at];
  return union > 0x7f ? decodeUtf8(bytes, start, end) : shortAscii(bytes, start, length);
}

const char = String.fromCharCode;

/** Written out, since a call with the bytes as arguments makes one flat string and nothing else. */
function shortAscii(b: Uint8Array, s: number, length: number): string {
  // deno-fmt-ignore
  switch (length) {
    case 1: return char(b[s]);
    case 2: return char(b[s], b[s+1]);
    case 3: return char(b[s], b[s+1], b[s+2]);
    case 4: return char(b[s], b[s+1], b[s+2], b[s+3]);
    case 5: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4]);
    case 6: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5]);
    case 7: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6]);
    case 8: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7]);
    case 9: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7], b[s+8]);
    case 10: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7], b[s+8], b[s+9]);
    case 11: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7], b[s+8], b[s+9], b[s+10]);
    case 12: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7], b[s+8], b[s+9], b[s+10], b[s+11]);
    case 13: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7],
                         b[s+8], b[s+9], b[s+10], b[s+11], b[s+12]);
    case 14: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7],
                         b[s+8], b[s+9], b[s+10], b[s+11], b[s+12], b[s+13]);
    case 15: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7],
                         b[s+8], b[s+9], b[s+10], b[s+11], b[s+12], b[s+13], b[s+14]);
    case 16: return char(b[s], b[s+1], b[s+2], b[s+3], b[s+4], b[s+5], b[s+6], b[s+7],
                         b[s+8], b[s+9], b[s+10], b[s+11], b[s+12], b[s+13], b[s+14], b[s+15]);
    default: return "";
  }
}
