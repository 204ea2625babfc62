/**
 * Other JavaScript types than node-postgres's for some of PostgreSQL's, by name rather than by parsers.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { textArrayDecoder } from "./arrays.ts";
import { binaryArrayDecoder } from "./binary_arrays.ts";
import { decodeBinaryInt8 } from "./binary_decoders.ts";
import { type ByteDecoder, type Format, malformedValue, type TypeParserSource } from "./codec.ts";
import { builtins } from "./oids.ts";
import { arrays } from "./other_oids.ts";
import { parserOf } from "./parsers.ts";
import { TypeRegistry, types as globalTypes } from "./registry.ts";
import { temporalDecoders, type TemporalNamespace } from "./temporal.ts";
import { decodeText } from "./text.ts";
import { bigint64At, expectLength } from "./wire.ts";

/** What values become. What is not named stays as it is. */
export interface ValueTypes {
  /** `int8` and its arrays: `number` refuses what is not exact in one. Without it: a string. */
  readonly int8?: "string" | "bigint" | "number" | undefined;
  /** `numeric`: `number` rounds. Without it: a string. */
  readonly numeric?: "string" | "number" | undefined;
  /**
   * `date`, `time`, `timestamp`, `timestamptz` and their arrays: their text (not of binary results), or Temporal's `PlainDate`, `PlainTime`,
   * `PlainDateTime` and `Instant`, with microseconds; infinities are numbers. Without it: a Date in local time.
   */
  readonly dates?: "string" | "temporal" | undefined;
  /** Temporal, where the runtime has none of its own. */
  readonly temporal?: TemporalNamespace | undefined;
}

/** A type that can be given otherwise, and its array. */
type Target = readonly [oid: number, array: number];

/** Functions: what is made at the top of a module, bundlers cannot leave out where nobody needs it. */
const INT8 = (): Target => [builtins.INT8, arrays.INT8];
const NUMERIC = (): Target => [builtins.NUMERIC, arrays.NUMERIC];
const DATES = () => ({
  date: [builtins.DATE, arrays.DATE],
  time: [builtins.TIME, arrays.TIME],
  timestamp: [builtins.TIMESTAMP, arrays.TIMESTAMP],
  timestamptz: [builtins.TIMESTAMPTZ, arrays.TIMESTAMPTZ],
} as const satisfies Readonly<Record<string, Target>>);

/**
 * Parsers for the option `types` of a client, a pool or a query, which give some types otherwise.
 *
 * @param parent What all other types are parsed by. Default: the global `types`.
 * @throws {ConfigError} `TYPES_UNKNOWN`, `TYPES_TEMPORAL` where there is no Temporal
 *
 * @example
 * ```ts
 * const client = new Client({ types: typesWith({ int8: "bigint", dates: "temporal" }) });
 * ```
 */
export function typesWith(wanted: ValueTypes, parent: TypeParserSource = globalTypes): TypeRegistry {
  const registry = new TypeRegistry(parent);
  const { int8, numeric, dates } = wanted;
  assertChoice("int8", int8, ["string", "bigint", "number"]);
  assertChoice("numeric", numeric, ["string", "number"]);
  assertChoice("dates", dates, ["string", "temporal"]);
  if (int8 === "bigint") register(registry, INT8(), [textBigint, binaryBigint]);
  if (int8 === "number") register(registry, INT8(), [textSafeNumber, binarySafeNumber]);
  if (int8 === "string") register(registry, INT8(), [decodeText, decodeBinaryInt8]);
  if (numeric !== undefined) registerNumeric(registry, numeric);
  if (dates === "string") { for (const target of Object.values(DATES())) register(registry, target, [decodeText]); }
  if (dates === "temporal") {
    const decoders = temporalDecoders(temporalOf(wanted));
    for (const [name, target] of Object.entries(DATES())) {
      register(registry, target, decoders[name as keyof ReturnType<typeof DATES>]);
    }
  }
  return registry;
}

/** One decoder is for the text; then it is not asked for in binary. */
function register(registry: TypeRegistry, [oid, array]: Target, [text, binary]: readonly ByteDecoder[]): void {
  set(registry, oid, 0, text);
  set(registry, array, 0, textArrayDecoder(text));
  if (binary === undefined) return;
  set(registry, oid, 1, binary);
  set(registry, array, 1, binaryArrayDecoder(binary));
}

function set(registry: TypeRegistry, oid: number, format: Format, decoder: ByteDecoder): void {
  registry.setTypeParser(oid, (format === 0 ? "text" : "binary") as "text", parserOf(decoder));
}

function registerNumeric(registry: TypeRegistry, wanted: "string" | "number"): void {
  // In an array a numeric is a number, and by itself a string, unless somebody says otherwise.
  const pristine = new TypeRegistry();
  const convert = wanted === "number" ? Number : String;
  const [oid] = NUMERIC();
  const decoders = ([0, 1] as const).map((format): ByteDecoder => {
    const decode = pristine.decoder(oid, format);
    return (bytes, start, end) => convert(decode(bytes, start, end));
  });
  register(registry, NUMERIC(), decoders);
}

function textBigint(bytes: Uint8Array, start: number, end: number): bigint {
  return BigInt(decodeText(bytes, start, end));
}

function binaryBigint(bytes: Uint8Array, start: number, end: number): bigint {
  expectLength("int8", start, end, 8);
  return bigint64At(bytes, start);
}

function textSafeNumber(bytes: Uint8Array, start: number, end: number): number {
  return safe(Number(decodeText(bytes, start, end)));
}

function binarySafeNumber(bytes: Uint8Array, start: number, end: number): number {
  return safe(Number(binaryBigint(bytes, start, end)));
}

function safe(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw malformedValue("int8", "it is not exact as a number: ask for bigint");
}

function assertChoice(name: string, chosen: string | undefined, choices: readonly string[]): void {
  if (chosen === undefined || choices.includes(chosen)) return;
  throw new ConfigError(
    "TYPES_UNKNOWN",
    `${name} may be given as ${choices.join(", ")}, not as ${JSON.stringify(chosen)}`,
  );
}

function temporalOf({ temporal }: ValueTypes): TemporalNamespace {
  const found = temporal ?? (globalThis as { Temporal?: TemporalNamespace }).Temporal;
  if (found !== undefined) return found;
  throw new ConfigError("TYPES_TEMPORAL", "this runtime has no Temporal: give one of a library as the option temporal");
}
