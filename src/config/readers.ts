/**
 * What a setting means. Each reader takes what its option may be in a program and in text, and throws a
 * {@linkcode ConfigError} at everything else: `CONFIG_VALUE` unless said otherwise.
 *
 * @module
 */

import { invalid, type Setting, wrong } from "./settings.ts";

/** Gives the meaning of one setting. */
export type Reader<Meaning> = (setting: Setting) => Meaning;

/** @throws {ConfigError} `CONFIG_NUL`, since on the wire a NUL would end the string */
export function text(setting: Setting): string {
  const { value } = setting;
  if (typeof value !== "string") throw invalid(setting, "a string");
  if (value.includes("\0")) throw wrong(setting, "contains a NUL", "CONFIG_NUL");
  return value;
}

export function flag(setting: Setting, otherwise = "true or false"): boolean {
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

/** @param code The error's, where it is another */
export function oneOf<const Choice extends string>(choices: readonly Choice[], code?: string): Reader<Choice> {
  return (setting) => {
    const choice = choices.find((each) => each === setting.value);
    if (choice === undefined) throw invalid(setting, `one of ${choices.join(", ")}`, code);
    return choice;
  };
}

/** A whole number above 0. */
export function count(setting: Setting): number {
  const number = Number(setting.value);
  if (!Number.isSafeInteger(number) || number < 1) throw invalid(setting, "a whole number above 0");
  return number;
}

/** A whole number; 0 and `false` are none. */
export function countOrNone(setting: Setting): number {
  const number = setting.value === "false" ? 0 : Number(setting.value);
  if (!Number.isSafeInteger(number) || number < 0) throw invalid(setting, "a whole number");
  return number;
}

/** Whole milliseconds; 0, `false` and Infinity are 0, that is, no limit. */
export function millis(setting: Setting): number {
  return duration(setting, "milliseconds", 1);
}

/** As {@linkcode millis}, from whole seconds, where also a negative number means no limit (libpq). */
export function seconds(setting: Setting): number {
  return Number(setting.value) < 0 ? 0 : duration(setting, "seconds", 1000);
}

const LARGEST_DURATION = 0x7fff_ffff; // of timers in every runtime, and of the server's settings

function duration(setting: Setting, unit: string, inMillis: number): number {
  const { value } = setting;
  if (value === false || value === Infinity) return 0;
  const number = typeof value === "string" && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  const millis = typeof number === "number" ? Math.trunc(number * inMillis) : NaN;
  if (millis >= 0 && millis <= LARGEST_DURATION) return millis;
  throw invalid(setting, `${unit}, from 0 to ${Math.trunc(LARGEST_DURATION / inMillis)}`);
}

export function callable(setting: Setting): (...args: never[]) => unknown {
  if (typeof setting.value !== "function") throw invalid(setting, "a function");
  return setting.value as (...args: never[]) => unknown;
}

/** Text, or a function that will be asked for it. The value is shown in no error. */
export function textOrFunction(setting: Setting): unknown {
  if (typeof setting.value === "function") return setting.value;
  if (typeof setting.value === "string") return text(setting);
  throw wrong(setting, "must be a string or a function that gives one");
}
