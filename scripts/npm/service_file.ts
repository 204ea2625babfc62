/**
 * What takes the place of src/config/service_file.ts in the entries for runtimes without files.
 *
 * @module
 */

import { env } from "../../src/config/host.ts";
import { isSaid, type Source } from "../../src/config/settings.ts";
import { ConfigError } from "../../src/errors.ts";

/** @throws {ConfigError} `CONFIG_SERVICE` where a service is named */
export function serviceSource(sources: readonly Source[]): undefined {
  if (env("PGSERVICE") === undefined && !sources.some((source) => isSaid(source.get("service")))) return;
  throw new ConfigError("CONFIG_SERVICE", "there are no service files here", { phase: "config" });
}
