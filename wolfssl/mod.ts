/**
 * TLS for pgduplex where the platform has none for the bytes at hand: wolfSSL in WebAssembly, over any Duplex.
 *
 * This package contains wolfSSL and is licensed under GPL-3.0-or-later.
 *
 * @example
 * ```ts
 * import { wolfssl } from "@pgduplex/wolfssl";
 * const engine = wolfssl({ crypto: "auto" });
 * const secured = await engine.connect(duplex, {
 *   serverName: "db.example.com",
 *   verify: { chain: true, name: true },
 *   roots: [await Deno.readTextFile("ca.pem")],
 * });
 * console.log(secured.tls.protocol, secured.tls.group, secured.tls.cipher);
 * ```
 *
 * @module
 */

import type { TlsEngine } from "../src/tls/engine.ts";
import { WolfSslEngine } from "./engine.ts";
import type { WolfSslOptions } from "./options.ts";

export type { WolfSslInfo } from "./connection.ts";
export type { CryptoMode } from "./crypto_choice.ts";
export type { WolfSslOptions } from "./options.ts";
export type { CipherSuite, Group } from "./suites.ts";
export type { TlsDuplex, TlsEngine, TlsInfo, TlsOptions, TlsVersion } from "../src/tls/engine.ts";

/**
 * Makes an engine. It may serve any number of connections at once; what it keeps between them are sessions to resume.
 */
export function wolfssl(options: WolfSslOptions = {}): TlsEngine {
  return new WolfSslEngine(options);
}
