/**
 * Which authentication a server may ask of us: libpq's `require_auth`, and where a password may go in clear text.
 *
 * @module
 */

import type { AuthMethod, RequireAuth } from "../config/options.ts";
import { AuthenticationError, ConfigError } from "../errors.ts";

const METHODS: readonly AuthMethod[] = ["none", "password", "md5", "scram-sha-256", "scram-sha-256-plus"];

/** What libpq can also name and this driver never does: naming them allows, or forbids, nothing. */
const METHODS_OF_LIBPQ_ALONE: readonly string[] = ["gss", "sspi", "oauth"];

/**
 * Reads libpq's `require_auth`: a comma-separated list of methods, either all plain (accept only these) or all with a
 * leading `!` (accept all but these). `scram-sha-256` covers SCRAM-SHA-256-PLUS too; `scram-sha-256-plus`, which libpq
 * does not have, is the latter alone. `none` is a server that asks for nothing. The empty text sets no requirement.
 *
 * Source: PostgreSQL documentation, "Parameter Key Words" (require_auth).
 *
 * @throws {ConfigError} `CONFIG_REQUIRE_AUTH`: an unknown or repeated method, plain and negated ones mixed, or a list
 * that nothing this driver does could satisfy
 * @example
 * ```ts
 * parseRequireAuth("scram-sha-256,md5"); // { negated: false, methods: ["scram-sha-256", "md5"] }
 * parseRequireAuth("!password"); // { negated: true, methods: ["password"] }
 * ```
 */
export function parseRequireAuth(text: string): RequireAuth | undefined {
  if (text === "") return undefined;
  const items = text.split(",");
  const negated = items.some((item) => item.startsWith("!"));
  const methods: AuthMethod[] = [];
  const seen = new Set<string>();
  for (const item of items) {
    if (item.startsWith("!") !== negated) throw requireAuthError(text, `methods with and without "!" cannot be mixed`);
    const name = negated ? item.slice(1) : item;
    if (seen.has(name)) throw requireAuthError(text, `"${name}" is named more than once`);
    seen.add(name);
    if (isAuthMethod(name)) methods.push(name);
    else if (!METHODS_OF_LIBPQ_ALONE.includes(name)) {
      throw requireAuthError(text, `"${name}" is not a method; known are ${METHODS.join(", ")}`);
    }
  }
  if (!negated && methods.length === 0) {
    throw requireAuthError(text, `this driver cannot do any of these; it can do ${METHODS.join(", ")}`);
  }
  return Object.freeze({ negated, methods: Object.freeze(methods) });
}

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
  throw new AuthenticationError(
    "AUTH_METHOD_REFUSED",
    `the server ${asked}, which require_auth=${methods.map((name) => (negated ? "!" : "") + name).join(",")} forbids`,
    { phase: "authentication" },
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
  throw new AuthenticationError(
    "AUTH_CLEARTEXT_REFUSED",
    "the server asked for the password in clear text, and the connection is not verified TLS, so others could read it; " +
      "use TLS with verification (sslmode=verify-full), let the server use scram-sha-256, " +
      "or set allowCleartextPassword: true",
    { phase: "authentication" },
  );
}

/**
 * Passes if there is a password to answer the server with. An empty one is none, as in libpq.
 *
 * @throws {AuthenticationError} `AUTH_PASSWORD_MISSING`
 */
export function assertPasswordGiven(
  password: string | undefined,
  method?: AuthMethod,
): asserts password is string {
  if (typeof password === "string" && password !== "") return;
  if (method === "scram-sha-256" || method === "scram-sha-256-plus") {
    const what = password === "" ? "a non-empty string" : "a string";
    throw new AuthenticationError(
      "AUTH_PASSWORD_MISSING",
      `SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be ${what}`,
      { phase: "authentication", verbatim: true, hint: "Set password, PGPASSWORD, or a line of a password file." },
    );
  }
  const given = password === "" ? "the one given is empty" : "none was given";
  throw new AuthenticationError(
    "AUTH_PASSWORD_MISSING",
    `the server asked for a password and ${given}; set password, PGPASSWORD, or a line of a password file`,
    { phase: "authentication" },
  );
}

function isAuthMethod(name: string): name is AuthMethod {
  return (METHODS as readonly string[]).includes(name);
}

function requireAuthError(text: string, problem: string): ConfigError {
  return new ConfigError("CONFIG_REQUIRE_AUTH", `require_auth=${text}: ${problem}`, { phase: "config" });
}
