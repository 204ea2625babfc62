/**
 * The options of a client, where node-postgres is more lenient than they are.
 *
 * @module
 */

import type { ClientConfig } from "../config/client_config.ts";
import type { ConnectionOptions } from "../config/options.ts";
import { resolveOptions } from "../config/resolve.ts";
import { ConfigError } from "../errors.ts";
import { loadPart } from "../part.ts";
import { changedDefaults } from "./defaults.ts";

/** The options of a client. */
export interface ResolvedOptions {
  readonly options: ConnectionOptions;
  /** What makes every connect fail: as in node-postgres, certificates that cannot be used come to light there. */
  readonly flaw: ConfigError | undefined;
}

/**
 * Resolves what a client was given.
 *
 * @throws {ConfigError} for whatever cannot be used, but for the certificates and keys of an `ssl` object
 */
export function resolveClientOptions(config: string | URL | ClientConfig | undefined): ResolvedOptions {
  try {
    return { options: resolveOwnStream(config), flaw: undefined };
  } catch (flaw) {
    const ssl = typeof config === "object" && config !== null && !(config instanceof URL) ? config.ssl : undefined;
    if (!(flaw instanceof ConfigError) || typeof ssl !== "object" || ssl === null) throw flaw;
    const { rejectUnauthorized } = ssl;
    return { options: resolveOwnStream(derive(config as ClientConfig, { ssl: { rejectUnauthorized } })), flaw };
  }
}

/**
 * node-postgres's `stream` brings the socket: a Node stream, or a function that gives one, which is connected by its own
 * `connect(port, host)`. As with any socket, TLS is used where it is asked for.
 */
function resolveOwnStream(config: string | URL | ClientConfig | undefined): ConnectionOptions {
  const own = typeof config === "object" && config !== null && !(config instanceof URL) ? config : {};
  const { stream } = own;
  if (stream === undefined || stream === null) return resolveOptions(config, changedDefaults());
  const openDuplex = async (target: { host: string; port: number; signal: AbortSignal }) => {
    const { openNodeStream } = await loadPart(async () => await import("../duplex/node.ts"));
    return await openNodeStream(typeof stream === "function" ? stream(own) : stream, target);
  };
  const options = resolveOptions(derive(own, { openDuplex }), changedDefaults());
  // A way of one's own counts as one through a proxy otherwise.
  return options.tls.mode === undefined
    ? resolveOptions(derive(own, { openDuplex, ssl: false }), changedDefaults())
    : options;
}

/** Derived rather than copied: a pool's password cannot be enumerated. */
function derive(config: ClientConfig, more: ClientConfig): ClientConfig {
  return Object.assign(Object.create(config) as ClientConfig, more);
}
