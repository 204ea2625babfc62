/**
 * The wolfSSL engine, which is a package of its own: loaded when it is first needed, and missed only then.
 *
 * @module
 */

import type { CryptoMode } from "../config/options.ts";
import { TlsError } from "../errors.ts";
import type { TlsEngine } from "./engine.ts";

/** A cache, and the only state of this module: one engine for each way to compute, since an engine resumes its sessions. */
const engines = new Map<CryptoMode, Promise<TlsEngine>>();

/**
 * The engine of `@pgduplex/wolfssl`.
 *
 * @throws {TlsError} `TLS_ENGINE_MISSING` where the package is not installed
 */
export function wolfsslEngine(crypto: CryptoMode): Promise<TlsEngine> {
  let engine = engines.get(crypto);
  if (engine === undefined) {
    engine = load(crypto);
    engines.set(crypto, engine);
    engine.catch(() => engines.delete(crypto));
  }
  return engine;
}

async function load(crypto: CryptoMode): Promise<TlsEngine> {
  // Within a try, by which bundlers know that the package is optional.
  try {
    const { wolfssl } = await import("@pgduplex/wolfssl");
    return wolfssl({ crypto });
  } catch (cause) {
    throw new TlsError(
      "TLS_ENGINE_MISSING",
      "what is asked for needs TLS in WebAssembly, and @pgduplex/wolfssl cannot be loaded: " +
        "npm install @pgduplex/wolfssl (licensed under GPL-3.0-or-later)",
      { phase: "tls", cause },
    );
  }
}
