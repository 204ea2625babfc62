import { ConfigError, type DriverErrorOptions } from "../errors.ts";

/** What everything here fails with. */
export function failure(code: string, message: string, options?: DriverErrorOptions): ConfigError {
  return new ConfigError(code, message, { phase: "config", ...options });
}
