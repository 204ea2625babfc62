/**
 * Dates and times as Temporal has them, to the microsecond.
 *
 * @see PostgreSQL documentation, "Date/Time Types"; TC39 proposal "Temporal"
 * @module
 */

import { type ByteDecoder, malformedValue } from "./codec.ts";
import { decodeText } from "./text.ts";
import { bigint64At, expectLength, int32At } from "./wire.ts";

/** One of Temporal's classes, as far as values are made by it. */
export interface FromText {
  /** Reads a value from a text as ISO 8601 has it. */
  from(text: string): unknown;
}

/** What is needed of Temporal: the runtime's own, or a library's. */
export interface TemporalNamespace {
  /** What a `date` becomes. */
  readonly PlainDate: FromText;
  /** What a `time` becomes. */
  readonly PlainTime: FromText;
  /** What a `timestamp` becomes. */
  readonly PlainDateTime: FromText;
  /** What a `timestamptz` becomes. */
  readonly Instant: FromText;
}

/** The decoders for text and for binary. */
export type TemporalDecoders = Readonly<
  Record<"date" | "time" | "timestamp" | "timestamptz", readonly [text: ByteDecoder, binary: ByteDecoder]>
>;

const DAY_MICROS = 86_400_000_000n;
/** 2000-01-01 UTC in milliseconds, from which the binary formats count. */
const POSTGRES_EPOCH_MILLIS = 946_684_800_000;
const DAY_MILLIS = 86_400_000;
const INT32_MAX = 0x7fff_ffff;
const INT64_MAX = 0x7fff_ffff_ffff_ffffn;

/** The decoders that make values of this Temporal. */
export function temporalDecoders(temporal: TemporalNamespace): TemporalDecoders {
  const { PlainDate, PlainTime, PlainDateTime, Instant } = temporal;
  const text = (type: FromText): ByteDecoder => (bytes, start, end) => {
    const written = decodeText(bytes, start, end);
    if (written === "infinity") return Infinity;
    if (written === "-infinity") return -Infinity;
    return make(type, isoText(written));
  };
  return {
    date: [text(PlainDate), (bytes, start, end) => {
      expectLength("date", start, end, 4);
      const days = int32At(bytes, start);
      if (days === INT32_MAX) return Infinity;
      if (days === -INT32_MAX - 1) return -Infinity;
      return make(PlainDate, isoDate(days));
    }],
    time: [text(PlainTime), (bytes, start, end) => {
      expectLength("time", start, end, 8);
      return make(PlainTime, isoTime(bigint64At(bytes, start)));
    }],
    timestamp: [text(PlainDateTime), binaryTimestamp(PlainDateTime, "")],
    timestamptz: [text(Instant), binaryTimestamp(Instant, "Z")],
  };
}

function binaryTimestamp(type: FromText, zone: "" | "Z"): ByteDecoder {
  return (bytes, start, end) => {
    expectLength("timestamp", start, end, 8);
    const micros = bigint64At(bytes, start);
    if (micros === INT64_MAX) return Infinity;
    if (micros === -INT64_MAX - 1n) return -Infinity;
    const ofDay = ((micros % DAY_MICROS) + DAY_MICROS) % DAY_MICROS;
    const days = Number((micros - ofDay) / DAY_MICROS);
    return make(type, `${isoDate(days)}T${isoTime(ofDay)}${zone}`);
  };
}

/** Not all that PostgreSQL can store Temporal can hold: it ends in the year 275760. */
function make(type: FromText, text: string): unknown {
  try {
    return type.from(text);
  } catch (cause) {
    throw malformedValue("date or time", "Temporal cannot hold it (is DateStyle not ISO?)", cause);
  }
}

const WRITTEN = /^(\d{4,})(-\d\d-\d\d)(?: (\d.*?))?( BC)?$/;

/** ISO 8601 with the expanded years that ECMAScript knows; a time alone, and what is something else, as it is. */
function isoText(written: string): string {
  // The last moment of a day.
  if (written === "24:00:00") return "23:59:59.999999";
  const match = WRITTEN.exec(written);
  if (match === null) return written;
  const [, year, day, time, era] = match;
  return isoYear(era === undefined ? Number(year) : 1 - Number(year)) + day + (time === undefined ? "" : `T${time}`);
}

/** The date so many days after 2000-01-01. */
function isoDate(days: number): string {
  const date = new Date(POSTGRES_EPOCH_MILLIS + days * DAY_MILLIS);
  if (Number.isNaN(date.getTime())) throw malformedValue("date or time", "it is beyond what JavaScript's dates reach");
  return `${isoYear(date.getUTCFullYear())}-${pad(date.getUTCMonth() + 1, 2)}-${pad(date.getUTCDate(), 2)}`;
}

function isoTime(micros: bigint): string {
  const ofDay = Number(micros === DAY_MICROS ? micros - 1n : micros);
  const seconds = Math.floor(ofDay / 1e6);
  const [hour, minute, second] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}.${pad(ofDay % 1e6, 6)}`;
}

function isoYear(year: number): string {
  if (year >= 0 && year <= 9999) return pad(year, 4);
  return (year < 0 ? "-" : "+") + pad(Math.abs(year), 6);
}

function pad(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
