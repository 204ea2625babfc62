/**
 * Our own decoder for each type. All are at hand, but for a page, which loads the rare ones when it first needs them
 * (`scripts/npm/builtin_decoders.ts` takes the place of this file there).
 *
 * @module
 */

import type { ByteDecoder, Format } from "./codec.ts";
import { type Parser, parserOf } from "./parsers.ts";
import { rareDecoders } from "./rare_decoders.ts";
import { decodeText } from "./text.ts";
import { textDecoders } from "./text_decoders.ts";

/** A type's decoder. Where there is none for the binary form, the bytes are text, as of enums and extensions' strings. */
export function builtinDecoder(oid: number, format: Format): ByteDecoder {
  return (format === 0 ? textDecoders.get(oid) : undefined) ?? rareDecoders[format].get(oid) ?? decodeText;
}

/** What it is to users. */
export function builtinParser(oid: number, format: Format): Parser {
  return parserOf(builtinDecoder(oid, format));
}

/** Whether there is a decoder of a type's own for the binary form. */
export function hasBinaryDecoder(oid: number): boolean {
  return rareDecoders[1].has(oid);
}

/** What to wait for before these decoders, or any where none are named, can be used; undefined: nothing. Never rejects. */
export function decodersLoading(_decoders?: readonly ByteDecoder[]): Promise<void> | undefined {
  return undefined;
}
