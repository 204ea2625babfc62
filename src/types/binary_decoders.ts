/**
 * Our own decoder for the binary form of each type, which gives what its text does. A type that is not named here is taken
 * as text, which it is where it is an enum or a string of an extension's.
 *
 * @module
 */

import { binaryArrayDecoder } from "./binary_arrays.ts";
import {
  decodeBinaryDate,
  decodeBinaryInterval,
  decodeBinaryTimestamp,
  decodeBinaryTimestamptz,
} from "./binary_datetime.ts";
import { copyByteArray } from "./byte_array.ts";
import { type ByteDecoder, malformedValue } from "./codec.ts";
import type { Circle, Point } from "./geometric.ts";
import { decodeJson } from "./json.ts";
import { decodeBinaryNumeric } from "./numeric.ts";
import { builtins } from "./oids.ts";
import { arrays, otherTypes } from "./other_oids.ts";
import { shortestFloat32 } from "./shortest_float32.ts";
import { decodeText } from "./text.ts";
import { decodeBinaryUuid } from "./uuid.ts";
import { bigint64At, expectLength, float32At, float64At, int16At, int32At, uint32At } from "./wire.ts";

/** The decoders by OID. Never changed. */
export const binaryDecoders: ReadonlyMap<number, ByteDecoder> = /* @__PURE__ */ (() =>
  new Map<number, ByteDecoder>([
    ...withArray(builtins.BOOL, arrays.BOOL, decodeBool),
    ...withArray(builtins.INT2, arrays.INT2, decodeInt2),
    ...withArray(builtins.INT4, arrays.INT4, decodeInt4),
    ...withArray(builtins.INT8, arrays.INT8, decodeBinaryInt8),
    ...withArray(builtins.OID, arrays.OID, decodeOid),
    ...withArray(builtins.FLOAT4, arrays.FLOAT4, decodeFloat4),
    ...withArray(builtins.FLOAT8, arrays.FLOAT8, decodeFloat8),
    [builtins.NUMERIC, decodeBinaryNumeric],
    [arrays.NUMERIC, binaryArrayDecoder(decodeNumericAsFloat)],
    ...withArray(builtins.TEXT, arrays.TEXT, decodeText),
    ...withArray(builtins.VARCHAR, arrays.VARCHAR, decodeText),
    ...withArray(builtins.BPCHAR, arrays.BPCHAR, decodeText),
    [otherTypes.NAME, decodeText],
    [otherTypes.UNKNOWN, decodeText],
    [builtins.XML, decodeText],
    ...withArray(builtins.BYTEA, arrays.BYTEA, copyByteArray),
    ...withArray(builtins.UUID, arrays.UUID, decodeBinaryUuid),
    ...withArray(builtins.JSON, arrays.JSON, decodeJson),
    ...withArray(builtins.JSONB, arrays.JSONB, decodeJsonb),
    ...withArray(builtins.DATE, arrays.DATE, decodeBinaryDate),
    ...withArray(builtins.TIMESTAMP, arrays.TIMESTAMP, decodeBinaryTimestamp),
    ...withArray(builtins.TIMESTAMPTZ, arrays.TIMESTAMPTZ, decodeBinaryTimestamptz),
    ...withArray(builtins.INTERVAL, arrays.INTERVAL, decodeBinaryInterval),
    ...withArray(otherTypes.POINT, arrays.POINT, decodePoint),
    [builtins.CIRCLE, decodeCircle],
  ]))();

function withArray(oid: number, array: number, decode: ByteDecoder): [number, ByteDecoder][] {
  return [[oid, decode], [array, binaryArrayDecoder(decode)]];
}

function decodeBool(bytes: Uint8Array, start: number, end: number): boolean {
  expectLength("bool", start, end, 1);
  return bytes[start] !== 0;
}

function decodeInt2(bytes: Uint8Array, start: number, end: number): number {
  expectLength("int2", start, end, 2);
  return int16At(bytes, start);
}

function decodeInt4(bytes: Uint8Array, start: number, end: number): number {
  expectLength("int4", start, end, 4);
  return int32At(bytes, start);
}

function decodeOid(bytes: Uint8Array, start: number, end: number): number {
  expectLength("oid", start, end, 4);
  return uint32At(bytes, start);
}

/** A string, as in node-postgres. */
export function decodeBinaryInt8(bytes: Uint8Array, start: number, end: number): string {
  expectLength("int8", start, end, 8);
  const high = int32At(bytes, start);
  // Within 53 bits a double is exact, and much faster to print than a bigint.
  if (high >= -0x20_0000 && high < 0x20_0000) return String(high * 0x1_0000_0000 + uint32At(bytes, start + 4));
  return String(bigint64At(bytes, start));
}

/** Gives the number that the text format gives: 0.1 for the float4 nearest to it, not 0.10000000149011612. */
function decodeFloat4(bytes: Uint8Array, start: number, end: number): number {
  expectLength("float4", start, end, 4);
  return shortestFloat32(float32At(bytes, start));
}

function decodeFloat8(bytes: Uint8Array, start: number, end: number): number {
  expectLength("float8", start, end, 8);
  return float64At(bytes, start);
}

/** What elements of `numeric[]` are, though a `numeric` is a string: so it is in node-postgres. */
function decodeNumericAsFloat(bytes: Uint8Array, start: number, end: number): number {
  return parseFloat(decodeBinaryNumeric(bytes, start, end));
}

/** The only version of binary `jsonb` there is: the text, after one byte. */
const JSONB_VERSION = 1;

function decodeJsonb(bytes: Uint8Array, start: number, end: number): unknown {
  if (end === start || bytes[start] !== JSONB_VERSION) throw malformedValue("jsonb", "an unknown version");
  return decodeJson(bytes, start + 1, end);
}

function decodePoint(bytes: Uint8Array, start: number, end: number): Point {
  expectLength("point", start, end, 16);
  return { x: float64At(bytes, start), y: float64At(bytes, start + 8) };
}

function decodeCircle(bytes: Uint8Array, start: number, end: number): Circle {
  expectLength("circle", start, end, 24);
  return { x: float64At(bytes, start), y: float64At(bytes, start + 8), radius: float64At(bytes, start + 16) };
}
