/**
 * What a byte string is to the user: a Buffer where the runtime has one, as users of node-postgres expect, else a
 * Uint8Array. The one place that decides.
 *
 * @module
 */

interface BufferConstructor {
  allocUnsafe(length: number): Uint8Array;
  from(text: string, encoding: "hex"): Uint8Array;
  from(bytes: ArrayBufferLike, start: number, length: number): Uint8Array;
  isBuffer(value: unknown): boolean;
}

const buffer = (globalThis as { Buffer?: BufferConstructor }).Buffer;

/** `length` bytes of unspecified content, for the caller to fill. */
export const allocateByteArray: (length: number) => Uint8Array = buffer === undefined
  ? (length) => new Uint8Array(length)
  : (length) => buffer.allocUnsafe(length);

/** A copy of `bytes[start, end)`, for the user to keep. */
export function copyByteArray(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const copy = allocateByteArray(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** The same bytes, not copied. */
export function byteArrayOver(bytes: Uint8Array): Uint8Array {
  if (buffer === undefined || buffer.isBuffer(bytes)) return bytes;
  return buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/**
 * The bytes that hexadecimal digits stand for, by the runtime's native decoder; undefined where there is none. For text
 * that is not pairs of digits it returns undefined or too few bytes.
 */
export const byteArrayFromHex: ((digits: string) => Uint8Array | undefined) | undefined =
  "setFromHex" in Uint8Array.prototype ? fromHexByStandard : buffer && ((digits) => buffer.from(digits, "hex"));

/** ECMAScript 2026's way, which Deno has and Node 20 does not; Deno's Buffer is the slower one. */
function fromHexByStandard(digits: string): Uint8Array | undefined {
  const bytes = allocateByteArray(digits.length >> 1) as Uint8Array & { setFromHex(digits: string): unknown };
  try {
    bytes.setFromHex(digits);
    return bytes;
  } catch {
    return undefined;
  }
}
