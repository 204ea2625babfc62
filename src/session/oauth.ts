/**
 * The bearer token that a server asks for: whether it may have one, and where that comes from. Loaded when one asks.
 *
 * @module
 */

import { oauthInitialResponse } from "../auth/oauth.ts";
import { assertMethodAllowed } from "../auth/policy.ts";
import type { ConnectionOptions } from "../config/options.ts";
import type { DuplexInfo } from "../duplex/duplex.ts";
import { unlessAborted } from "../duplex/waiting.ts";
import { AuthenticationError, DriverError } from "../errors.ts";

/**
 * The message with the token for this connection, which is asked for once it is certain that the server may have it.
 *
 * @throws {AuthenticationError} `AUTH_METHOD_REFUSED`, `AUTH_CHANNEL_BINDING_REQUIRED`, `AUTH_OAUTH_INSECURE`,
 * `AUTH_OAUTH_MISSING`, `AUTH_OAUTH_FUNCTION`, `AUTH_OAUTH_TOKEN`
 */
export async function answerWithToken(
  options: ConnectionOptions,
  info: Pick<DuplexInfo, "secure" | "local">,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const { oauthBearerToken: source, host, port, user, database } = options;
  assertMethodAllowed("oauth", options.requireAuth);
  if (options.channelBinding === "require") {
    throw failure("AUTH_CHANNEL_BINDING_REQUIRED", "channel_binding=require, but the server asks for an OAuth token");
  }
  if (source === undefined) {
    throw failure("AUTH_OAUTH_MISSING", "the server asked for an OAuth token and none was given: set oauthBearerToken");
  }
  if (info.secure !== true && info.local !== true) {
    throw failure(
      "AUTH_OAUTH_INSECURE",
      "the server asked for an OAuth token, and the connection is not verified TLS, so others could take it: use TLS " +
        "with verification (sslmode=verify-full)",
    );
  }
  if (typeof source === "string") return oauthInitialResponse(source);
  let token: unknown;
  try {
    signal.throwIfAborted();
    token = await unlessAborted(Promise.resolve(source({ host, port, user, database, signal })), signal, () => {});
  } catch (cause) {
    if (signal.aborted && signal.reason instanceof DriverError) throw signal.reason;
    throw failure("AUTH_OAUTH_FUNCTION", "the function given as oauthBearerToken failed", cause);
  }
  if (typeof token === "string") return oauthInitialResponse(token);
  throw failure("AUTH_OAUTH_FUNCTION", "the function given as oauthBearerToken did not give a string");
}

function failure(code: string, message: string, cause?: unknown): AuthenticationError {
  const because = cause === undefined ? {} : { cause };
  return new AuthenticationError(code, message, { phase: "authentication", ...because });
}
