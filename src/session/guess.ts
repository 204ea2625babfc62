/**
 * Speaking first: the StartupMessage and SASLInitialResponse in one write save a turn wherever the server wants SCRAM,
 * which is nearly everywhere. Where it wants something else, what it answers shows it, and the connect is repeated once
 * without the guess.
 *
 * @module
 */

import { isMethodAllowed } from "../auth/policy.ts";
import type { ScramBinding } from "../auth/scram.ts";
import type { AuthMethod, ConnectionOptions } from "../config/options.ts";
import { DatabaseError, DriverError, ProtocolError, TransportError } from "../errors.ts";

/** The server wants another method than the one guessed. Never leaves this folder. */
export class GuessRefused extends Error {
  /** What it wants, where that is known. */
  readonly method: AuthMethod | undefined;

  constructor(method: AuthMethod | undefined) {
    super("the server wants another authentication than the one guessed");
    this.method = method;
  }
}

/** What to guess by. */
export interface GuessInput {
  readonly options: ConnectionOptions;
  readonly password: string | undefined;
  /** The hash of the server's certificate, where TLS showed one. */
  readonly endPoint: Uint8Array | undefined;
  readonly remembered: AuthMethod | undefined;
}

/** The binding of the SCRAM exchange to open with; undefined for waiting to be asked. */
export function guessBinding({ options, password, endPoint, remembered }: GuessInput): ScramBinding | undefined {
  // A token is for who asks for one.
  if (!options.speakFirst || !password || options.oauthBearerToken !== undefined) return undefined;
  const bind = endPoint !== undefined && options.channelBinding !== "disable" && remembered !== "scram-sha-256";
  if (options.channelBinding === "require" && !bind) return undefined;
  if (!isMethodAllowed(bind ? "scram-sha-256-plus" : "scram-sha-256", options.requireAuth)) return undefined;
  if (remembered !== undefined && remembered !== "scram-sha-256" && remembered !== "scram-sha-256-plus") {
    return undefined;
  }
  if (bind) return { kind: "tls-server-end-point", data: endPoint };
  return { kind: endPoint !== undefined && options.channelBinding !== "disable" ? "supported-but-unused" : "none" };
}

/**
 * Whether the guess may be to blame for a failure before the server took part in the exchange: some poolers and servers
 * close the connection, or complain of a broken protocol, where PostgreSQL answers properly.
 */
export function guessMayBeToBlame(error: unknown): boolean {
  if (error instanceof DatabaseError) return error.code.startsWith("08");
  if (error instanceof ProtocolError) return true;
  return error instanceof TransportError || !(error instanceof DriverError);
}
