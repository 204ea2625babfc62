/**
 * Where settings come from and how they are read: several sources, the strongest first, each value checked as it is
 * read, so that a wrong one is reported with the place where it was said.
 *
 * @module
 */

import type { ConfigError } from "../errors.ts";
import { failure } from "./failure.ts";

/** One place where settings are said. */
export interface Source {
  readonly kind: "connection string" | "options" | "service file" | "environment" | "defaults" | "global";
  /** Where a person would look for the setting, for messages: `port in the connection string`. */
  describe(option: string): string;
  /** What is said, unchecked. `ssl.ca` is a field of the `ssl` object. */
  get(option: string): unknown;
  /** The names of all that is said, where a warning about unknown ones is due. */
  readonly names?: readonly string[];
}

/** A value, the option that said it and where. */
export interface Setting {
  readonly value: unknown;
  readonly option: string;
  readonly source: Source;
}

/** The options object that a user gave, or the module's `defaults`. */
export function objectSource(kind: "options" | "defaults", object: object): Source {
  return {
    kind,
    describe: (option) => kind === "options" ? `the option ${option}` : `${option} of the defaults`,
    get: (option) => option.split(".").reduce<unknown>(field, object),
    names: kind === "options" ? Object.keys(object).filter((name) => isSaid(field(object, name))) : [],
  };
}

function field(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? (object as Record<string, unknown>)[name] : undefined;
}

/** A parsed connection string. */
export function connectionStringSource(fields: ReadonlyMap<string, string>): Source {
  return {
    kind: "connection string",
    describe: (option) => `${option} in the connection string`,
    get: (option) => fields.get(option),
    names: [...fields.keys()],
  };
}

const LARGEST_DURATION = 0x7fff_ffff; // of timers in every runtime, and of the server's settings

/**
 * Reads settings by name out of several sources. Of several names for one thing, the first that is said counts. What is
 * not what it must be throws a {@linkcode ConfigError}, `CONFIG_VALUE` unless said otherwise.
 */
export class Settings {
  readonly sources: readonly Source[];
  /** The options that were asked for. */
  readonly asked: Set<string> = new Set();

  constructor(sources: readonly Source[]) {
    this.sources = sources;
  }

  /** The strongest setting; undefined, null, the empty string and NaN count as not said. */
  find(...options: string[]): Setting | undefined {
    for (const option of options) this.asked.add(option);
    for (const source of this.sources) {
      for (const option of options) {
        const value = source.get(option);
        if (isSaid(value)) return { value, option, source };
      }
    }
  }

  /** @throws {ConfigError} `CONFIG_NUL`, since on the wire a NUL would end the string. */
  text(...options: string[]): string | undefined {
    const setting = this.find(...options);
    if (setting === undefined) return undefined;
    if (typeof setting.value !== "string") throw invalid(setting, "a string");
    return withoutNul(setting.value, setting);
  }

  flag(...options: string[]): boolean | undefined {
    const setting = this.find(...options);
    return setting && flagOf(setting);
  }

  oneOf<Choice extends string>(choices: readonly Choice[], ...options: string[]): Choice | undefined {
    const setting = this.find(...options);
    return setting && chosen(setting, choices);
  }

  /** A whole number, `least` or more; where that is 0, `false` is none as well. */
  count(least: 0 | 1, ...options: string[]): number | undefined {
    const setting = this.find(...options);
    if (setting === undefined) return undefined;
    const number = least === 0 && setting.value === "false" ? 0 : Number(setting.value);
    if (Number.isSafeInteger(number) && number >= least) return number;
    throw invalid(setting, least === 0 ? "a whole number" : "a whole number above 0");
  }

  /** Whole milliseconds; 0, `false` and Infinity are 0, that is, no limit. */
  millis(...options: string[]): number | undefined {
    const setting = this.find(...options);
    return setting && duration(setting, "milliseconds", 1);
  }

  /** As {@linkcode millis}, from a setting in whole seconds, where also a negative number means no limit (libpq). */
  seconds(...options: string[]): number | undefined {
    const setting = this.find(...options);
    return setting && (Number(setting.value) < 0 ? 0 : duration(setting, "seconds", 1000));
  }
}

/** @throws {ConfigError} `CONFIG_VALUE` */
export function flagOf(setting: Setting, otherwise = "true or false"): boolean {
  switch (setting.value) {
    case true:
    case "true":
    case "1":
    case 1:
      return true;
    case false:
    case "false":
    case "0":
    case 0:
      return false;
  }
  throw invalid(setting, otherwise);
}

/** Whether a value counts as given. */
export function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && !Number.isNaN(value);
}

/** @throws {ConfigError} `code` */
export function chosen<Choice extends string>(
  setting: Setting,
  choices: readonly Choice[],
  code?: string,
): Choice {
  const choice = choices.find((each) => each === setting.value);
  if (choice === undefined) throw invalid(setting, `one of ${choices.join(", ")}`, code);
  return choice;
}

/** @throws {ConfigError} `CONFIG_NUL` */
export function withoutNul(text: string, setting: Setting): string {
  if (text.includes("\0")) throw wrong(setting, "contains a NUL", "CONFIG_NUL");
  return text;
}

/** The error for a value that is not what it must be. */
export function invalid(setting: Setting, expected: string, code?: string): ConfigError {
  const { value, option, source } = setting;
  // In a malformed connection string any value may be part of the password.
  const shown = source.kind !== "connection string" && !SECRETS.includes(option) &&
      (typeof value === "string" || typeof value === "number")
    ? `, not ${JSON.stringify(value).slice(0, 80)}`
    : "";
  return wrong(setting, `must be ${expected}${shown}`, code);
}

/** The error for a setting of which the value is not shown: where it was said, and what is wrong with it. */
export function wrong({ option, source }: Setting, what: string, code = "CONFIG_VALUE", cause?: unknown): ConfigError {
  return failure(code, `${source.describe(option)} ${what}`, cause === undefined ? {} : { cause });
}

/** Options whose values appear in no message. */
const SECRETS = ["password", "oauthBearerToken", "sslpassword", "ssl.passphrase", "sslkey", "ssl.key"];

function duration(setting: Setting, unit: string, inMillis: number): number {
  const { value } = setting;
  if (value === false || value === Infinity) return 0;
  const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  const millis = typeof number === "number" ? Math.trunc(number * inMillis) : NaN;
  if (!(millis >= 0 && millis <= LARGEST_DURATION)) {
    throw invalid(setting, `${unit}, from 0 to ${Math.trunc(LARGEST_DURATION / inMillis)}`);
  }
  return millis;
}
