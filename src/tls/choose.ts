/**
 * Which TLS secures a connection.
 *
 * @module
 */

import { builtinModule } from "../builtin_module.ts";
import type { CryptoMode, TlsEngineChoice } from "../config/options.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { TlsError } from "../errors.ts";
import type { TlsEngine, TlsOptions } from "./engine.ts";
import { wolfsslEngine } from "./engine_loader.ts";
import { platformEngine } from "./platform.ts";
import { rootsUnavailable, systemRoots } from "./roots.ts";

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
  if (typeof tlsEngine === "object") return withRoots(tlsEngine, wish);
  if (tlsEngine === "wolfssl") return await wolfssl(wish);
  if (transport.startTls !== undefined) return tlsEngine === "auto" ? platformWhereAble(wish) : platformEngine;
  if (tlsEngine === "platform") return await nodeTls() ?? platformEngine;
  return await engineOverAnything(options, wish);
}

async function engineOverAnything(options: TlsOptions, wish: EngineWish): Promise<TlsEngine> {
  const node = onlyNodeCan(options) ? await nodeTls() : undefined;
  if (node !== undefined) return node;
  try {
    return await wolfssl(wish);
  } catch (error) {
    const instead = await nodeTls();
    if (instead === undefined) throw error;
    return instead;
  }
}

function onlyNodeCan({ nodeOptions, minVersion = "TLSv1.2", maxVersion = "TLSv1.3" }: TlsOptions): boolean {
  return nodeOptions !== undefined || minVersion < "TLSv1.2" || maxVersion < "TLSv1.2";
}

/** The platform's own sockets refuse what they cannot honour before they do anything, so that another may do it. */
function platformWhereAble(wish: EngineWish): TlsEngine {
  return {
    name: platformEngine.name,
    async connect(duplex, options) {
      if (duplex.startTls === undefined) return await platformEngine.connect(duplex, options);
      let refusal: unknown;
      try {
        return await duplex.startTls(options);
      } catch (error) {
        refusal = error;
      }
      const engine = isUnsupported(refusal) ? await instead(options, wish) : undefined;
      if (engine !== undefined) return await engine.connect(duplex, options);
      duplex.close(refusal);
      throw refusal;
    },
  };
}

/** Who can do what the platform cannot: Node's own options only Node's TLS knows. */
async function instead(options: TlsOptions, wish: EngineWish): Promise<TlsEngine | undefined> {
  return options.nodeOptions === undefined ? await wolfssl(wish).catch(() => undefined) : await nodeTls();
}

function isUnsupported(error: unknown): boolean {
  return error instanceof TlsError && error.driverCode === "TLS_OPTION_UNSUPPORTED";
}

async function wolfssl(wish: EngineWish): Promise<TlsEngine> {
  return withRoots(await wolfsslEngine(wish.crypto), wish);
}

/** An engine of no platform has no platform's roots: it is given them, or brings a list of its own. */
function withRoots(engine: TlsEngine, wish: EngineWish): TlsEngine {
  if (!wish.systemRoots) return engine;
  return {
    name: engine.name,
    async connect(duplex, options) {
      if (options.roots !== undefined) return await engine.connect(duplex, options);
      const roots = systemRoots();
      if (roots === undefined && !engine.bringsPublicRoots) {
        const error = rootsUnavailable();
        duplex.close(error);
        throw error;
      }
      return await engine.connect(duplex, { ...options, roots, publicRoots: roots === undefined });
    },
  };
}

/** Node's TLS over any Duplex; undefined where the runtime has none. */
async function nodeTls(): Promise<TlsEngine | undefined> {
  if (!hasNodeTls()) return undefined;
  const { nodeTlsOver } = await import("../duplex/node_tls_over.ts");
  return { name: "node", connect: nodeTlsOver };
}

/** Workers have modules of these names that cannot do all of it. */
function hasNodeTls(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator?.userAgent !== "Cloudflare-Workers" && builtinModule("node:tls") !== undefined;
}
