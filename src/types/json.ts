/**
 * `json` and `jsonb`.
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";
import { malformedValue } from "./codec.ts";

/** The only version of binary `jsonb` there is: the text, after one byte. */
const JSONB_VERSION = 1;

/** Text of `json` and `jsonb`, and binary of `json`. */
export function decodeJson(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes, start, end));
  } catch (cause) {
    throw malformedValue("json", "it cannot be parsed", cause);
  }
}

export function decodeBinaryJsonb(bytes: Uint8Array, start: number, end: number): unknown {
  if (end === start || bytes[start] !== JSONB_VERSION) throw malformedValue("jsonb", "an unknown version");
  return decodeJson(bytes, start + 1, end);
}
