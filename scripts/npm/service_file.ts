/**
 * What takes the place of src/config/service_file.ts in the entries for runtimes without files.
 *
 * @module
 */

import { failure } from "../../src/config/failure.ts";
import { env } from "../../src/config/host.ts";
import { isSaid, type Source } from "../../src/config/settings.ts";

/** @throws {ConfigError} `CONFIG_SERVICE` where a service is named */
export function serviceSource(sources: readonly Source[]): undefined {
  if (env("PGSERVICE") === undefined && !sources.some((source) => isSaid(source.get("service")))) return;
  throw failure("CONFIG_SERVICE", "there are no service files here");
}
