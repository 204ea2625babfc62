/**
 * Where settings come from and how they are read: several sources, the strongest first, each value checked as it is
 * read, so that a wrong one is reported with the place where it was said.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";

/** One place where settings are said. */
export interface Source {
  readonly kind: "connection string" | "options" | "service file" | "environment" | "defaults";
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
    get: (option) => {
      const [name, inner] = option.split(".");
      const value = field(object, name);
      return inner === undefined ? value : field(value, inner);
    },
  };
}

/** A parsed connection string. */
export function connectionStringSource(fields: ReadonlyMap<string, string>): Source {
  return {
    kind: "connection string",
    describe: (option) => `${option} in the connection string`,
    get: (option) => fields.get(option),
  };
}

const LARGEST_DURATION = 0x7fff_ffff; // of timers in every runtime, and of the server's settings

/** Reads settings by name out of several sources. Of several names for one thing, the first that is said counts. */
export class Settings {
  readonly sources: readonly Source[];

  constructor(sources: readonly Source[]) {
    this.sources = sources;
  }

  /** The strongest setting; undefined, null, the empty string and NaN count as not said. */
  find(...options: string[]): Setting | undefined {
    for (const source of this.sources) {
      for (const option of options) {
        const value = source.get(option);
        if (isSaid(value)) return { value, option, source };
      }
    }
  }

  /** @throws {ConfigError} `CONFIG_VALUE`; `CONFIG_NUL`, since on the wire a NUL would end the string. */
  text(...options: string[]): string | undefined {
    const setting = this.find(...options);
    if (setting === undefined) return undefined;
    const { value } = setting;
    if (typeof value !== "string") throw invalid(setting, "a string");
    assertNoNul(value, setting);
    return value;
  }

  /** @throws {ConfigError} `CONFIG_VALUE` */
  flag(...options: string[]): boolean | undefined {
    const setting = this.find(...options);
    if (setting === undefined) return undefined;
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
      default:
        throw invalid(setting, "true or false");
    }
  }

  /** @throws {ConfigError} `CONFIG_VALUE` */
  oneOf<Choice extends string>(choices: readonly Choice[], ...options: string[]): Choice | undefined {
    const setting = this.find(...options);
    return setting && chosen(setting, choices);
  }

  /** @throws {ConfigError} `CONFIG_VALUE` */
  count(...options: string[]): number | undefined {
    const setting = this.find(...options);
    if (setting === undefined) return undefined;
    const number = Number(setting.value);
    if (!Number.isSafeInteger(number) || number < 1) throw invalid(setting, "a whole number above 0");
    return number;
  }

  /**
   * A whole number; 0 and `false` are none.
   *
   * @throws {ConfigError} `CONFIG_VALUE`
   */
  countOrNone(...options: string[]): number | undefined {
    const setting = this.find(...options);
    if (setting === undefined) return undefined;
    const number = setting.value === "false" ? 0 : Number(setting.value);
    if (!Number.isSafeInteger(number) || number < 0) throw invalid(setting, "a whole number");
    return number;
  }

  /**
   * Whole milliseconds; 0, `false` and Infinity are 0, that is, no limit.
   *
   * @throws {ConfigError} `CONFIG_VALUE`
   */
  millis(...options: string[]): number | undefined {
    const setting = this.find(...options);
    return setting && duration(setting, "milliseconds", 1);
  }

  /**
   * As {@linkcode millis}, from a setting in whole seconds, where also a negative number means no limit (libpq).
   *
   * @throws {ConfigError} `CONFIG_VALUE`
   */
  seconds(...options: string[]): number | undefined {
    const setting = this.find(...options);
    if (setting === undefined) return undefined;
    return Number(setting.value) < 0 ? 0 : duration(setting, "seconds", 1000);
  }
}

/** Whether a value counts as given. */
export function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && !Number.isNaN(value);
}

/** @throws {ConfigError} `code` */
export function chosen<Choice extends string>(
  setting: Setting,
  choices: readonly Choice[],
  code = "CONFIG_VALUE",
): Choice {
  const choice = choices.find((each) => each === setting.value);
  if (choice === undefined) throw invalid(setting, `one of ${choices.join(", ")}`, code);
  return choice;
}

/** @throws {ConfigError} `CONFIG_NUL` */
export function assertNoNul(text: string, setting: Setting): void {
  if (text.includes("\0")) throw new ConfigError("CONFIG_NUL", `${describe(setting)} contains a NUL`, CONFIG);
}

/** The error for a value that is not what it must be. */
export function invalid(setting: Setting, expected: string, code = "CONFIG_VALUE"): ConfigError {
  const { value, option, source } = setting;
  // In a malformed connection string any value may be part of the password.
  const shown = source.kind !== "connection string" && !SECRETS.has(option) &&
      (typeof value === "string" || typeof value === "number")
    ? `, not ${JSON.stringify(value).slice(0, 80)}`
    : "";
  return new ConfigError(code, `${describe(setting)} must be ${expected}${shown}`, CONFIG);
}

/** Where a setting was said, for a message. */
export function describe({ option, source }: Setting): string {
  return source.describe(option);
}

/** Options whose values appear in no message. */
const SECRETS: ReadonlySet<string> = new Set([
  "password",
  "oauthBearerToken",
  "sslpassword",
  "ssl.passphrase",
  "sslkey",
  "ssl.key",
]);

const CONFIG = { phase: "config" } as const;

function field(object: unknown, name: string): unknown {
  return typeof object === "object" && object !== null ? (object as Record<string, unknown>)[name] : undefined;
}

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
