/**
 * JavaScript values as parameters of a query: what node-postgres sends for each, in text, and bytes as they are. What
 * node-postgres sends as garbage (an invalid Date, a function's source text) is refused.
 *
 * | value | parameter |
 * |---|---|
 * | null, undefined | NULL |
 * | string, number, bigint, boolean | its string |
 * | Uint8Array, any other view, ArrayBuffer | the bytes, in binary |
 * | Date | ISO 8601 to the millisecond, in local time with its offset or in UTC |
 * | array | an array literal |
 * | object with `toPostgres(encode)` | what that returns, encoded |
 * | any other object | JSON |
 *
 * @module
 */

import { ConfigError } from "../errors.ts";

/** Far more than the six dimensions that the server takes, far less than the stack. */
const MAX_DEPTH = 100;

/** How values are encoded. */
export interface ParameterOptions {
  /** True: Dates are sent in UTC rather than in local time (`parseInputDatesAsUTC`). Default: false. */
  readonly datesAsUTC?: boolean;
}

/** What goes into Bind: text, bytes in binary, or NULL. */
export type EncodedParameter = string | Uint8Array | null;

/**
 * Encodes one parameter. Bytes are not copied. An array of `[1, null, "a b"]` becomes `{"1",NULL,"a b"}`.
 *
 * @param index The parameter's number in its statement, from 1, for the error message.
 * @throws {ConfigError} `VALUE_UNENCODABLE`, naming the parameter, for a symbol, a function, an invalid Date, a value
 * that contains itself, or one that JSON has no form for
 */
export function encodeParameter(value: unknown, options: ParameterOptions = {}, index?: number): EncodedParameter {
  return isPrimitive(value) ? encodePrimitive(value) : new ParameterEncoder(options, index).encode(value);
}

/**
 * Encodes all parameters of a statement. As in node-postgres, a hole in the array is NULL.
 *
 * @throws {ConfigError} as {@linkcode encodeParameter}
 */
export function encodeParameters(
  values: readonly unknown[] | null | undefined,
  options: ParameterOptions,
): EncodedParameter[] {
  const encoded: EncodedParameter[] = [];
  const count = values?.length ?? 0;
  for (let index = 0; index < count; index++) encoded.push(encodeParameter(values?.[index], options, index + 1));
  return encoded;
}

type Primitive = string | number | bigint | boolean | null | undefined;

function isPrimitive(value: unknown): value is Primitive {
  return value === null || (typeof value !== "object" && typeof value !== "function" && typeof value !== "symbol");
}

function encodePrimitive(value: Primitive): string | null {
  if (typeof value === "string") return value;
  return value === null || value === undefined ? null : String(value);
}

/** An object that says itself what it is to PostgreSQL. */
interface ToPostgres {
  toPostgres(encode: (value: unknown) => EncodedParameter): unknown;
}

class ParameterEncoder {
  readonly #options: ParameterOptions;
  readonly #index: number | undefined;
  /** The arrays and `toPostgres` objects around the value at hand, to notice one inside itself. */
  readonly #around: unknown[];

  constructor(options: ParameterOptions, index: number | undefined, around: readonly unknown[] = []) {
    this.#options = options;
    this.#index = index;
    this.#around = [...around];
  }

  encode(value: unknown): EncodedParameter {
    if (isPrimitive(value)) return encodePrimitive(value);
    if (typeof value === "object" && value !== null) return this.#encodeObject(value);
    throw this.#unencodable(`a ${typeof value} has no form in PostgreSQL`);
  }

  #encodeObject(value: object): EncodedParameter {
    const bytes = asBytes(value);
    if (bytes !== undefined) return bytes;
    if (isA(value, Date)) return this.#encodeDate(value);
    if (Array.isArray(value)) return this.#encodeArray(value);
    return hasToPostgres(value) ? this.#encodeToPostgres(value) : this.#encodeJson(value);
  }

  #encodeArray(values: readonly unknown[]): string {
    this.#enter(values);
    let literal = "{";
    for (let index = 0; index < values.length; index++) {
      if (index > 0) literal += ",";
      literal += this.#encodeElement(values[index]);
    }
    this.#around.pop();
    return literal + "}";
  }

  #encodeElement(value: unknown): string {
    if (typeof value === "string") return quote(value);
    const encoded = this.encode(value);
    if (encoded === null) return "NULL";
    if (Array.isArray(value)) return String(encoded);
    return typeof encoded === "string" ? quote(encoded) : `\\\\x${hex(encoded)}`;
  }

  #encodeToPostgres(value: ToPostgres): EncodedParameter {
    this.#enter(value);
    // An encoder of its own, since the object may catch what encoding throws, or keep the function.
    const encode = (inner: unknown) => new ParameterEncoder(this.#options, this.#index, this.#around).encode(inner);
    const encoded = this.encode(value.toPostgres(encode));
    this.#around.pop();
    return encoded;
  }

  #encodeDate(date: Date): string {
    if (Number.isNaN(date.getTime())) throw this.#unencodable("the Date is invalid");
    return formatDate(date, this.#options.datesAsUTC === true);
  }

  #encodeJson(value: object): string | null {
    try {
      // Undefined where a toJSON method returns it: then there is no value.
      return (JSON.stringify(value) as string | undefined) ?? null;
    } catch (cause) {
      throw this.#unencodable("the object cannot be written as JSON (it contains itself, or a bigint)", cause);
    }
  }

  #enter(value: object): void {
    if (this.#around.includes(value)) throw this.#unencodable("circular reference detected: the value contains itself");
    if (this.#around.length === MAX_DEPTH) throw this.#unencodable(`it is nested more than ${MAX_DEPTH} deep`);
    this.#around.push(value);
  }

  #unencodable(why: string, cause?: unknown): ConfigError {
    const subject = this.#index === undefined ? "a parameter" : `parameter $${this.#index}`;
    const options = cause === undefined ? {} : { cause };
    return new ConfigError("VALUE_UNENCODABLE", `${subject} cannot be encoded: ${why}`, options);
  }
}

/** Any bytes as a Uint8Array over the same memory; a Buffer, or any other Uint8Array, as it is. */
function asBytes(value: object): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return "byteLength" in value && isA(value, ArrayBuffer) ? new Uint8Array(value) : undefined;
}

/** Also of another realm, as a test runner's are. */
function isA<T extends object>(value: object, Class: new (...args: never[]) => T): value is T {
  return value instanceof Class || Object.prototype.toString.call(value) === `[object ${Class.name}]`;
}

function hasToPostgres(value: object): value is ToPostgres {
  return typeof (value as Partial<ToPostgres>).toPostgres === "function";
}

/** As an element of an array literal. */
function quote(text: string): string {
  return `"${/["\\]/.test(text) ? text.replace(/["\\]/g, "\\$&") : text}"`;
}

function hex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += byte.toString(16).padStart(2, "0");
  return text;
}

/**
 * `2025-01-31T23:59:59.123+05:30`, in the local time zone or in UTC. Seconds of an ancient offset are lost, as in
 * node-postgres.
 */
function formatDate(date: Date, asUTC: boolean): string {
  return asUTC
    ? format(
      date.getUTCFullYear(),
      date.getUTCMonth(),
      date.getUTCDate(),
      date.getUTCHours(),
      date.getUTCMinutes(),
      date.getUTCSeconds(),
      date.getUTCMilliseconds(),
      0,
    )
    : format(
      date.getFullYear(),
      date.getMonth(),
      date.getDate(),
      date.getHours(),
      date.getMinutes(),
      date.getSeconds(),
      date.getMilliseconds(),
      -date.getTimezoneOffset(),
    );
}

/** The offset is in minutes. Year 0 is 1 BC. */
function format(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  millis: number,
  offset: number,
): string {
  const minutes = Math.abs(offset);
  return pad(year < 1 ? 1 - year : year, 4) + "-" + pad(month + 1) + "-" + pad(day) +
    "T" + pad(hour) + ":" + pad(minute) + ":" + pad(second) + "." + pad(millis, 3) +
    (offset < 0 ? "-" : "+") + pad(Math.floor(minutes / 60)) + ":" + pad(minutes % 60) + (year < 1 ? " BC" : "");
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, "0");
}
