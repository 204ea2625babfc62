/**
 * The wolfSSL engine, which is a package of its own: loaded when it is first needed, and missed only then.
 *
 * @module
 */

import type { CryptoMode } from "../config/options.ts";
import { TlsError } from "../errors.ts";
import type { TlsEngine } from "./engine.ts";

/**
 * A cache, and the only state of this module: one engine for each way to compute, since an engine resumes its sessions.
 * Only what is loaded is kept: on Workers a promise must not be awaited by another request than the one that made it.
 */
const engines = new Map<CryptoMode, TlsEngine>();

/**
 * The engine of `@pgduplex/wolfssl`.
 *
 * @throws {TlsError} `TLS_ENGINE_MISSING` where the package, or in a checkout its core, is not there; `TLS_CORE_INVALID`
 * where its core cannot be compiled
 */
export async function wolfsslEngine(crypto: CryptoMode): Promise<TlsEngine> {
  const kept = engines.get(crypto);
  if (kept !== undefined) return kept;
  const loaded = await load(crypto);
  const engine = engines.get(crypto) ?? loaded;
  engines.set(crypto, engine);
  return engine;
}

async function load(crypto: CryptoMode): Promise<TlsEngine> {
  // Within a try, by which bundlers know that the package is optional.
  try {
    const { wolfssl } = await import("@pgduplex/wolfssl");
    const engine = wolfssl({ crypto });
    await engine.prepare?.();
    return engine;
  } catch (cause) {
    // It is there, and knows better why it cannot be used: a page's policy, say, forbids WebAssembly.
    if (cause instanceof TlsError && cause.driverCode === "TLS_CORE_INVALID") throw cause;
    throw new TlsError(
      "TLS_ENGINE_MISSING",
      "what is asked for needs TLS in WebAssembly, and @pgduplex/wolfssl cannot be loaded: " +
        "npm install @pgduplex/wolfssl (licensed under GPL-3.0-or-later); in a checkout, deno task build:wasm",
      { phase: "tls", cause },
    );
  }
}
