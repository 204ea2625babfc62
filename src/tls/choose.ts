/**
 * Which TLS secures a connection.
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import type { TlsEngine } from "./engine.ts";
import { platformEngine } from "./platform.ts";

/** The platform's own TLS on its own sockets. */
export function chooseEngine(_transport: Duplex): Promise<TlsEngine> {
  return Promise.resolve(platformEngine);
}
