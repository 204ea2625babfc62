/**
 * What takes the place of src/duplex/system_failure.ts where there are no sockets: nothing is known there but a code, such
 * as the proxy's word that the connection beyond it was reset.
 *
 * @module
 */

import { DriverError } from "../../src/errors.ts";
import type * as system from "../../src/duplex/system_failure.ts";

export const systemFailure: typeof system.systemFailure = (cause) => {
  const { code } = (cause ?? {}) as { code?: unknown };
  return typeof code !== "string" || cause instanceof DriverError ? undefined : { code };
};

export const adviceOf: typeof system.adviceOf = () => "";
