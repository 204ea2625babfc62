import { AuthenticationError, type DriverErrorOptions } from "../errors.ts";

/** What everything here fails with. */
export function failure(code: string, message: string, options?: DriverErrorOptions): AuthenticationError {
  return new AuthenticationError(code, message, { phase: "authentication", ...options });
}
