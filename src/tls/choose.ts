/**
 * Which TLS secures a connection.
 *
 * @module
 */

import type { CryptoMode, TlsEngineChoice } from "../config/options.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { loadPart } from "../part.ts";
import type { TlsEngine, TlsOptions } from "./engine.ts";
import { wolfsslEngine } from "./engine_loader.ts";
import { nodeTls, wolfsslOrNode } from "./node_engine.ts";

/** What was said about the engine of a connection. */
export interface EngineWish {
  readonly tlsEngine: TlsEngineChoice;
  readonly crypto: CryptoMode;
  /** Whether the runtime's own roots were asked for. */
  readonly systemRoots: boolean;
}

/**
 * Chooses the engine for a connection that is to have these options.
 *
 * - A `TlsEngine`, `wolfssl` or `platform`: that one. The platform's TLS over anything but its own sockets is Node's,
 *   where the runtime has it.
 * - `auto`, on a socket of the platform: the platform's TLS; for an option that it cannot honour the wolfSSL engine, or
 *   for one of Node's own Node's TLS, where the runtime has it; where there is neither, the platform's refusal.
 * - `auto`, over anything else: the wolfSSL engine; where that is not installed, or options of Node's own TLS or a
 *   version before TLS 1.2 are asked for, Node's, where the runtime has it.
 *
 * @throws {TlsError} `TLS_ENGINE_MISSING` where there is none
 */
export async function chooseEngine(
  transport: Pick<Duplex, "startTls">,
  options: TlsOptions,
  wish: EngineWish,
): Promise<TlsEngine> {
  const { tlsEngine } = wish;
  const wolfssl = async () => await withRoots(await wolfsslEngine(wish.crypto), wish);
  if (typeof tlsEngine === "object") return await withRoots(tlsEngine, wish);
  if (tlsEngine === "wolfssl") return await wolfssl();
  if (transport.startTls === undefined && tlsEngine === "auto") return await wolfsslOrNode(options, wolfssl);
  const { platformEngine, platformOr } = await loadPart(async () => await import("./platform.ts"));
  if (transport.startTls === undefined) return await nodeTls() ?? platformEngine;
  return tlsEngine === "auto" ? platformOr(wolfssl) : platformEngine;
}

/** An engine of no platform has no platform's roots: where they are asked for, it is given them. */
async function withRoots(engine: TlsEngine, { systemRoots }: EngineWish): Promise<TlsEngine> {
  if (!systemRoots) return engine;
  const { withSystemRoots } = await loadPart(async () => await import("./roots.ts"));
  return withSystemRoots(engine);
}
