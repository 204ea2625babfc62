/**
 * Numbers in network byte order, as the binary format has them, read from the middle of a buffer.
 *
 * @module
 */

import { malformedValue } from "./codec.ts";

/** Where eight bytes become a float64; rewritten by every read, so it holds no state. */
const scratch = /* @__PURE__ */ new DataView(/* @__PURE__ */ new ArrayBuffer(8));

export function int16At(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24 >> 16) | bytes[at + 1];
}

export function uint16At(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 8) | bytes[at + 1];
}

export function int32At(bytes: Uint8Array, at: number): number {
  return (bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
}

export function uint32At(bytes: Uint8Array, at: number): number {
  return int32At(bytes, at) >>> 0;
}

export function bigint64At(bytes: Uint8Array, at: number): bigint {
  return (BigInt(int32At(bytes, at)) << 32n) | BigInt(uint32At(bytes, at + 4));
}

export function float32At(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, int32At(bytes, at));
  return scratch.getFloat32(0);
}

export function float64At(bytes: Uint8Array, at: number): number {
  scratch.setInt32(0, int32At(bytes, at));
  scratch.setInt32(4, int32At(bytes, at + 4));
  return scratch.getFloat64(0);
}

/** Refuses a fixed-size value of another size. */
export function expectLength(type: string, start: number, end: number, length: number): void {
  if (end - start !== length) throw malformedValue(type, `${end - start} bytes instead of ${length}`);
}
