/**
 * SASLprep (RFC 4013) as PostgreSQL does it to a password that is not plain ASCII. Loaded only for such a password, so
 * that its tables cost nothing otherwise.
 *
 * @module
 */

import { LEFT_TO_RIGHT, PROHIBITED, RIGHT_TO_LEFT } from "./saslprep_tables.ts";

/** RFC 3454 C.1.2. U+200B is in B.1 as well; PostgreSQL looks here first. */
const NON_ASCII_SPACE = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu;

/** RFC 3454 B.1. */
const MAPPED_TO_NOTHING = /\u00ad|\u034f|\u1806|[\u180b-\u180d]|\u200c|\u200d|\u2060|[\ufe00-\ufe0f]|\ufeff/gu;

/** Sorted ranges, first and last code point of each, one after the other. */
type Ranges = Uint32Array;

/** The three tables of RFC 3454, unpacked when this module is loaded. */
const prohibited = unpack(PROHIBITED);
const rightToLeft = unpack(RIGHT_TO_LEFT);
const leftToRight = unpack(LEFT_TO_RIGHT);

/**
 * Prepares a password, or gives it back as it is where SASLprep refuses it (a prohibited or unassigned code point,
 * directions that conflict, nothing left) or where it is all ASCII: passwords in PostgreSQL need not be text, and server
 * and libpq both fall back like this.
 *
 * Unlike RFC 4013, and like PostgreSQL, what is prohibited is looked for before NFKC rather than after.
 *
 * Source: RFC 4013; PostgreSQL documentation, "SASL Authentication".
 *
 * @example
 * ```ts
 * saslprep("I\u00adX"); // "IX"
 * saslprep("\u2168"); // "IX"
 * saslprep("\u0627\u0031"); // itself: begins right to left and does not end so
 * ```
 */
export function saslprep(password: string): string {
  // deno-lint-ignore no-control-regex -- ASCII is all of it, control characters included.
  if (/^[\x00-\x7f]*$/.test(password)) return password;
  const mapped = password.replace(NON_ASCII_SPACE, " ").replace(MAPPED_TO_NOTHING, "");
  const codePoints = Array.from(mapped, (character) => character.codePointAt(0) ?? 0);
  const refused = codePoints.length === 0 ||
    codePoints.some((codePoint) => contains(prohibited, codePoint)) ||
    !directionsAgree(codePoints);
  return refused ? password : mapped.normalize("NFKC");
}

/** RFC 3454 §6: where anything runs right to left, the first and the last do, and nothing runs left to right. */
function directionsAgree(codePoints: readonly number[]): boolean {
  const runsRightToLeft = (codePoint: number) => contains(rightToLeft, codePoint);
  if (!codePoints.some(runsRightToLeft)) return true;
  return runsRightToLeft(codePoints[0]) && runsRightToLeft(codePoints[codePoints.length - 1]) &&
    !codePoints.some((codePoint) => contains(leftToRight, codePoint));
}

/** Binary search for the range that begins last among those that do not begin after the code point. */
function contains(ranges: Ranges, codePoint: number): boolean {
  let low = 0;
  let high = ranges.length / 2;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ranges[middle * 2] <= codePoint) low = middle + 1;
    else high = middle;
  }
  return low > 0 && codePoint <= ranges[low * 2 - 1];
}

/** Reads the notation that `saslprep_tables.ts` describes. */
function unpack(packed: string): Ranges {
  let end = 0;
  return Uint32Array.from(
    packed.split(" ").flatMap((range) => {
      const [gap, more = "0"] = range.split(":");
      const first = end + parseInt(gap, 36);
      const last = first + parseInt(more, 36);
      end = last + 1;
      return [first, last];
    }),
  );
}
