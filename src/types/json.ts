/**
 * `json` and `jsonb`.
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";
import { malformedValue } from "./codec.ts";

/** Text of `json` and `jsonb`, and binary of `json`. */
export function decodeJson(bytes: Uint8Array, start: number, end: number): unknown {
  try {
    return JSON.parse(decodeUtf8(bytes, start, end));
  } catch (cause) {
    throw malformedValue("json", "it cannot be parsed", cause);
  }
}
