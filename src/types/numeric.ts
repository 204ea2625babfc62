/**
 * `numeric` in binary. Its text needs no decoder: the value is the string itself, with every digit.
 *
 * @module
 */

import { malformedValue } from "./codec.ts";
import { int16At, uint16At } from "./wire.ts";

const HEADER_LENGTH = 8;

/** The header's sign field (`numeric.c`). */
const Sign = { negative: 0x4000, nan: 0xc000, infinity: 0xd000, negativeInfinity: 0xf000 } as const;

/**
 * Prints a binary `numeric` as the text format would: int16 number of digits, int16 weight of the first digit, uint16
 * sign, uint16 number of decimals to show, then digits to base 10,000.
 */
export function decodeBinaryNumeric(bytes: Uint8Array, start: number, end: number): string {
  if (end - start < HEADER_LENGTH) throw malformedValue("numeric", `${end - start} bytes are too few`);
  const digits = uint16At(bytes, start);
  const weight = int16At(bytes, start + 2);
  const sign = uint16At(bytes, start + 4);
  const decimals = uint16At(bytes, start + 6) & 0x3fff;
  if (sign === Sign.nan) return "NaN";
  if (sign === Sign.infinity) return "Infinity";
  if (sign === Sign.negativeInfinity) return "-Infinity";
  if (end - start !== HEADER_LENGTH + 2 * digits) throw malformedValue("numeric", "its digits do not fill it");

  const group = (index: number): number =>
    index >= 0 && index < digits ? uint16At(bytes, start + HEADER_LENGTH + 2 * index) : 0;
  let text = weight < 0 ? "0" : String(group(0));
  for (let index = 1; index <= weight; index++) text += padGroup(group(index));
  if (sign === Sign.negative) text = `-${text}`;
  if (decimals === 0) return text;

  let fraction = "";
  for (let index = weight + 1; fraction.length < decimals; index++) fraction += padGroup(group(index));
  return `${text}.${fraction.slice(0, decimals)}`;
}

function padGroup(group: number): string {
  return String(group).padStart(4, "0");
}
