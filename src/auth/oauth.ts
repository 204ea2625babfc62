/**
 * OAUTHBEARER (RFC 7628), PostgreSQL 18's `oauth`: a token in place of a password. Loaded when a server asks for it.
 *
 * @module
 */

import { AuthenticationError } from "../errors.ts";
import { encodeUtf8 } from "../utf8.ts";

/** RFC 6750 section 2.1, b64token: whatever else would let a token break out of its message. */
const TOKEN = /^[\w\-.~+/]+=*$/;

/**
 * The client's first and, where the token is good, only message.
 *
 * @throws {AuthenticationError} `AUTH_OAUTH_TOKEN` for what is no bearer token; it is not shown
 */
export function oauthInitialResponse(token: string): Uint8Array {
  if (!TOKEN.test(token)) {
    throw new AuthenticationError(
      "AUTH_OAUTH_TOKEN",
      "oauthBearerToken is not a bearer token: it may have letters, digits and -._~+/, and = at its end (RFC 6750)",
      { phase: "authentication" },
    );
  }
  return encodeUtf8(`n,,\x01auth=Bearer ${token}\x01\x01`);
}

/** What the client has to say to a refusal, before the server ends the exchange (RFC 7628 section 3.2.3). */
export const OAUTH_RESIGNED: Uint8Array = Uint8Array.of(1);

/** A server's refusal of a token, in words. Its JSON says why, and where a better token is to be had. */
export function oauthRefused(json: Uint8Array): AuthenticationError {
  const { status, scope, "openid-configuration": discovery } = fieldsOf(json);
  const why = status === undefined ? "" : `: ${status}`;
  const wanted = [
    discovery === undefined ? undefined : `by the issuer that ${discovery} describes`,
    scope === undefined ? undefined : `with the scope ${JSON.stringify(scope)}`,
  ].filter((words) => words !== undefined);
  return new AuthenticationError("AUTH_OAUTH_REFUSED", `the server refused the OAuth token${why}`, {
    phase: "authentication",
    hint: wanted.length === 0 ? "See the server's log." : `It wants a token ${wanted.join(" ")}.`,
  });
}

type Fields = Partial<Record<"status" | "scope" | "openid-configuration", string>>;

const LONGEST_SHOWN = 300;

/** The fields that are short text; a server whose JSON is malformed has refused all the same. */
function fieldsOf(json: Uint8Array): Fields {
  try {
    const fields: unknown = JSON.parse(new TextDecoder().decode(json));
    if (typeof fields !== "object" || fields === null) return {};
    // deno-lint-ignore no-control-regex -- a server's words must not steer a terminal
    const isWords = (value: unknown) => typeof value === "string" && /^[^\x00-\x1f\x7f]+$/.test(value);
    const words = Object.entries(fields).filter(([, value]) => isWords(value) && value.length <= LONGEST_SHOWN);
    return Object.fromEntries(words) as Fields;
  } catch {
    return {};
  }
}
