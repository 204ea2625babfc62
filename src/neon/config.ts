/**
 * The Neon driver's settings, and what they mean for a connection of ours.
 *
 * @module
 */

import type { ClientConfig } from "../config/client_config.ts";
import { parseConnectionString } from "../config/connection_string.ts";
import { config as globalConfig } from "../config/global.ts";
import type { WebSocketConstructor } from "../config/options.ts";
import { resolveClientOptions } from "../client/resolve_client_options.ts";
import { proxyUrl } from "../duplex/proxy_url.ts";
import { ConfigError } from "../errors.ts";

/** Where the WebSocket proxy is, without a scheme: a host with or without a path, or a function that gives all of it. */
export type NeonWsProxy = string | ((host: string, port: number) => string);

/**
 * The settings of `@neondatabase/serverless`, under their names there.
 *
 * Those that steer its HTTP queries, its own TLS or its ways of saving turns are accepted and have no effect: queries go
 * through a session, TLS is this library's, and turns are saved wherever the server lets them be.
 */
export interface NeonConfig {
  /**
   * The WebSocket proxy. Default: `config.wsProxy` where that is set, else Neon's own, `host => host + "/v2"`. A string
   * gets `?address=host:port` added, and `/v1` where it has no path.
   */
  wsProxy: NeonWsProxy;
  /** Whether the proxy is spoken to by `wss:`. Default true. */
  useSecureWebSocket: boolean;
  /** The WebSocket to use. Default: the runtime's own, or npm `ws` where it has none. */
  webSocketConstructor: WebSocketConstructor | undefined;
  /**
   * True: nothing is encrypted inside the WebSocket, whatever a connection string says; who runs the proxy sees it all.
   * False: what the connection string says holds, and where it says nothing TLS is verified. Default (undefined): as
   * false, but plaintext where nothing is said and the proxy is on this machine. The Neon driver's default is true.
   */
  forceDisablePgSSL: boolean | undefined;
  /** The certificate authorities to trust, as PEM. Default: none of one's own. */
  rootCerts: string;

  /** Of no effect: `Pool.query` always goes through a session. */
  poolQueryViaFetch: boolean;
  /** Of no effect: there are no HTTP queries. */
  fetchEndpoint: unknown;
  /** Of no effect. */
  fetchConnectionCache: boolean;
  /** Of no effect. */
  fetchFunction: unknown;
  /** Of no effect: what is written in one turn of the event loop always leaves together. */
  coalesceWrites: boolean;
  /** Of no effect: authentication and first query share turns by SCRAM; no password is sent in clear for it. */
  pipelineConnect: "password" | false;
  /** Of no effect: TLS is that of `@pgduplex/wolfssl`, or Node's. */
  subtls: unknown;
  /** Of no effect: turns are saved where the proxy or the server is known to allow it. */
  pipelineTLS: boolean;
  /** Of no effect: the name is sent. */
  disableSNI: boolean;
  /** Of no effect: there is no warning. */
  disableWarningInBrowsers: boolean;
}

const neonsProxy = (host: string): string => `${host}/v2`;

/**
 * The settings of every client made here. Read when a client connects, but for what decides about TLS
 * (`forceDisablePgSSL`, `rootCerts`), which is read when it is made. A client's own `neonConfig` begins as these.
 *
 * @example
 * ```ts
 * import { neonConfig } from "@pgduplex/pgduplex/neon";
 * neonConfig.wsProxy = "proxy.example.com/v1";
 * ```
 */
export const neonConfig: NeonConfig = {
  wsProxy: neonsProxy,
  useSecureWebSocket: true,
  webSocketConstructor: undefined,
  forceDisablePgSSL: undefined,
  rootCerts: "",
  poolQueryViaFetch: false,
  fetchEndpoint: undefined,
  fetchConnectionCache: true,
  fetchFunction: undefined,
  coalesceWrites: true,
  pipelineConnect: "password",
  subtls: undefined,
  pipelineTLS: false,
  disableSNI: false,
  disableWarningInBrowsers: false,
};

/** Settings of one client, which are the global ones until they are set. */
export function ownSettings(): NeonConfig {
  return Object.create(neonConfig) as NeonConfig;
}

/**
 * The options that connect as the settings say.
 *
 * @throws {ConfigError} as resolving the options does
 */
export function clientConfig(input: string | URL | ClientConfig | undefined, settings: NeonConfig): ClientConfig {
  const given = typeof input === "string" || input instanceof URL ? { connectionString: input } : input ?? {};
  // Derived rather than copied: a pool's password cannot be enumerated.
  const derive = (base: ClientConfig, more: ClientConfig) => Object.assign(Object.create(base) as ClientConfig, more);
  const config = derive(given, {
    webSocket: given.webSocket ?? (() => settings.webSocketConstructor),
    ...settings.rootCerts && given.rootCerts === undefined ? { rootCerts: settings.rootCerts } : {},
  });
  if (given.wsProxy !== undefined || given.openDuplex !== undefined) return config; // a way of this library's own
  const plain = derive(config, { ...withoutTls(given), ssl: false });
  if (settings.forceDisablePgSSL === true) return derive(plain, { wsProxy: wsProxyOf(settings, false) });

  const through = derive(config, { wsProxy: wsProxyOf(settings, false) });
  const { host, port, tls } = resolveClientOptions(through).options;
  const saysNothing = tls.mode === undefined && settings.forceDisablePgSSL === undefined;
  if (!saysNothing || !isOnThisMachine(webSocketUrl(settings, host, port))) return through;
  return derive(plain, { wsProxy: wsProxyOf(settings, true) });
}

/**
 * A connection string with other options that win over it.
 *
 * @throws {ConfigError} `CONFIG_URL`, ...
 */
export function overriding(connectionString: string | URL | undefined, options: ClientConfig): ClientConfig {
  if (!connectionString) return options;
  const fields = new Map<string, unknown>(parseConnectionString(String(connectionString)));
  // Of a string, but not of options, direct TLS asks for TLS.
  if (fields.get("sslnegotiation") === "direct" && !fields.has("ssl") && !fields.has("sslmode")) {
    fields.set("sslmode", "verify-full");
  }
  for (const [name, value] of Object.entries(options)) if (value !== undefined) fields.set(name, value);
  return Object.fromEntries(fields);
}

/** What a connection string says, but for TLS: as options, since a string wins over those beside it. */
function withoutTls({ connectionString }: ClientConfig): ClientConfig {
  const fields = Object.entries(overriding(connectionString, {})).filter(([name]) => !ABOUT_TLS.includes(name));
  return { ...Object.fromEntries(fields), connectionString: undefined, sslmode: undefined };
}

const ABOUT_TLS = "ssl sslmode sslrootcert sslcert sslkey sslpassword sslnegotiation uselibpqcompat channel_binding"
  .split(" ");

/** @param plain Whether the connection is plaintext because the proxy was on this machine when the client was made */
function wsProxyOf(settings: NeonConfig, plain: boolean): (host: string, port: number) => string {
  return (host, port) => {
    const url = webSocketUrl(settings, host, port);
    if (!plain || isOnThisMachine(url)) return url;
    throw new ConfigError(
      "NEON_PROXY_MOVED",
      "the client was made for a proxy on this machine, to which it speaks in plaintext, and neonConfig.wsProxy now " +
        "leads elsewhere: set neonConfig.wsProxy before the client is made, or say sslmode or forceDisablePgSSL",
      { host, port, phase: "config" },
    );
  };
}

function webSocketUrl({ wsProxy, useSecureWebSocket }: NeonConfig, host: string, port: number): string {
  const scheme = useSecureWebSocket ? "wss" : "ws";
  const chosen = wsProxy === neonsProxy && globalConfig.wsProxy !== undefined ? globalConfig.wsProxy : wsProxy;
  const withScheme = (text: string) => /^[a-z]+:\/\//i.test(text) ? text : `${scheme}://${text}`;
  // A function gives the whole of it; of what is no text, proxyUrl makes the error.
  if (typeof chosen !== "function") return proxyUrl(withScheme(chosen), host, port);
  return proxyUrl((...target) => withScheme(chosen(...target)), host, port);
}

function isOnThisMachine(url: string): boolean {
  return /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(new URL(url).hostname);
}
