/**
 * What a proxy can be told, with its defaults; read once, checked, frozen. Pure.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { parseIp, parseName, scopeOf } from "./address.ts";
import type { ProxyEvent } from "./events.ts";
import { createOriginPolicy, type OriginOptions, type OriginPolicy } from "./origin.ts";
import { createPolicy, type Policy, type PolicyOptions } from "./policy.ts";

/** Options of `startProxy`. Durations are milliseconds. */
export interface ProxyOptions extends PolicyOptions, OriginOptions {
  /** Where to listen. Default: `127.0.0.1`, and a port that is free (0). With `dev`, loopback only. */
  readonly listen?: { readonly host?: string | undefined; readonly port?: number | undefined } | undefined;
  /** Connections at a time, those being dialled included. Default: 1000. */
  readonly maxConnections?: number | undefined;
  /**
   * Of these, those from one address (of IPv6: from one /64), as the proxy sees it. Default: all. Behind a load balancer
   * every client has that one's address.
   */
  readonly maxConnectionsPerClient?: number | undefined;
  /** Bytes of one WebSocket message, at most; a longer one ends the connection (1009). Default: 16 MiB. */
  readonly maxMessageBytes?: number | undefined;
  /** Ends a connection over which nothing was sent for so long; 0: never. Default: one hour. */
  readonly idleTimeoutMillis?: number | undefined;
  /**
   * From the request to the connection with the target, resolving included; and once more for its answer to an
   * SSLRequest, where the client leaves that to the proxy. Default: 10 s.
   */
  readonly dialTimeoutMillis?: number | undefined;
  /** How often a silent client is asked whether it is still there; 0: never. Default: 30 s. */
  readonly pingIntervalMillis?: number | undefined;
  /** How long one side may take to end after the other has. Default: 5 s. */
  readonly lingerMillis?: number | undefined;
  /** How names are resolved. Default: the system's resolver. */
  readonly resolve?: ((host: string) => Promise<readonly string[]>) | undefined;
  /** Told of every connection. It must not throw. */
  readonly onEvent?: ((event: ProxyEvent) => void) | undefined;
}

/** {@linkcode ProxyOptions} with nothing left open, except how names are resolved. */
export interface ResolvedProxyOptions {
  readonly policy: Policy;
  readonly origins: OriginPolicy;
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  readonly maxConnectionsPerClient: number;
  readonly maxMessageBytes: number;
  readonly idleTimeoutMillis: number;
  readonly dialTimeoutMillis: number;
  readonly pingIntervalMillis: number;
  readonly lingerMillis: number;
  readonly resolve: ((host: string) => Promise<readonly string[]>) | undefined;
  readonly onEvent: (event: ProxyEvent) => void;
}

const MAX_TIMER_MILLIS = 2 ** 31 - 1; // what setTimeout can wait
const MAX_CONNECTIONS = 1_000_000;
const MAX_MESSAGE_BYTES = 1024 * 1024 * 1024; // as PostgreSQL, whose own messages end there

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {ConfigError} `PROXY_NOT_RESTRICTED`, `PROXY_RULE_INVALID`, `PROXY_PATTERN_INVALID`, `PROXY_ORIGIN_INVALID`,
 * `PROXY_DEV_NOT_LOOPBACK`, `PROXY_OPTION_INVALID`
 */
export function resolveProxyOptions(options: ProxyOptions): ResolvedProxyOptions {
  const policy = createPolicy(options);
  const host = options.listen?.host ?? "127.0.0.1";
  if (options.dev && !isLoopback(host)) {
    throw new ConfigError(
      "PROXY_DEV_NOT_LOOPBACK",
      `with --dev the proxy listens on loopback only, not on ${JSON.stringify(host)}: ` +
        "listen on 127.0.0.1, or replace --dev by an allow-list",
      { phase: "config" },
    );
  }
  return Object.freeze({
    policy,
    origins: createOriginPolicy(options),
    host,
    port: integer("listen.port", options.listen?.port, 0, 0, 65535),
    maxConnections: integer("maxConnections", options.maxConnections, 1000, 1, MAX_CONNECTIONS),
    maxConnectionsPerClient: integer(
      "maxConnectionsPerClient",
      options.maxConnectionsPerClient,
      MAX_CONNECTIONS,
      1,
      MAX_CONNECTIONS,
    ),
    maxMessageBytes: integer("maxMessageBytes", options.maxMessageBytes, 16 * 1024 * 1024, 1024, MAX_MESSAGE_BYTES),
    idleTimeoutMillis: duration("idleTimeoutMillis", options.idleTimeoutMillis, 3_600_000, 0),
    dialTimeoutMillis: duration("dialTimeoutMillis", options.dialTimeoutMillis, 10_000, 1),
    pingIntervalMillis: duration("pingIntervalMillis", options.pingIntervalMillis, 30_000, 0),
    lingerMillis: duration("lingerMillis", options.lingerMillis, 5_000, 1),
    resolve: options.resolve,
    onEvent: options.onEvent ?? (() => {}),
  });
}

/** Whether a host to listen on can be reached from this machine only. */
function isLoopback(host: string): boolean {
  const ip = parseIp(host);
  if (ip !== undefined) return scopeOf(ip) === "loopback";
  const name = parseName(host);
  return name.ok && name.value === "localhost";
}

function duration(name: string, value: number | undefined, fallback: number, least: number): number {
  return integer(name, value, fallback, least, MAX_TIMER_MILLIS);
}

function integer(name: string, value: number | undefined, fallback: number, least: number, most: number): number {
  const number = value ?? fallback;
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  throw new ConfigError(
    "PROXY_OPTION_INVALID",
    `${name} must be a whole number from ${least} to ${most}, not ${number}`,
    {
      phase: "config",
    },
  );
}
