/**
 * Values in the binary format, which COPY can take: the server does not convert it, so that each type is named.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { encodeUtf8 } from "../utf8.ts";
import { builtins } from "./oids.ts";
import { otherTypes } from "./other_oids.ts";

/** The types that can be written in binary, and all others under their OID for reading alone. */
export type BinaryTypeName =
  | "bool"
  | "bytea"
  | "date"
  | "float4"
  | "float8"
  | "int2"
  | "int4"
  | "int8"
  | "json"
  | "jsonb"
  | "name"
  | "oid"
  | "text"
  | "timestamp"
  | "timestamptz"
  | "uuid"
  | "varchar";

/** Encodes one non-NULL value; throws a sentence without the value where it is none of the type. */
type BinaryEncoder = (value: unknown) => Uint8Array;

/** A type's OID and how its values are written. */
export interface BinaryType {
  readonly oid: number;
  readonly encode: BinaryEncoder;
}

const JSONB_VERSION = 1;
const DAY_MILLIS = 86_400_000;
/** 2000-01-01 UTC, from which the binary formats count. */
const POSTGRES_EPOCH_MILLIS = 946_684_800_000;
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;
const INT32_MAX = 0x7fff_ffff;

/** By name. */
export const binaryTypes: Readonly<Record<BinaryTypeName, BinaryType>> = /* @__PURE__ */ (() => ({
  bool: { oid: builtins.BOOL, encode: encodeBool },
  bytea: { oid: builtins.BYTEA, encode: encodeBytes },
  date: { oid: builtins.DATE, encode: encodeDate },
  float4: { oid: builtins.FLOAT4, encode: (value) => fixed(4, (view) => view.setFloat32(0, numberOf(value))) },
  float8: { oid: builtins.FLOAT8, encode: (value) => fixed(8, (view) => view.setFloat64(0, numberOf(value))) },
  int2: { oid: builtins.INT2, encode: integer(2, -0x8000, 0x7fff) },
  int4: { oid: builtins.INT4, encode: integer(4, -0x8000_0000, INT32_MAX) },
  int8: { oid: builtins.INT8, encode: (value) => int64(bigintOf(value)) },
  json: { oid: builtins.JSON, encode: (value) => encodeUtf8(jsonOf(value)) },
  jsonb: { oid: builtins.JSONB, encode: encodeJsonb },
  name: { oid: otherTypes.NAME, encode: encodeText },
  oid: { oid: builtins.OID, encode: integer(4, 0, 0xffff_ffff) },
  text: { oid: builtins.TEXT, encode: encodeText },
  timestamp: { oid: builtins.TIMESTAMP, encode: (value) => encodeTimestamp(value, localMillis) },
  timestamptz: { oid: builtins.TIMESTAMPTZ, encode: (value) => encodeTimestamp(value, (date) => date.getTime()) },
  uuid: { oid: builtins.UUID, encode: encodeUuid },
  varchar: { oid: builtins.VARCHAR, encode: encodeText },
}))();

/**
 * Encodes one value of a row.
 *
 * @throws {ConfigError} `VALUE_UNENCODABLE`
 */
export function encodeBinary(type: BinaryTypeName, value: unknown, column: number): Uint8Array {
  try {
    return binaryTypes[type].encode(value);
  } catch (cause) {
    if (cause instanceof ConfigError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ConfigError("VALUE_UNENCODABLE", `column ${column} cannot be encoded as ${type}: ${why}`);
  }
}

function encodeBool(value: unknown): Uint8Array {
  if (typeof value !== "boolean") throw new TypeError(`a boolean is needed, not ${kind(value)}`);
  return Uint8Array.of(value ? 1 : 0);
}

function encodeBytes(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  throw new TypeError(`bytes are needed, not ${kind(value)}`);
}

function encodeText(value: unknown): Uint8Array {
  if (["string", "number", "bigint", "boolean"].includes(typeof value)) return encodeUtf8(String(value));
  throw new TypeError(`a string is needed, not ${kind(value)}`);
}

function jsonOf(value: unknown): string {
  const json: string | undefined = JSON.stringify(value);
  if (json === undefined) throw new TypeError(`JSON has no form for ${kind(value)}`);
  return json;
}

function encodeJsonb(value: unknown): Uint8Array {
  const json = encodeUtf8(jsonOf(value));
  const bytes = new Uint8Array(json.length + 1);
  bytes[0] = JSONB_VERSION;
  bytes.set(json, 1);
  return bytes;
}

function encodeUuid(value: unknown): Uint8Array {
  const digits = typeof value === "string" ? value.replace(/[-{}]/g, "") : "";
  if (!/^[0-9a-f]{32}$/i.test(digits)) throw new TypeError("a UUID has 32 hexadecimal digits");
  return Uint8Array.from({ length: 16 }, (_, at) => parseInt(digits.slice(2 * at, 2 * at + 2), 16));
}

/** Infinities are numbers, as they are when they are read. */
function encodeTimestamp(value: unknown, millisOf: (date: Date) => number): Uint8Array {
  if (value === Infinity) return int64(INT64_MAX);
  if (value === -Infinity) return int64(-INT64_MAX - 1n);
  return int64(BigInt(millisOf(dateOf(value)) - POSTGRES_EPOCH_MILLIS) * 1000n);
}

function encodeDate(value: unknown): Uint8Array {
  if (value === Infinity) return int32(INT32_MAX);
  if (value === -Infinity) return int32(-INT32_MAX - 1);
  return int32(Math.floor((localMillis(dateOf(value)) - POSTGRES_EPOCH_MILLIS) / DAY_MILLIS));
}

/** The milliseconds that the local calendar and clock would show in UTC. */
function localMillis(date: Date): number {
  const utc = new Date(0);
  utc.setUTCFullYear(date.getFullYear(), date.getMonth(), date.getDate());
  utc.setUTCHours(date.getHours(), date.getMinutes(), date.getSeconds(), date.getMilliseconds());
  return utc.getTime();
}

function dateOf(value: unknown): Date {
  if (!(value instanceof Date)) throw new TypeError(`a Date is needed, not ${kind(value)}`);
  if (Number.isNaN(value.getTime())) throw new TypeError("the Date is invalid");
  return value;
}

function numberOf(value: unknown): number {
  if (typeof value !== "number") throw new TypeError(`a number is needed, not ${kind(value)}`);
  return value;
}

/** An int8 comes as a string from the server, so that it is taken as one, too. */
function bigintOf(value: unknown): bigint {
  const integer = typeof value === "bigint"
    ? value
    : Number.isSafeInteger(value) || (typeof value === "string" && /^-?\d+$/.test(value))
    ? BigInt(value as number | string)
    : undefined;
  if (integer === undefined) throw new TypeError(`an integer is needed, not ${kind(value)}`);
  if (BigInt.asIntN(64, integer) !== integer) throw new RangeError("it does not fit into 64 bits");
  return integer;
}

function integer(size: 2 | 4, min: number, max: number): BinaryEncoder {
  return (value) => {
    const number = Number(bigintOf(value));
    if (number < min || number > max) throw new RangeError(`it is not from ${min} to ${max}`);
    return size === 2 ? fixed(2, (view) => view.setInt16(0, number)) : int32(number);
  };
}

function int32(value: number): Uint8Array {
  return fixed(4, (view) => view.setInt32(0, value));
}

function int64(value: bigint): Uint8Array {
  return fixed(8, (view) => view.setBigInt64(0, value));
}

function fixed(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}

function kind(value: unknown): string {
  return value instanceof Date ? "a Date" : Array.isArray(value) ? "an array" : typeof value;
}
