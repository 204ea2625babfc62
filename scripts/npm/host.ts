/**
 * What takes the place of src/config/host.ts in the entries for runtimes without files: at most there is an environment.
 *
 * @module
 */

import type * as host from "../../src/config/host.ts";

type Host = Omit<typeof host, "permitted">;

export const env: Host["env"] = (name) =>
  (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name] || undefined;

export const readTextFile: Host["readTextFile"] = () => {
  throw new DOMException("this runtime has no files", "NotSupportedError");
};

export const readTextFileIfPresent: Host["readTextFileIfPresent"] = () => undefined;

export const homeDirectory: Host["homeDirectory"] = () => undefined;

export const userFile: Host["userFile"] = () => undefined;

export const userName: Host["userName"] = () => env("USER") ?? env("USERNAME") ?? env("LOGNAME");

export const userIsNamed: Host["userIsNamed"] = () => env("USER") !== undefined;

export const inDomain: Host["inDomain"] = (callback) => callback;

export const fileSystem: Host["fileSystem"] = () => undefined;
