/**
 * The decoders that few programs need: those of rare types' texts, and all of the binary format, which is sent to those
 * alone who ask for it. A page loads them when a result is first of their kind.
 *
 * @module
 */

import { textArrayDecoder } from "./arrays.ts";
import { binaryDecoders } from "./binary_decoders.ts";
import { decodeBytea } from "./bytea.ts";
import type { ByteDecoder, Format } from "./codec.ts";
import { decodeCircle, decodePoint } from "./geometric.ts";
import { decodeInterval } from "./interval.ts";
import { builtins } from "./oids.ts";
import { arrays, otherTypes } from "./other_oids.ts";

/** By format and OID. Never changed. */
export const rareDecoders: Readonly<Record<Format, ReadonlyMap<number, ByteDecoder>>> = /* @__PURE__ */ (() => ({
  0: new Map<number, ByteDecoder>([
    [builtins.BYTEA, decodeBytea],
    [arrays.BYTEA, textArrayDecoder(decodeBytea)],
    [builtins.INTERVAL, decodeInterval],
    [arrays.INTERVAL, textArrayDecoder(decodeInterval)],
    [otherTypes.POINT, decodePoint],
    [arrays.POINT, textArrayDecoder(decodePoint)],
    [builtins.CIRCLE, decodeCircle],
  ]),
  1: binaryDecoders,
}))();
