/**
 * Files with certificates and keys: those that settings name, and libpq's own.
 *
 * @module
 */

import { failure } from "./failure.ts";
import { homeDirectory, readTextFile, readTextFileIfPresent } from "./host.ts";
import { type Setting, wrong } from "./settings.ts";

/**
 * The text of the file that a setting names.
 *
 * @throws {ConfigError} `CONFIG_FILE`
 */
export function readNamedFile(path: string, setting: Setting): string {
  try {
    return readTextFile(path);
  } catch (cause) {
    // What was given as the key's path may be the key itself, so neither it nor the cause, which quotes it, is shown.
    const secret = setting.option === "sslkey";
    const file = secret ? "it names" : `"${path}"`;
    const problem = `must be PEM text or a file's path, but the file ${file} cannot be read (${nameOf(cause)})`;
    throw wrong(setting, problem, "CONFIG_FILE", secret ? undefined : cause);
  }
}

/**
 * `~/.postgresql/root.crt`, whose being there makes libpq verify in every mode.
 *
 * @throws {ConfigError} `CONFIG_FILE`
 */
export function libpqRootFile(): string | undefined {
  const home = homeDirectory();
  if (home === undefined) return undefined;
  const path = `${home}/.postgresql/root.crt`;
  try {
    return readTextFileIfPresent(path);
  } catch (cause) {
    throw failure("CONFIG_FILE", `cannot read the file "${path}" (${nameOf(cause)})`, { cause });
  }
}

/** Such as `ENOENT` or `NotCapable`. */
function nameOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return String(typeof code === "string" ? code : name);
}
