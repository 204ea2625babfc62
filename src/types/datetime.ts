/**
 * `date`, `timestamp` and `timestamptz`, as node-postgres gives them: a Date in local time for the first two, the
 * instant for the third, a number for infinity, milliseconds where the server has microseconds.
 *
 * `time` and `timetz` stay strings.
 *
 * @module
 */

import { decodeUtf8 } from "../utf8.ts";
import { parseDateTime } from "./datetime_text.ts";

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const SPACE = 0x20;

const DATE_LENGTH = 10; // 2025-01-31
const SECONDS_LENGTH = 19; // 2025-01-31 23:59:59

const DAY_MILLIS = 86_400_000;
/** From the civil calendar's first of March of year 0 to 1970-01-01. */
const UNIX_EPOCH_DAYS = 719_468;

/**
 * Text of `date`, `timestamp` and `timestamptz` alike: whether there is a zone decides. The ISO form of the years 100
 * to 9999 is read digit by digit; everything else goes the slower way.
 */
export function decodeDateTime(bytes: Uint8Array, start: number, end: number): Date | number | null {
  return decodeIso(bytes, start, end) ?? parseDateTime(decodeUtf8(bytes, start, end));
}

/** Undefined where the text is not of the usual form. */
function decodeIso(bytes: Uint8Array, start: number, end: number): Date | undefined {
  const length = end - start;
  if (length < DATE_LENGTH || bytes[start + 4] !== MINUS || bytes[start + 7] !== MINUS) return undefined;
  const century = twoDigits(bytes, start);
  const year = century * 100 + twoDigits(bytes, start + 2);
  const month = twoDigits(bytes, start + 5);
  const day = twoDigits(bytes, start + 8);
  // Years below 100 mean something else to Date; NaN fails every comparison.
  if (!(century > 0 && year >= 0 && month >= 1 && month <= 12 && day >= 1)) return undefined;
  if (length === DATE_LENGTH) return new Date(year, month - 1, day);

  if (length < SECONDS_LENGTH || bytes[start + 10] !== SPACE) return undefined;
  if (bytes[start + 13] !== COLON || bytes[start + 16] !== COLON) return undefined;
  const hour = twoDigits(bytes, start + 11);
  const minute = twoDigits(bytes, start + 14);
  const second = twoDigits(bytes, start + 17);

  let at = start + SECONDS_LENGTH;
  let millis = 0;
  if (at < end && bytes[at] === POINT) {
    let unit = 100;
    for (at++; at < end; at++) {
      const digit = bytes[at] - ZERO;
      if (digit < 0 || digit > 9) break;
      millis += digit * unit;
      unit = unit === 100 ? 10 : unit === 10 ? 1 : 0;
    }
  }
  if (!(hour + minute + second >= 0)) return undefined;
  if (at === end) return new Date(year, month - 1, day, hour, minute, second, millis);

  const offset = offsetSeconds(bytes, at, end);
  if (offset !== offset) return undefined;
  const seconds = hour * 3600 + minute * 60 + second - offset;
  return new Date(daysOf(year, month, day) * DAY_MILLIS + seconds * 1000 + millis);
}

/** The two digits at `at` as a number; NaN where they are none. */
function twoDigits(bytes: Uint8Array, at: number): number {
  const tens = bytes[at] - ZERO;
  const ones = bytes[at + 1] - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : NaN;
}

/** `+02`, `-03:30` or `+05:53:28`, to the end of the text; NaN for anything else. */
function offsetSeconds(bytes: Uint8Array, at: number, end: number): number {
  if (bytes[at] !== PLUS && bytes[at] !== MINUS || (end - at) % 3 !== 0) return NaN;
  let seconds = twoDigits(bytes, at + 1) * 3600;
  if (end - at > 3) seconds += bytes[at + 3] === COLON ? twoDigits(bytes, at + 4) * 60 : NaN;
  if (end - at > 6) seconds += bytes[at + 6] === COLON ? twoDigits(bytes, at + 7) : NaN;
  if (end - at > 9) return NaN;
  return bytes[at] === MINUS ? -seconds : seconds;
}

/** Days from 1970-01-01 to a date of a positive year. Counting years from March puts the leap day last. */
function daysOf(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = ((marchYear / 4) | 0) - ((marchYear / 100) | 0) + ((marchYear / 400) | 0);
  return marchYear * 365 + leapDays + (((153 * marchMonth + 2) / 5) | 0) + day - 1 - UNIX_EPOCH_DAYS;
}
