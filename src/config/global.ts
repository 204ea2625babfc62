/**
 * Settings for every client of the program, for those who cannot reach each client's own: a library's pool, an ORM.
 *
 * @module
 */

import type { PemSource } from "./client_config.ts";
import type { CryptoMode, TlsEngineChoice, WsProxy } from "./options.ts";
import type { Source } from "./settings.ts";

/** What {@linkcode config} may hold. */
export interface GlobalConfig {
  /**
   * The WebSocket proxy that clients go through: its URL or host, or a function of the database's host and port that
   * gives the whole URL. Undefined: clients use the runtime's own sockets.
   */
  wsProxy?: WsProxy | undefined;
  /** The certificate authorities to trust, as PEM or DER. Undefined: the platform's own, or the engine's. */
  rootCerts?: PemSource | readonly PemSource[] | undefined;
  /** Which TLS to use. Undefined: `auto`. */
  tlsEngine?: TlsEngineChoice | undefined;
  /** Who computes for the wolfSSL engine. Undefined: `auto`. */
  crypto?: CryptoMode | undefined;
}

/**
 * Settings for every client that does not say otherwise itself. Read when a client is made.
 *
 * @example
 * ```ts
 * import { config } from "@pgduplex/pgduplex";
 * config.wsProxy = (host, port) => `wss://proxy.example.com/v1?address=${host}:${port}`;
 * ```
 */
export const config: GlobalConfig = {
  wsProxy: undefined,
  rootCerts: undefined,
  tlsEngine: undefined,
  crypto: undefined,
};

const NAMES = ["wsProxy", "rootCerts", "tlsEngine", "crypto"] as const satisfies readonly (keyof GlobalConfig)[];

/** {@linkcode config} as a source of settings, the weakest. */
export const globalSource: Source = {
  kind: "global",
  describe: (option) => `the global config.${option}`,
  get: (option) => {
    const name = NAMES.find((each) => each === option);
    return name && config[name];
  },
};
