/**
 * `interval`, as an object of its fields with the methods that npm `postgres-interval` gives it.
 *
 * @module
 */

/** The fields of an interval; those that are zero are absent. */
export interface IntervalFields {
  years?: number;
  months?: number;
  days?: number;
  hours?: number;
  minutes?: number;
  seconds?: number;
  /** With the microseconds as decimals. */
  milliseconds?: number;
}

/**
 * An `interval`. Its own properties are the fields that are not zero.
 *
 * @example
 * ```ts
 * import { PostgresInterval } from "@pgduplex/pgduplex";
 * const interval = new PostgresInterval({ days: 1, seconds: 2, milliseconds: 500 });
 * console.log(interval.toPostgres()); // 2.5 seconds 1 days
 * console.log(interval.toISOString()); // P0Y0M1DT0H0M2.5S
 * ```
 */
export class PostgresInterval implements IntervalFields {
  declare years?: number;
  declare months?: number;
  declare days?: number;
  declare hours?: number;
  declare minutes?: number;
  declare seconds?: number;
  declare milliseconds?: number;

  constructor(fields: IntervalFields = {}) {
    for (const name of FIELD_NAMES) {
      const value = fields[name];
      if (value) this[name] = value;
    }
  }

  /** As PostgreSQL reads it, so that an interval can be sent back as a parameter: `2.5 seconds 1 days`; `0` for none. */
  toPostgres(): string {
    const parts: string[] = [];
    for (const name of ["seconds", "minutes", "hours", "days", "months", "years"] as const) {
      if (Object.hasOwn(this, name)) {
        parts.push(`${name === "seconds" ? this.#fractionalSeconds() : this[name]} ${name}`);
      }
    }
    if (this.milliseconds && !Object.hasOwn(this, "seconds")) parts.push(`${this.#fractionalSeconds()} seconds`);
    return parts.length === 0 ? "0" : parts.join(" ");
  }

  /** ISO 8601, with every field: `P0Y0M1DT0H0M2.5S`. */
  toISOString(): string {
    const { years = 0, months = 0, days = 0, hours = 0, minutes = 0 } = this;
    return `P${years}Y${months}M${days}DT${hours}H${minutes}M${this.#fractionalSeconds()}S`;
  }

  /** The same as {@linkcode PostgresInterval.toISOString}. */
  toISO(): string {
    return this.toISOString();
  }

  #fractionalSeconds(): string {
    const { seconds = 0, milliseconds } = this;
    return milliseconds ? (seconds + milliseconds / 1000).toFixed(6).replace(/\.?0+$/, "") : String(seconds);
  }
}

const FIELD_NAMES = ["years", "months", "days", "hours", "minutes", "seconds", "milliseconds"] as const;

const SPACE = 0x20;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
/** The first letters of `years`, `mons` and `days`, in the order in which they may stand. */
const UNIT_LETTERS: readonly number[] = [0x79, 0x6d, 0x64];

/**
 * Text of `interval` in `IntervalStyle = postgres`, the default: `1 year 2 mons -3 days +04:05:06.789`. Reading stops
 * at what is not of that form, as node-postgres's does, so that other styles give an empty interval.
 */
export function decodeInterval(bytes: Uint8Array, start: number, end: number): PostgresInterval {
  const interval = new PostgresInterval();
  let nextUnit = 0;
  let at = start;
  while (at < end) {
    const negative = bytes[at] === MINUS;
    const digits = negative || bytes[at] === PLUS ? at + 1 : at;
    const afterDigits = skipDigits(bytes, digits, end);
    if (bytes[afterDigits] === COLON) {
      setTime(interval, negative, bytes, digits, afterDigits, end);
      break;
    }
    if (afterDigits === digits || afterDigits + 1 >= end || bytes[afterDigits] !== SPACE) break;
    const unit = UNIT_LETTERS.indexOf(bytes[afterDigits + 1], nextUnit);
    if (unit === -1) break;
    const value = numberAt(bytes, digits, afterDigits);
    if (value !== 0) interval[FIELD_NAMES[unit]] = negative ? -value : value;
    nextUnit = unit + 1;
    at = afterDigits + 1;
    while (at < end && bytes[at] !== SPACE) at++;
    at++;
  }
  return interval;
}

/** `hours:mm:ss[.ffffff]`, where `start` is the hours' first digit and `colon` the first colon. */
function setTime(
  interval: PostgresInterval,
  negative: boolean,
  bytes: Uint8Array,
  start: number,
  colon: number,
  end: number,
): void {
  if (skipDigits(bytes, colon + 1, end) !== colon + 3 || bytes[colon + 3] !== COLON) return;
  if (skipDigits(bytes, colon + 4, end) !== colon + 6) return;
  const sign = negative ? -1 : 1;
  const hours = numberAt(bytes, start, colon);
  const minutes = numberAt(bytes, colon + 1, colon + 3);
  const seconds = numberAt(bytes, colon + 4, colon + 6);
  let micros = 0;
  if (colon + 6 < end && bytes[colon + 6] === POINT) {
    const fraction = colon + 7;
    const fractionEnd = Math.min(skipDigits(bytes, fraction, end), fraction + 6);
    micros = numberAt(bytes, fraction, fractionEnd) * 10 ** (6 - (fractionEnd - fraction));
  }
  if (hours !== 0) interval.hours = sign * hours;
  if (minutes !== 0) interval.minutes = sign * minutes;
  if (seconds !== 0) interval.seconds = sign * seconds;
  if (micros !== 0) interval.milliseconds = sign * (micros / 1000);
}

function skipDigits(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && bytes[at] >= ZERO && bytes[at] <= ZERO + 9) at++;
  return at;
}

function numberAt(bytes: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end; at++) value = value * 10 + bytes[at] - ZERO;
  return value;
}
