/**
 * Which authentication a server may ask of us: libpq's `require_auth`, and where a password may go in clear text.
 *
 * @module
 */

import type { AuthMethod, RequireAuth } from "../config/options.ts";
import { failure } from "./failure.ts";

/**
 * Passes if `require_auth` lets the server use this method. To be asked before anything secret is answered, and with
 * `none` before an AuthenticationOk that nothing preceded is believed.
 *
 * @throws {AuthenticationError} `AUTH_METHOD_REFUSED`
 */
export function assertMethodAllowed(method: AuthMethod, requireAuth: RequireAuth | undefined): void {
  if (requireAuth === undefined || isMethodAllowed(method, requireAuth)) return;
  const { negated, methods } = requireAuth;
  const asked = method === "none" ? "asked for no authentication" : `asked for ${method} authentication`;
  throw failure(
    "AUTH_METHOD_REFUSED",
    `the server ${asked}, which require_auth=${methods.map((name) => (negated ? "!" : "") + name).join(",")} forbids`,
  );
}

/** {@linkcode assertMethodAllowed} as a question, for choosing whether to speak first. */
export function isMethodAllowed(method: AuthMethod, requireAuth: RequireAuth | undefined): boolean {
  if (requireAuth === undefined) return true;
  const named = requireAuth.methods.includes(method) ||
    (method === "scram-sha-256-plus" && requireAuth.methods.includes("scram-sha-256"));
  return named !== requireAuth.negated;
}

/**
 * Passes if a password may be sent as it is: over TLS whose certificate was verified (`DuplexInfo.secure`), over a
 * Unix-domain socket (`DuplexInfo.local`), or wherever the user said `allowCleartextPassword: true`.
 *
 * @throws {AuthenticationError} `AUTH_CLEARTEXT_REFUSED`
 */
export function assertCleartextAllowed(
  info: { readonly secure?: boolean; readonly local?: boolean },
  allowCleartextPassword: boolean,
): void {
  if (info.secure === true || info.local === true || allowCleartextPassword) return;
  throw failure(
    "AUTH_CLEARTEXT_REFUSED",
    "the server asked for the password in clear text, and the connection is not verified TLS, so others could read it; " +
      "use TLS with verification (sslmode=verify-full), let the server use scram-sha-256, " +
      "or set allowCleartextPassword: true",
  );
}

/**
 * Passes if there is a password to answer the server with. An empty one is none, as in libpq.
 *
 * @throws {AuthenticationError} `AUTH_PASSWORD_MISSING`
 */
export function assertPasswordGiven(password: string | undefined): asserts password is string {
  if (typeof password === "string" && password !== "") return;
  const given = password === "" ? "the one given is empty" : "none was given";
  throw failure(
    "AUTH_PASSWORD_MISSING",
    `the server asked for a password and ${given}; set password, PGPASSWORD, or a line of a password file`,
  );
}
