/**
 * What few servers ask for: a password, in clear text or as MD5, or a token. Loaded when one does.
 *
 * @module
 */

import { md5Password } from "../auth/md5.ts";
import { OAUTH_RESIGNED, oauthRefused } from "../auth/oauth.ts";
import { assertCleartextAllowed, assertMethodAllowed, assertPasswordGiven } from "../auth/policy.ts";
import type { AuthMethod } from "../config/options.ts";
import { AuthenticationError, DatabaseError, TransportError } from "../errors.ts";
import type { AuthenticationRequest } from "../protocol/authentication.ts";
import { passwordMessage, saslInitialResponse, saslResponse } from "../protocol/frontend.ts";
import { unexpectedMessage } from "./failures.ts";
import { answerWithToken } from "./oauth.ts";
import type { Startup } from "./startup.ts";

/**
 * Answers a request for anything but SCRAM, up to AuthenticationOk, and gives the method's name.
 *
 * @throws {AuthenticationError} `AUTH_METHOD_UNSUPPORTED`, `AUTH_METHOD_REFUSED`, `AUTH_PASSWORD_MISSING`,
 * `AUTH_CLEARTEXT_REFUSED`, `AUTH_CHANNEL_BINDING_REQUIRED`, `AUTH_OAUTH_*`
 */
export async function answerOtherwise(startup: Startup, request: AuthenticationRequest): Promise<AuthMethod> {
  const { duplex, options: { user, allowCleartextPassword } } = startup.input;
  switch (request.name) {
    case "AuthenticationSASL":
      return await byToken(startup);
    case "AuthenticationCleartextPassword":
      return await byPassword(startup, "password", (password) => {
        assertCleartextAllowed(duplex.info, allowCleartextPassword);
        return password;
      });
    case "AuthenticationMD5Password":
      return await byPassword(startup, "md5", (password) => md5Password(user, password, request.salt));
    case "AuthenticationSASLContinue":
    case "AuthenticationSASLFinal":
      throw unexpectedMessage(request.name);
  }
  throw new AuthenticationError(
    "AUTH_METHOD_UNSUPPORTED",
    `the server asks for ${request.name.slice("Authentication".length)}, which pgduplex does not speak: ` +
      "let pg_hba.conf ask for scram-sha-256",
  );
}

async function byPassword(
  startup: Startup,
  method: AuthMethod,
  answer: (password: string) => string,
): Promise<AuthMethod> {
  startup.refuseGuess(method);
  const { requireAuth, channelBinding } = startup.input.options;
  assertMethodAllowed(method, requireAuth);
  if (channelBinding === "require") {
    throw new AuthenticationError(
      "AUTH_CHANNEL_BINDING_REQUIRED",
      `channel_binding=require, but the server asks for ${method} authentication`,
    );
  }
  const password = await startup.password();
  assertPasswordGiven(password);
  passwordMessage(startup.writer, answer(password));
  await startup.sendLast();
  await startup.expect("AuthenticationOk");
  return method;
}

async function byToken(startup: Startup): Promise<AuthMethod> {
  const { options, duplex, state } = startup.input;
  saslInitialResponse(startup.writer, "OAUTHBEARER", await answerWithToken(options, duplex.info, state.signal));
  await startup.sendLast();
  const request = await startup.request();
  if (request.name === "AuthenticationOk") return "oauth";
  if (request.name !== "AuthenticationSASLContinue") throw unexpectedMessage(request.name);
  return await resign(startup, oauthRefused(request.data));
}

/** The server says why it refuses, and with an error of its own, which says less and ends the connection, that it does. */
async function resign(startup: Startup, refusal: AuthenticationError): Promise<never> {
  saslResponse(startup.writer, OAUTH_RESIGNED);
  await startup.send();
  let request: AuthenticationRequest;
  try {
    request = await startup.request();
  } catch (cause) {
    if (!(cause instanceof DatabaseError || cause instanceof TransportError)) throw cause;
    throw Object.defineProperty(refusal, "cause", { value: cause, configurable: true, writable: true });
  }
  throw unexpectedMessage(request.name);
}
