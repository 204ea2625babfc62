/**
 * The certificate authorities that the runtime trusts, for engines that are none of the runtime's own.
 *
 * @module
 */

import { builtinModule } from "../builtin_module.ts";
import { TlsError } from "../errors.ts";
import type { TlsEngine } from "./engine.ts";

/** A cache, and the only state of this module: reading a hundred certificates anew for each connection would be waste. */
let known: readonly string[] | undefined;

/**
 * What the runtime trusts, as PEM: on Node and what is like it the roots that its own TLS uses, those of
 * `NODE_EXTRA_CA_CERTS` and `--use-system-ca` among them where it tells (Node 22.15 and later). Undefined where the
 * runtime does not show them (browsers, Workers, Deno without `--allow-sys=ca`).
 */
export function systemRoots(): readonly string[] | undefined {
  known ??= Object.freeze([...runtimeRoots() ?? []]);
  return known.length > 0 ? known : undefined;
}

/** The engine, given what the runtime trusts; what the runtime does not show it has to bring. */
export function withSystemRoots(engine: TlsEngine): TlsEngine {
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

function rootsUnavailable(): TlsError {
  return new TlsError(
    "TLS_ROOTS_UNAVAILABLE",
    "this runtime does not show which certificate authorities it trusts: instead of sslrootcert=system, " +
      "give the one of your database by rootCerts, or use @pgduplex/wolfssl, which brings the public ones",
    { phase: "tls" },
  );
}

function runtimeRoots(): readonly string[] | undefined {
  const tls = builtinModule<NodeTls>("node:tls");
  try {
    return tls?.getCACertificates?.("default") ?? tls?.rootCertificates;
  } catch {
    return undefined; // Deno shows them to programs with --allow-sys=ca alone
  }
}

/** What is used of `node:tls`, of which only newer versions have all. */
interface NodeTls {
  readonly rootCertificates?: readonly string[];
  getCACertificates?(kind: "default"): readonly string[];
}
