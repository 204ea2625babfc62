/**
 * Which decoder a column gets: what the user registered for the client, else globally, else our own.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { textArrayDecoder } from "./arrays.ts";
import { builtinDecoder, builtinParser, hasBinaryDecoder } from "./builtin_decoders.ts";
import type { BinaryParser, ByteDecoder, Format, FormatName, TextParser, TypeParserSource } from "./codec.ts";
import { builtins } from "./oids.ts";
import { decodeText } from "./text.ts";
import { decoderOfParser, type Parser, parserOf } from "./parsers.ts";

/** {@linkcode TypeRegistry.setTypeParser}'s forms. */
export interface SetTypeParser {
  <T>(oid: number, parser: TextParser<T>): void;
  <T>(oid: number, format: "text" | 0, parser: TextParser<T>): void;
  <T>(oid: number, format: "binary" | 1, parser: BinaryParser<T>): void;
}

/** npm `pg-types`'s way to parse an array's literal, each element by a parser of the caller's. */
export interface ArrayParser {
  /** What parses this literal; elements stay strings where there is no parser of theirs. */
  create<T = string>(literal: string, parseElement?: TextParser<T>): { parse(): unknown };
}

/** What is registered elsewhere for a type in a format; undefined where that is the elsewhere's own default. */
export type OtherRegistrations = (oid: number, format: FormatName) => ((value: never) => unknown) | undefined;

/** What a user registered for one type in one format. */
interface Registration {
  readonly parser: (value: never) => unknown;
  readonly decoder: ByteDecoder;
}

/**
 * The parsers of types by OID, with the methods of npm `pg-types`. A registry without a parent begins with our own
 * decoders; one with a parent begins with the parent's and sees its later changes.
 *
 * The methods need no `this`, so that they may be taken apart as node-postgres's may.
 *
 * @example
 * ```ts
 * import { builtins, types, TypeRegistry } from "@pgduplex/pgduplex";
 * types.setTypeParser(builtins.INT8, BigInt); // for every client
 * const own = new TypeRegistry(types); // for the clients that are given it
 * own.setTypeParser(builtins.DATE, (text) => text);
 * ```
 */
export class TypeRegistry implements TypeParserSource {
  /** The OIDs of the base types by name. */
  readonly builtins: typeof builtins = builtins;

  readonly #parent: TypeParserSource | undefined;
  readonly #registered: Record<Format, Map<number, Registration>> = { 0: new Map(), 1: new Map() };
  #others: OtherRegistrations | undefined;

  /**
   * An empty registry.
   *
   * @param parent Where to look for what is not registered here; any object in `pg-types`'s shape.
   */
  constructor(parent?: TypeParserSource) {
    this.#parent = parent;
  }

  /**
   * Registers how values of a type are parsed from now on; in text unless a format is given. The parser is given a
   * string, or for the binary format bytes of its own (a Buffer where the runtime has one), and never null.
   *
   * @throws {ConfigError} `TYPE_PARSER_INVALID`, for what is no OID, no format or no function
   */
  readonly setTypeParser: SetTypeParser = (
    oid: number,
    formatOrParser: unknown,
    parserAfterFormat?: (value: never) => unknown,
  ): void => {
    const [format, parser] = typeof formatOrParser === "function"
      ? ["text" as const, formatOrParser as (value: never) => unknown]
      : [formatOrParser, parserAfterFormat];
    if (!Number.isInteger(oid)) throw invalid(`a type's OID must be an integer, not ${typeof oid} ${String(oid)}`);
    if (typeof parser !== "function") {
      throw invalid(`the parser for type ${oid} must be a function, not ${typeof parser}`);
    }
    if (!isFormat(format)) throw invalid(`the format for type ${oid} must be "text" or "binary"`);
    const number = formatNumber(format);
    this.#registered[number].set(oid, { parser, decoder: decoderOfParser(parser, number) });
  };

  /**
   * The parser of a type, for text unless a format is given. An unknown type's gives the string itself. In a page, our own
   * parsers for binary, and for `bytea`, `interval`, `point` and `circle`, are loaded when they are asked for or a result
   * needs them; a call before that throws a `ClientError` `PART_NOT_LOADED`.
   */
  readonly getTypeParser = (oid: number, format: FormatName | Format = "text"): Parser => {
    const number = formatNumber(format);
    const registered = this.#registration(oid, number);
    if (registered !== undefined) return registered.parser as Parser;
    if (this.#parent === undefined) return builtinParser(oid, number);
    return this.#parent.getTypeParser(oid, number === 0 ? "text" : "binary") as Parser;
  };

  /** The decoder of a type's values as they stand in a row. */
  decoder(oid: number, format: Format): ByteDecoder {
    const registered = this.#registration(oid, format);
    if (registered !== undefined) return registered.decoder;
    return this.#parent === undefined ? builtinDecoder(oid, format) : decoderOf(this.#parent, oid, format);
  }

  /**
   * Whether values of this type are better asked for in binary: where there is a binary decoder, and nobody registered
   * a text parser instead.
   */
  prefersBinary(oid: number): boolean {
    if (this.#registration(oid, 1) !== undefined) return true;
    if (this.#registration(oid, 0) !== undefined) return false;
    return this.#parent === undefined ? hasBinaryDecoder(oid) : prefersBinary(this.#parent, oid);
  }

  /** As npm `pg-types` has it: `arrayParser.create(literal, parseElement).parse()`. */
  readonly arrayParser: ArrayParser = {
    create<T = string>(literal: string, parseElement?: TextParser<T>): { parse(): unknown } {
      const element = parseElement === undefined ? decodeText : decoderOfParser(parseElement, 0);
      return { parse: () => parserOf(textArrayDecoder(element))(literal) };
    },
  };

  /**
   * Heeds what is registered elsewhere, too, where nothing is registered here: npm `pg-types`, in a program that has it.
   *
   * @internal
   */
  heed(others: OtherRegistrations): void {
    this.#others = others;
  }

  #registration(oid: number, format: Format): Registration | undefined {
    const registered = this.#registered[format].get(oid);
    if (registered !== undefined || this.#others === undefined) return registered;
    const parser = this.#others(oid, format === 0 ? "text" : "binary");
    return parser && { parser, decoder: decoderOfParser(parser, format) };
  }

  /** Whether this is a registry of this copy of the package, and not merely derived from one. */
  static is(source: TypeParserSource): source is TypeRegistry {
    return #registered in source;
  }
}

/** The registry that every client falls back to. The one piece of global state here, as in node-postgres. */
export const types: TypeRegistry = new TypeRegistry();

/**
 * The decoder of a type's values by any source of parsers. A foreign one's parsers are given a string, or for the
 * binary format bytes of their own; those that it took from us run as fast as ours.
 *
 * @throws {ConfigError} `TYPE_PARSER_INVALID`, where a foreign source gives no function
 */
export function decoderOf(source: TypeParserSource, oid: number, format: Format): ByteDecoder {
  if (TypeRegistry.is(source)) return source.decoder(oid, format);
  const parser: unknown = source.getTypeParser(oid, format === 0 ? "text" : "binary");
  if (typeof parser !== "function") {
    throw invalid(`getTypeParser(${oid}) of the given types must return a function, not ${typeof parser}`);
  }
  return decoderOfParser(parser as (value: never) => unknown, format);
}

/** Whether values of a type are better asked for in binary. Of a foreign source nobody knows, so text is safe. */
export function prefersBinary(source: TypeParserSource, oid: number): boolean {
  return TypeRegistry.is(source) && source.prefersBinary(oid);
}

function isFormat(format: unknown): format is FormatName | Format {
  return format === "text" || format === "binary" || format === 0 || format === 1;
}

function formatNumber(format: FormatName | Format): Format {
  return format === "binary" || format === 1 ? 1 : 0;
}

function invalid(message: string): ConfigError {
  return new ConfigError("TYPE_PARSER_INVALID", message);
}
