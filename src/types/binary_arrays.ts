/**
 * Arrays of any type from the binary format. Several dimensions become nested arrays; lower bounds are dropped.
 *
 * @module
 */

import { MAX_DIMENSIONS } from "./arrays.ts";
import { type ByteDecoder, malformedValue } from "./codec.ts";
import { int32At } from "./wire.ts";

/** Before the dimensions. */
const HEADER_LENGTH = 12;

/**
 * A decoder for binary arrays whose elements `element` decodes: int32 number of dimensions, int32 flags, int32 type of
 * the elements, an int32 length and int32 lower bound for each dimension, then the elements, each after its int32 length
 * (-1 for NULL).
 */
export function binaryArrayDecoder(element: ByteDecoder): ByteDecoder {
  return (bytes, start, end) => {
    const lengths = readLengths(bytes, start, end);
    if (lengths.length === 0) return [];
    return readDimension(
      lengths,
      0,
      new ElementReader(bytes, start + HEADER_LENGTH + 8 * lengths.length, end, element),
    );
  };
}

/** The length of each dimension; none for an empty array. */
function readLengths(bytes: Uint8Array, start: number, end: number): number[] {
  const dimensions = end - start >= HEADER_LENGTH ? int32At(bytes, start) : -1;
  if (dimensions < 0 || dimensions > MAX_DIMENSIONS) throw malformedValue("array", "a bad number of dimensions");
  const room = (end - start - HEADER_LENGTH - 8 * dimensions) / 4; // an element takes four bytes at least
  const lengths: number[] = [];
  let elements = 1;
  for (let index = 0; index < dimensions; index++) {
    const length = int32At(bytes, start + HEADER_LENGTH + 8 * index);
    elements *= length;
    if (length < 1 || elements > room) throw malformedValue("array", "a dimension longer than the array");
    lengths.push(length);
  }
  return lengths;
}

function readDimension(lengths: readonly number[], depth: number, elements: ElementReader): unknown[] {
  const values: unknown[] = [];
  for (let index = 0; index < lengths[depth]; index++) {
    values.push(depth === lengths.length - 1 ? elements.next() : readDimension(lengths, depth + 1, elements));
  }
  return values;
}

class ElementReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  readonly #element: ByteDecoder;
  #at: number;

  constructor(bytes: Uint8Array, at: number, end: number, element: ByteDecoder) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#element = element;
  }

  next(): unknown {
    const start = this.#at + 4;
    if (start > this.#end) throw malformedValue("array", "it ends before its last element");
    const length = int32At(this.#bytes, this.#at);
    if (length === -1) {
      this.#at = start;
      return null;
    }
    if (length < 0 || length > this.#end - start) throw malformedValue("array", "an element longer than the array");
    this.#at = start + length;
    return this.#element(this.#bytes, start, this.#at);
  }
}
