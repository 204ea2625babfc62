/**
 * Our own decoder for the text of each type that is ordinary: what pg-types parses, to what it parses it to. What is named
 * neither here nor in `rare_decoders.ts` is a string.
 *
 * @module
 */

import { textArrayDecoder } from "./arrays.ts";
import { decodeBool } from "./bool.ts";
import type { ByteDecoder } from "./codec.ts";
import { decodeDateTime } from "./datetime.ts";
import { decodeJson } from "./json.ts";
import { decodeFloat, decodeInt } from "./numbers.ts";
import { decodeText } from "./text.ts";

/** What decodes some types, and the elements of some arrays, by their OIDs (`pg_type.dat`). */
type Family = readonly [decode: ByteDecoder, types: readonly number[], arrays: readonly number[]];

const FAMILIES: readonly Family[] = [
  [decodeBool, [16], [1000]],
  // int2, int4, oid
  [decodeInt, [21, 23, 26], [1005, 1007, 1028]],
  // float4, float8; elements of numeric[] are numbers, though a numeric is a string: so it is in node-postgres
  [decodeFloat, [700, 701], [1021, 1022, 1231]],
  // json, jsonb
  [decodeJson, [114, 3802], [199, 3807]],
  // date, timestamp, timestamptz
  [decodeDateTime, [1082, 1114, 1184], [1182, 1115, 1185]],
  // int8, text, varchar, bpchar, uuid, cidr, inet, macaddr, money, numrange, regproc, time, timetz
  [decodeText, [], [1016, 1009, 1015, 1014, 2951, 651, 1041, 1040, 791, 3907, 1008, 1183, 1270]],
];

/** The decoders by OID. Never changed: what users register is in their `TypeRegistry`. */
export const textDecoders: ReadonlyMap<number, ByteDecoder> = /* @__PURE__ */ new Map(
  FAMILIES.flatMap(([decode, types, arrays]) => {
    const decodeArray = textArrayDecoder(decode);
    return [...types.map((oid) => [oid, decode] as const), ...arrays.map((oid) => [oid, decodeArray] as const)];
  }),
);

/** The types whose texts `rare_decoders.ts` decodes: bytea, interval, point, arrays of them, circle. */
export const RARE_TYPES: readonly number[] = [17, 1186, 600, 1001, 1187, 1017, 718];
