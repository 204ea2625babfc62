/**
 * Which TLS secures a connection.
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import type { TlsEngine } from "./engine.ts";
import { platformEngine } from "./platform.ts";

/** The platform's own TLS on its own sockets; over anything else Node's, where the runtime has it. */
export async function chooseEngine(transport: Duplex): Promise<TlsEngine> {
  if (transport.startTls !== undefined || !hasNodeTls()) return platformEngine;
  const { nodeTlsOver } = await import("../duplex/node_tls_over.ts");
  return { name: "node", connect: nodeTlsOver };
}

/** Workers have modules of these names that cannot do all of it. */
function hasNodeTls(): boolean {
  const { process, navigator } = globalThis as {
    process?: { getBuiltinModule?(name: string): unknown };
    navigator?: { userAgent?: string };
  };
  return navigator?.userAgent !== "Cloudflare-Workers" && process?.getBuiltinModule?.("node:tls") !== undefined;
}
