/**
 * Dates and times in any text that the server's `DateStyle = ISO` can produce: years of any length, BC, infinity, and
 * zones down to the second. It gives what npm `postgres-date` gives, so that nothing changes for users of node-postgres.
 *
 * @module
 */

const DATE_TIME = /(\d+)-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(\.\d+)?(.*?))?( BC)?$/;
const ZONE = /([Z+-])(\d\d)?:?(\d\d)?:?(\d\d)?/;

/** A Date's fields as its constructor takes them. */
type Fields = Readonly<Parameters<typeof localDate>>;

/** Null for what is no date in ISO style. A year that a Date cannot hold gives an invalid Date. */
export function parseDateTime(text: string): Date | number | null {
  if (text === "infinity") return Infinity;
  if (text === "-infinity") return -Infinity;
  const match = DATE_TIME.exec(text);
  // As in node-postgres, a date has nothing before it.
  if (match === null || (match[4] === undefined && match.index > 0)) return null;
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = 0, zone = "", era] = match;
  const fields: Fields = [
    // As ISO 8601 counts: 1 BC is 0.
    era === undefined ? Number(year) : 1 - Number(year),
    Number(month) - 1,
    Number(day),
    Number(hour),
    Number(minute),
    Number(second),
    Math.trunc(Number(fraction) * 1000),
  ];
  const offset = offsetMillis(zone);
  return offset === undefined ? localDate(...fields) : utcDate(fields, offset);
}

/** Undefined where there is no zone, which means local time. */
function offsetMillis(zone: string): number | undefined {
  const match = ZONE.exec(zone);
  if (match === null) return undefined;
  const [, sign, hours, minutes = 0, seconds = 0] = match;
  if (sign === "Z") return 0;
  const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * 1000;
  return sign === "-" ? -offset : offset;
}

/**
 * A Date of local time. To the Date constructor a year from 0 to 99 is one of the 20th century, hence the second step,
 * which loses the 29th of February of the year 0 just as node-postgres does.
 */
export function localDate(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  millis: number,
): Date {
  const date = new Date(year, month, day, hour, minute, second, millis);
  if (year >= 0 && year < 100) date.setFullYear(year);
  return date;
}

function utcDate(fields: Fields, offset: number): Date {
  const [year] = fields;
  const date = new Date(Date.UTC(...fields));
  if (year >= 0 && year < 100) date.setUTCFullYear(year);
  date.setTime(date.getTime() - offset);
  return date;
}
