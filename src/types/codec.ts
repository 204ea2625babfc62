/**
 * What a codec is: the shapes that every family of types, the registry and the session share.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";

/** How a value is represented on the wire, as RowDescription and Bind number it: 0 text, 1 binary. */
export type Format = 0 | 1;

/** A format as node-postgres's users write it. */
export type FormatName = "text" | "binary";

/**
 * Decodes one non-NULL value, `bytes[start, end)` of a larger buffer, in place. The buffer is reused afterwards: a
 * decoder copies what it keeps.
 *
 * @throws {ProtocolError} `VALUE_MALFORMED`
 */
export type ByteDecoder = (bytes: Uint8Array, start: number, end: number) => unknown;

/** Parses the text of one non-NULL value; what users of node-postgres register. */
export type TextParser<T = unknown> = (value: string) => T;

/**
 * Parses the binary form of one non-NULL value, which it may keep: a Buffer where the runtime has one, and so a parser may
 * be typed to take it, as node-postgres's are. That is what the type of a method allows, and not that of a function.
 */
export type BinaryParser<T = unknown> = { parse(value: Uint8Array): T }["parse"];

/**
 * Anything that knows how values are parsed: our {@linkcode TypeRegistry}, npm's `pg-types`, or the `types` object that
 * users of node-postgres give a client or a query. A parser for `text` is given a string, one for `binary` the bytes.
 */
export interface TypeParserSource {
  /** The parser of a type's values in a format, `text` where none is said. */
  getTypeParser(oid: number, format?: FormatName): (value: never) => unknown;
}

/** The error for a value that is not what its type promises. Never quotes the value, which may be confidential. */
export function malformedValue(type: string, what: string, cause?: unknown): ProtocolError {
  const options = cause === undefined ? {} : { cause };
  return new ProtocolError("VALUE_MALFORMED", `the server sent a malformed ${type} value: ${what}`, options);
}
