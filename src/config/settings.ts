/**
 * Where settings come from: several sources, the strongest first. Each value is checked as it is read, so that a wrong one
 * is reported with the place where it was said.
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

/** Finds settings by name in several sources. Of several names for one thing, the first that is said counts. */
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

  /**
   * What the strongest setting means.
   *
   * @throws {ConfigError} as the reader
   */
  read<Meaning>(reader: (setting: Setting) => Meaning, ...options: string[]): Meaning | undefined {
    const setting = this.find(...options);
    return setting && reader(setting);
  }
}

/** Whether a value counts as given. */
export function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== "" && !Number.isNaN(value);
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
