/**
 * Node's TLS as an engine, for the runtimes that have it.
 *
 * @module
 */

import { builtinModule } from "../builtin_module.ts";
import type { TlsEngine } from "./engine.ts";

/** Node's TLS over any Duplex; undefined where the runtime has none. */
export async function nodeTls(): Promise<TlsEngine | undefined> {
  if (!hasNodeTls()) return undefined;
  const { nodeTlsOver } = await import("../duplex/node_tls_over.ts");
  return { name: "node", connect: nodeTlsOver };
}

/** Workers have modules of these names that cannot do all of it. */
function hasNodeTls(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator?.userAgent !== "Cloudflare-Workers" && builtinModule("node:tls") !== undefined;
}
