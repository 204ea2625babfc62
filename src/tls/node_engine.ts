/**
 * Node's TLS as an engine, for the runtimes that have it.
 *
 * @module
 */

import { builtinModule } from "../builtin_module.ts";
import { loadPart } from "../part.ts";
import type { TlsEngine, TlsOptions } from "./engine.ts";

/** Node's TLS over any Duplex; undefined where the runtime has none. */
export async function nodeTls(): Promise<TlsEngine | undefined> {
  if (!hasNodeTls()) return undefined;
  const { nodeTlsOver } = await loadPart(async () => await import("../duplex/node_tls_over.ts"));
  return { name: "node", connect: nodeTlsOver };
}

/** The wolfSSL engine; Node's where that cannot be had, or where only Node's can honour the options. */
export async function wolfsslOrNode(options: TlsOptions, wolfssl: () => Promise<TlsEngine>): Promise<TlsEngine> {
  const { nodeOptions, minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = options;
  const onlyNode = nodeOptions !== undefined || minVersion < "TLSv1.2" || maxVersion < "TLSv1.2";
  const node = onlyNode ? await nodeTls() : undefined;
  if (node !== undefined) return node;
  try {
    return await wolfssl();
  } catch (error) {
    const instead = await nodeTls();
    if (instead === undefined) throw error;
    return instead;
  }
}

/** Workers have modules of these names that cannot do all of it. */
function hasNodeTls(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator?.userAgent !== "Cloudflare-Workers" && builtinModule("node:tls") !== undefined;
}
