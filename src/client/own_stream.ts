import type { ClientConfig } from "../config/client_config.ts";
import { changedDefaults } from "./defaults.ts";
import type { ConnectionOptions } from "../config/options.ts";
import { resolveOptions } from "../config/resolve.ts";

/**
 * The options of a client, where node-postgres's `stream` brings the socket: a Node stream, or a function that gives
 * one, which is connected by its own `connect(port, host)`. As with any socket, TLS is used where it is asked for.
 */
export function resolveClientOptions(config: string | URL | ClientConfig | undefined): ConnectionOptions {
  const own = typeof config === "object" && config !== null && !(config instanceof URL) ? config : {};
  const { stream } = own;
  if (stream === undefined || stream === null) return resolveOptions(config, changedDefaults());
  const openDuplex = async (target: { host: string; port: number; signal: AbortSignal }) => {
    const { openNodeStream } = await import("../duplex/node.ts");
    return await openNodeStream(typeof stream === "function" ? stream(own) : stream, target);
  };
  // Derived rather than copied: a pool's password cannot be enumerated.
  const derive = (more: ClientConfig) => Object.assign(Object.create(own) as ClientConfig, more);
  const options = resolveOptions(derive({ openDuplex }), changedDefaults());
  // A way of one's own counts as one through a proxy otherwise.
  return options.tls.mode === undefined
    ? resolveOptions(derive({ openDuplex, ssl: false }), changedDefaults())
    : options;
}
