/**
 * The extension `hstore`: texts, or nothing, by texts (PostgreSQL's documentation, "hstore").
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";
import { malformedValue } from "./codec.ts";
import { int32At } from "./wire.ts";

/** What an `hstore` is decoded to. */
export type Hstore = Record<string, string | null>;

const PAIR = /"((?:[^"\\]|\\[^])*)"=>(?:"((?:[^"\\]|\\[^])*)"|NULL)(?:, |$)/gy;

/** Decodes texts such as `"a"=>"1", "b"=>NULL`, as the server writes them. */
export function decodeHstore(bytes: Uint8Array, start: number, end: number): Hstore {
  const text = decodeUtf8(bytes, start, end);
  const pairs: [string, string | null][] = [];
  let at = 0;
  for (const [pair, key, value] of text.matchAll(PAIR)) {
    pairs.push([unescape(key), value === undefined ? null : unescape(value)]);
    at += pair.length;
  }
  if (at !== text.length) throw malformedValue("hstore", "it is no list of pairs");
  return Object.fromEntries(pairs);
}

/** Decodes an int32 count, then each key and value after its int32 length, -1 for NULL. */
export function decodeBinaryHstore(bytes: Uint8Array, start: number, end: number): Hstore {
  let at = start;
  const length = (): number => {
    if (at + 4 > end) throw malformedValue("hstore", "it ends before its last pair");
    at += 4;
    return int32At(bytes, at - 4);
  };
  const text = (): string | null => {
    const size = length();
    if (size === -1) return null;
    if (size < 0 || at + size > end) throw malformedValue("hstore", "a text longer than the value");
    at += size;
    return decodeUtf8(bytes, at - size, at);
  };
  const count = length();
  if (count < 0 || count * 8 > end - start) throw malformedValue("hstore", "a bad count");
  return Object.fromEntries(Array.from({ length: count }, () => [text() ?? "", text()] as const));
}

function unescape(text: string): string {
  return text.replace(/\\([^])/g, "$1");
}
