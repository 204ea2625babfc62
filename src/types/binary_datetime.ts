/**
 * `date`, `timestamp`, `timestamptz` and `interval` from the binary format: what their texts give.
 *
 * @module
 */

import { localDate } from "./datetime_text.ts";
import { PostgresInterval } from "./interval.ts";
import { bigint64At, expectLength, int32At, uint32At } from "./wire.ts";

const DAY_MILLIS = 86_400_000;
/** 2000-01-01 UTC, from which these formats count. */
const POSTGRES_EPOCH_MILLIS = 946_684_800_000;

const INT32_MAX = 0x7fff_ffff;
const INT32_MIN = -0x8000_0000;
const UINT32_MAX = 0xffff_ffff;

/** Binary of `date`: int32 days from 2000-01-01. */
export function decodeBinaryDate(bytes: Uint8Array, start: number, end: number): Date | number {
  expectLength("date", start, end, 4);
  const days = int32At(bytes, start);
  if (days === INT32_MAX) return Infinity;
  if (days === INT32_MIN) return -Infinity;
  return asLocal(POSTGRES_EPOCH_MILLIS + days * DAY_MILLIS);
}

/** Binary of `timestamp`: int64 microseconds from 2000-01-01. */
export function decodeBinaryTimestamp(bytes: Uint8Array, start: number, end: number): Date | number {
  const millis = binaryMillis("timestamp", bytes, start, end);
  return Number.isFinite(millis) ? asLocal(millis) : millis;
}

/** Binary of `timestamptz`: int64 microseconds from 2000-01-01 UTC. */
export function decodeBinaryTimestamptz(bytes: Uint8Array, start: number, end: number): Date | number {
  const millis = binaryMillis("timestamptz", bytes, start, end);
  return Number.isFinite(millis) ? new Date(millis) : millis;
}

/** Milliseconds from 1970-01-01, rounded down as the text format's are. Exact over all of Date's range. */
function binaryMillis(type: string, bytes: Uint8Array, start: number, end: number): number {
  expectLength(type, start, end, 8);
  const high = int32At(bytes, start);
  const low = uint32At(bytes, start + 4);
  if (high === INT32_MAX && low === UINT32_MAX) return Infinity;
  if (high === INT32_MIN && low === 0) return -Infinity;
  // 2 ** 32 microseconds are 4,294,967 milliseconds and 296 microseconds.
  return POSTGRES_EPOCH_MILLIS + high * 4_294_967 + Math.floor((high * 296 + low) / 1000);
}

/** The Date whose local fields are those that `millis` has in UTC. */
function asLocal(millis: number): Date {
  const utc = new Date(millis);
  return localDate(
    utc.getUTCFullYear(),
    utc.getUTCMonth(),
    utc.getUTCDate(),
    utc.getUTCHours(),
    utc.getUTCMinutes(),
    utc.getUTCSeconds(),
    utc.getUTCMilliseconds(),
  );
}

/** Binary of `interval`: int64 microseconds, int32 days, int32 months. */
export function decodeBinaryInterval(bytes: Uint8Array, start: number, end: number): PostgresInterval {
  expectLength("interval", start, end, 16);
  const months = int32At(bytes, start + 12);
  const { seconds, micros } = splitMicros(bytes, start);
  return new PostgresInterval({
    years: Math.trunc(months / 12),
    months: months % 12,
    days: int32At(bytes, start + 8),
    hours: Math.trunc(seconds / 3600),
    minutes: Math.trunc(seconds / 60) % 60,
    seconds: seconds % 60,
    milliseconds: micros / 1000,
  });
}

/** Both of the sign of the whole. */
function splitMicros(bytes: Uint8Array, at: number): { seconds: number; micros: number } {
  const micros = int32At(bytes, at) * 0x1_0000_0000 + uint32At(bytes, at + 4);
  if (Number.isSafeInteger(micros)) return { seconds: Math.trunc(micros / 1e6), micros: micros % 1e6 };
  const exact = bigint64At(bytes, at);
  return { seconds: Number(exact / 1_000_000n), micros: Number(exact % 1_000_000n) };
}
