/**
 * Which codec each of PostgreSQL's own types has. A type that is not here is a string, as in node-postgres: ranges,
 * network addresses, `time`, `money`, bit strings, `name[]` and the rest.
 *
 * @module
 */

import { binaryArrayDecoder, textArrayDecoder } from "./arrays.ts";
import { decodeBinaryBool, decodeBool } from "./bool.ts";
import { decodeBinaryBytea, decodeBytea } from "./bytea.ts";
import type { Codec } from "./codec.ts";
import { decodeBinaryDate, decodeBinaryTimestamp, decodeBinaryTimestamptz, decodeDateTime } from "./datetime.ts";
import { decodeBinaryCircle, decodeBinaryPoint, decodeCircle, decodePoint } from "./geometric.ts";
import { decodeBinaryInterval, decodeInterval } from "./interval.ts";
import { decodeBinaryJsonb, decodeJson } from "./json.ts";
import {
  decodeBinaryFloat4,
  decodeBinaryFloat8,
  decodeBinaryInt2,
  decodeBinaryInt4,
  decodeBinaryInt8,
  decodeBinaryOid,
  decodeFloat,
  decodeInt,
} from "./numbers.ts";
import { decodeBinaryNumeric, decodeBinaryNumericAsFloat } from "./numeric.ts";
import { arrays, builtins, otherTypes } from "./oids.ts";
import { decodeText } from "./text.ts";
import { decodeBinaryUuid } from "./uuid.ts";

const bool: Codec = { text: decodeBool, binary: decodeBinaryBool };
const int2: Codec = { text: decodeInt, binary: decodeBinaryInt2 };
const int4: Codec = { text: decodeInt, binary: decodeBinaryInt4 };
const int8: Codec = { text: decodeText, binary: decodeBinaryInt8 };
const oid: Codec = { text: decodeInt, binary: decodeBinaryOid };
const float4: Codec = { text: decodeFloat, binary: decodeBinaryFloat4 };
const float8: Codec = { text: decodeFloat, binary: decodeBinaryFloat8 };
const numeric: Codec = { text: decodeText, binary: decodeBinaryNumeric };
/** What elements of `numeric[]` are, though a `numeric` is a string: so it is in node-postgres. */
const numericAsFloat: Codec = { text: decodeFloat, binary: decodeBinaryNumericAsFloat };
/** Types whose binary form is their text. */
const text: Codec = { text: decodeText, binary: decodeText };
const bytea: Codec = { text: decodeBytea, binary: decodeBinaryBytea };
const uuid: Codec = { text: decodeText, binary: decodeBinaryUuid };
const json: Codec = { text: decodeJson, binary: decodeJson };
const jsonb: Codec = { text: decodeJson, binary: decodeBinaryJsonb };
const date: Codec = { text: decodeDateTime, binary: decodeBinaryDate };
const timestamp: Codec = { text: decodeDateTime, binary: decodeBinaryTimestamp };
const timestamptz: Codec = { text: decodeDateTime, binary: decodeBinaryTimestamptz };
const interval: Codec = { text: decodeInterval, binary: decodeBinaryInterval };
const point: Codec = { text: decodePoint, binary: decodeBinaryPoint };
const circle: Codec = { text: decodeCircle, binary: decodeBinaryCircle };
/** Types that are strings and whose binary form is something else, which nobody asks for. */
const textOnly: Codec = { text: decodeText };

function arrayOf({ text, binary }: Codec): Codec {
  const textArray = textArrayDecoder(text);
  return binary === undefined ? { text: textArray } : { text: textArray, binary: binaryArrayDecoder(binary) };
}

/** The codecs by OID. Never changed: what users register is in their {@linkcode TypeRegistry}. */
export const builtinCodecs: ReadonlyMap<number, Codec> = new Map<number, Codec>([
  [builtins.BOOL, bool],
  [builtins.INT2, int2],
  [builtins.INT4, int4],
  [builtins.INT8, int8],
  [builtins.OID, oid],
  [builtins.FLOAT4, float4],
  [builtins.FLOAT8, float8],
  [builtins.NUMERIC, numeric],
  [builtins.TEXT, text],
  [builtins.VARCHAR, text],
  [builtins.BPCHAR, text],
  [otherTypes.NAME, text],
  [otherTypes.UNKNOWN, text],
  [builtins.XML, text],
  [builtins.BYTEA, bytea],
  [builtins.UUID, uuid],
  [builtins.JSON, json],
  [builtins.JSONB, jsonb],
  [builtins.DATE, date],
  [builtins.TIMESTAMP, timestamp],
  [builtins.TIMESTAMPTZ, timestamptz],
  [builtins.INTERVAL, interval],
  [otherTypes.POINT, point],
  [builtins.CIRCLE, circle],

  [arrays.BOOL, arrayOf(bool)],
  [arrays.INT2, arrayOf(int2)],
  [arrays.INT4, arrayOf(int4)],
  [arrays.INT8, arrayOf(int8)],
  [arrays.OID, arrayOf(oid)],
  [arrays.FLOAT4, arrayOf(float4)],
  [arrays.FLOAT8, arrayOf(float8)],
  [arrays.NUMERIC, arrayOf(numericAsFloat)],
  [arrays.TEXT, arrayOf(text)],
  [arrays.VARCHAR, arrayOf(text)],
  [arrays.BPCHAR, arrayOf(text)],
  [arrays.BYTEA, arrayOf(bytea)],
  [arrays.UUID, arrayOf(uuid)],
  [arrays.JSON, arrayOf(json)],
  [arrays.JSONB, arrayOf(jsonb)],
  [arrays.DATE, arrayOf(date)],
  [arrays.TIMESTAMP, arrayOf(timestamp)],
  [arrays.TIMESTAMPTZ, arrayOf(timestamptz)],
  [arrays.INTERVAL, arrayOf(interval)],
  [arrays.POINT, arrayOf(point)],
  [arrays.CIDR, arrayOf(textOnly)],
  [arrays.INET, arrayOf(textOnly)],
  [arrays.MACADDR, arrayOf(textOnly)],
  [arrays.MONEY, arrayOf(textOnly)],
  [arrays.NUMRANGE, arrayOf(textOnly)],
  [arrays.REGPROC, arrayOf(textOnly)],
  [arrays.TIME, arrayOf(textOnly)],
  [arrays.TIMETZ, arrayOf(textOnly)],
]);
