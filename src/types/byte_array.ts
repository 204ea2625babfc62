/**
 * What a byte string is to the user: a Buffer where the runtime has one, as users of node-postgres expect, else a
 * Uint8Array. The one place that decides.
 *
 * @module
 */

interface BufferConstructor {
  allocUnsafe(length: number): Uint8Array;
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
