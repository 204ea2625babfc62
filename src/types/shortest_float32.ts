/**
 * The decimal that the server writes for a `float4` (since PostgreSQL 12, by Ryu): the shortest one that no other
 * float32 is as near to, and of those the nearest.
 *
 * @module
 */

/** The smallest float32 with a full mantissa, 2 ** -126. */
const MIN_NORMAL = 1.1754943508222875e-38;
/** Integers below this have at most six digits, which always tell a float32 from all others. */
const SHORT_INTEGERS = 1e6;

/** The double nearest to the shortest decimal of a float32. */
export function shortestFloat32(value: number): number {
  if (!Number.isFinite(value) || Number.isInteger(value) && Math.abs(value) < SHORT_INTEGERS) return value;
  // Up to six digits survive every normal float32, and nine tell any two apart.
  const fewest = Math.abs(value) < MIN_NORMAL ? 1 : 6;
  for (let digits = fewest; digits < 9; digits++) {
    const { significand, exponent } = roundHalfEven(value, digits);
    const nearest = Number(`${significand}e${exponent}`);
    if (means(nearest, value)) return nearest;
    // Above a power of two the floats are twice as far apart as below, so that the second nearest may do.
    const next = Number(`${significand + Math.sign(significand)}e${exponent}`);
    if (means(next, value)) return next;
  }
  return Number(value.toPrecision(9));
}

/** The nearest decimal of so many digits; where two are as near, the one whose last digit is even. */
function roundHalfEven(value: number, digits: number): { significand: number; exponent: number } {
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const significand = Number(mantissa.replace(".", ""));
  const exponent = Number(power) - (digits - 1);
  if (significand % 2 === 0) return { significand, exponent };
  // toExponential rounds halves away from zero.
  const longer = value.toExponential(digits);
  const half = longer.includes("5e") && Number(longer) === value;
  return { significand: half ? significand - Math.sign(significand) : significand, exponent };
}

/** Whether a decimal is nearer to this float32 than to any other, and not merely halfway to the next. */
function means(decimal: number, value: number): boolean {
  const mirrored = 2 * decimal - value;
  return Math.fround(decimal) === value && (mirrored === value || Math.fround(mirrored) !== mirrored);
}
