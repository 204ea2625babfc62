/**
 * UTF-8, to and from the middle of larger buffers. The web's own TextDecoder is the rule; where the runtime has Node's
 * Buffer, its native slice saves a third of the time. This file is the adapter for that one difference.
 *
 * @module
 */

/** Decodes `bytes[start, end)`. */
type Decode = (bytes: Uint8Array, start: number, end: number) => string;
type Utf8Slice = (this: Uint8Array, start: number, end: number) => string;

const encoder = new TextEncoder();
// A byte-order mark is a character like any other in a database.
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
const utf8Slice = (globalThis as { Buffer?: { prototype: { utf8Slice?: Utf8Slice } } }).Buffer?.prototype.utf8Slice;

/** Below this many bytes a loop over ASCII beats every native call, measured on Node 20 and Deno 2.9. */
const LOOP_LENGTH = 8;

/** Decodes `bytes[start, end)`. Malformed sequences become U+FFFD. */
export function decodeUtf8(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  if (end - start <= LOOP_LENGTH) {
    let text = "";
    let at = start;
    for (; at < end; at++) {
      const byte = bytes[at];
      if (byte > 0x7f) break;
      text += String.fromCharCode(byte);
    }
    if (at === end) return text;
  }
  return decodeByBuffer === undefined ? decodeByTextDecoder(bytes, start, end) : decodeByBuffer(bytes, start, end);
}

/** The way of the web. Exported, as its twin is, so that a test can hold both to the same rule where both exist. */
export const decodeByTextDecoder: Decode = (bytes, start, end) => decoder.decode(bytes.subarray(start, end));

/** The way of Node's Buffer, where there is one. */
export const decodeByBuffer: Decode | undefined = utf8Slice &&
  ((bytes, start, end) => utf8Slice.call(bytes, start, end));

/** Encodes a whole string. Lone surrogates become U+FFFD. */
export function encodeUtf8(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** Encodes into `target` from `at` on, where there is room for three bytes for each UTF-16 unit; returns the end. */
export function encodeUtf8Into(text: string, target: Uint8Array, at: number): number {
  if (text.length <= 24) {
    let to = at;
    let index = 0;
    for (; index < text.length; index++) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) break;
      target[to++] = unit;
    }
    if (index === text.length) return to;
  }
  return at + encoder.encodeInto(text, target.subarray(at)).written;
}
