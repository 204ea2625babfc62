/**
 * The core's WebAssembly module: embedded, unless the caller brings it compiled, or tells where it is.
 *
 * @module
 */

import { TlsError } from "../src/errors.ts";
import { fromBase64 } from "./x509/pem.ts";

// Compiled once for all connections; a failed attempt is not kept.
let compiled: Promise<WebAssembly.Module> | undefined;

/**
 * The embedded module, compiled on first use.
 *
 * @throws {TlsError} `TLS_CORE_MISSING`, `TLS_CORE_INVALID`
 */
export function embeddedModule(): Promise<WebAssembly.Module> {
  compiled ??= compileEmbedded().catch((error) => {
    compiled = undefined;
    throw error;
  });
  return compiled;
}

async function compileEmbedded(): Promise<WebAssembly.Module> {
  const embedded = await loadEmbedded();
  try {
    const inflated = new Blob([fromBase64(embedded)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return await WebAssembly.compile(await new Response(inflated).arrayBuffer());
  } catch (cause) {
    throw new TlsError(
      "TLS_CORE_INVALID",
      "the wolfSSL core could not be compiled: its file is damaged (install @pgduplex/wolfssl again), or this runtime " +
        "compiles no WebAssembly at run time (pass wolfssl({ module }) a module that it imported; in a page, add " +
        "'wasm-unsafe-eval' to script-src)",
      { phase: "tls", cause },
    );
  }
}

/**
 * The module at a URL.
 *
 * @throws {TlsError} `TLS_CORE_MISSING`, `TLS_CORE_INVALID`
 */
export async function fetchModule(url: URL): Promise<WebAssembly.Module> {
  const bytes = await fetchBytes(url);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    const message = `what is at ${url} could not be compiled: it is not core.wasm of @pgduplex/wolfssl, or a ` +
      "Content-Security-Policy lacks 'wasm-unsafe-eval'";
    throw new TlsError("TLS_CORE_INVALID", message, { phase: "tls", cause });
  }
}

/** For answer and body; the next connect tries again. */
const FETCH_DEADLINE_MILLIS = 60_000;

async function fetchBytes(url: URL): Promise<ArrayBuffer> {
  let cause: unknown;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(FETCH_DEADLINE_MILLIS) });
    if (response.ok) return await response.arrayBuffer();
    cause = new Error(`HTTP ${response.status}`);
  } catch (error) {
    cause = error;
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  throw new TlsError("TLS_CORE_MISSING", `the wolfSSL core cannot be fetched from ${url}: ${why}`, {
    phase: "tls",
    cause,
  });
}

async function loadEmbedded(): Promise<string> {
  try {
    // @ts-types="./core_wasm.d.ts"
    const { deflatedBase64 } = await import("./core_wasm.js");
    return deflatedBase64;
  } catch (cause) {
    throw new TlsError(
      "TLS_CORE_MISSING",
      "the wolfSSL core is missing: install @pgduplex/wolfssl again; in a checkout, deno task build:wasm",
      { phase: "tls", cause },
    );
  }
}
