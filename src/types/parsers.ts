/**
 * The bridge between the two ways to read a value: our decoders, over bytes in place, and the parsers of node-postgres's
 * users, over a string (or, for the binary format, over bytes of their own).
 *
 * @module
 */

import { encodeUtf8, encodeUtf8Into } from "../utf8.ts";
import { copyByteArray } from "./byte_array.ts";
import type { BinaryParser, ByteDecoder, Format, TextParser } from "./codec.ts";
import { decodeText } from "./text.ts";

/** What a decoder looks like to a user: takes the text of a value, or its bytes. */
export type Parser = (value: string | Uint8Array) => unknown;

/** Each decoder's parser, and each of those parsers' decoder: made once, so that a parser keeps its identity. */
const parsers = new WeakMap<ByteDecoder, Parser>();
const decoders = new WeakMap<(value: never) => unknown, ByteDecoder>([[String, decodeText]]);

/** The parser that does what the decoder does; null, which the server never sends it, stays null. */
export function parserOf(decoder: ByteDecoder): Parser {
  const known = parsers.get(decoder);
  if (known !== undefined) return known;
  const parser = decoder === decodeText ? parseString : (value: string | Uint8Array | null) => {
    if (value === null) return null;
    if (typeof value === "string") return decodeString(decoder, value);
    return decoder(value, 0, value.length);
  };
  parsers.set(decoder, parser);
  decoders.set(parser, decoder);
  return parser;
}

/**
 * Room for the bytes of a short text while it is decoded: a cache, without which a short text takes several times as long.
 * Nothing of one call is seen by another: a decoder is done with the bytes when it returns, and never waits in between; one
 * that is called meanwhile, by a parser of a user's within it, finds the room in use and takes some of its own.
 */
const scratch = new Uint8Array(192);
let scratchInUse = false;

function decodeString(decoder: ByteDecoder, text: string): unknown {
  // A decoder may call a user's parser, and that one of ours.
  if (scratchInUse || text.length > scratch.length / 3) {
    const bytes = encodeUtf8(text);
    return decoder(bytes, 0, bytes.length);
  }
  scratchInUse = true;
  try {
    return decoder(scratch, 0, encodeUtf8Into(text, scratch, 0));
  } finally {
    scratchInUse = false;
  }
}

/** The decoder that does what a user's parser does; our own, where the parser is one that we handed out. */
export function decoderOfParser(parser: (value: never) => unknown, format: Format): ByteDecoder {
  const known = decoders.get(parser);
  if (known !== undefined) return known;
  if (format === 0) {
    const parse = parser as TextParser;
    return (bytes, start, end) => parse(decodeText(bytes, start, end));
  }
  const parse = parser as BinaryParser;
  return (bytes, start, end) => parse(copyByteArray(bytes, start, end));
}

/** What an unknown type's parser is: the text itself. */
function parseString(value: string | Uint8Array): string {
  return value instanceof Uint8Array ? decodeText(value, 0, value.length) : String(value);
}
