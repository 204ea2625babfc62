/**
 * The one table that decides what `ssl` and `sslmode` mean, the same on every runtime and transport.
 *
 * @module
 */

import type { SslMode, TlsRequest } from "../config/options.ts";
import { ConfigError } from "../errors.ts";

/** How the bytes get to the database: straight, through somebody's WebSocket proxy, or without leaving the machine. */
export type TlsPath = "socket" | "websocket" | "local";

/** What to do about TLS on one connection. */
export interface TlsPolicy {
  /**
   * What to try, in order, each on a connection of its own; the second only where the first was refused: TLS could not
   * be agreed, or the server ended the startup with an error (libpq's `allow` and `prefer`).
   */
  readonly attempts: readonly ("plain" | "tls")[];
  /** What a TLS attempt verifies: that the chain leads to a root, and that the certificate is for the host. */
  readonly verify: { readonly chain: boolean; readonly name: boolean };
  /** When the server answers an SSLRequest with `N`: fail, or go on in plaintext over the same connection. */
  readonly refusedByServer: "fail" | "plain";
}

/**
 * Looks up what a request for TLS means.
 *
 * - `uselibpqcompat=true`: libpq's modes (PostgreSQL documentation, "SSL Support", table 32.1). With roots given, libpq
 *   verifies the chain in every mode that uses TLS.
 * - Otherwise node-postgres 8.23's: every mode but `disable` and `no-verify` verifies chain and name.
 * - Nothing said: plaintext on a socket, as node-postgres; verified TLS through a proxy, which could read everything.
 * - A Unix-domain socket never uses TLS, as in libpq.
 *
 * @throws {ConfigError} `CONFIG_SSLMODE` for libpq's `verify-ca` without a root, and for direct negotiation in a mode
 * that is content with plaintext.
 */
export function tlsPolicy(request: TlsRequest, path: TlsPath): TlsPolicy {
  const policy = policyOfMode(request, path);
  if (request.negotiation === "direct" && policy.attempts.includes("plain")) throw weakModeForDirect(request.mode);
  if (path === "local") return PLAIN;
  if (request.libpqCompat && request.mode === "verify-ca" && request.rootCerts === undefined) throw missingRoots();
  return policy;
}

function policyOfMode({ mode, libpqCompat, rootCerts }: TlsRequest, path: TlsPath): TlsPolicy {
  if (mode === undefined) return path === "websocket" ? VERIFIED : PLAIN;
  if (mode === "disable") return PLAIN;
  if (mode === "no-verify") return { ...VERIFIED, verify: NOTHING }; // not libpq's: how `rejectUnauthorized: false` is said
  // Without roots of one's own by the platform's, as node-postgres, and as libpq with sslrootcert=system.
  if (!libpqCompat || mode === "verify-full") return VERIFIED;
  const verify = rootCerts === undefined && mode !== "verify-ca" ? NOTHING : CHAIN;
  // When TLS is refused too, libpq 15 tries plaintext once more, 17 does not, nor do we.
  if (mode === "allow") return { ...VERIFIED, attempts: ["plain", "tls"], verify };
  if (mode === "prefer") return { attempts: ["tls", "plain"], verify, refusedByServer: "plain" };
  return { ...VERIFIED, verify };
}

/** As libpq: servers before 17 drop a direct handshake, which must not lead to plaintext unnoticed. */
function weakModeForDirect(mode: SslMode | undefined): ConfigError {
  const why = mode === undefined ? "no sslmode is set" : `sslmode=${mode} is content without`;
  return new ConfigError(
    "CONFIG_SSLMODE",
    `sslnegotiation=direct needs TLS, but ${why}: set sslmode to require, verify-ca or verify-full`,
    { phase: "config" },
  );
}

/** Where libpq looks for `~/.postgresql/root.crt` and gives up (which `config/` has looked for, too). */
function missingRoots(): ConfigError {
  return new ConfigError(
    "CONFIG_SSLMODE",
    "sslmode=verify-ca needs the certificate authority to trust, since of public ones anybody can have a certificate: " +
      "set sslrootcert or rootCerts, or use sslmode=verify-full",
    { phase: "config" },
  );
}

const NOTHING = { chain: false, name: false } as const;
const CHAIN = { chain: true, name: false } as const;
const EVERYTHING = { chain: true, name: true } as const;

const PLAIN: TlsPolicy = { attempts: ["plain"], verify: EVERYTHING, refusedByServer: "fail" };
const VERIFIED: TlsPolicy = { attempts: ["tls"], verify: EVERYTHING, refusedByServer: "fail" };
