/**
 * What the adapters say when a connection cannot be opened or breaks: one wording, one set of codes.
 *
 * @module
 */

import { DriverError, TransportError } from "../errors.ts";
import type { DuplexInfo, TransportName } from "./duplex.ts";
import type { Target } from "./target.ts";

/** Why an opening failed: the abort where there was one, else `TRANSPORT_OPEN_FAILED` with the cause's words and advice. */
export function openFailed(transport: TransportName, target: Target, cause: unknown): DriverError {
  const { host, port, signal } = target;
  if (signal?.aborted) {
    return aborted("opening the connection", signal.reason, { transport, host, port, phase: "open" });
  }
  if (cause instanceof DriverError) return cause;
  return new TransportError(
    "TRANSPORT_OPEN_FAILED",
    `could not connect: ${wordsOf(cause)}${advice(cause)}`,
    { transport, host, port, phase: "open", cause, safeToRetry: true },
  );
}

/** The abort's own reason where it is one of our errors (a deadline, say), else `TRANSPORT_ABORTED` around it. */
export function aborted(
  what: string,
  reason: unknown,
  place: { transport: TransportName; host?: string; port?: number; phase: "open" | "tls" },
): DriverError {
  if (reason instanceof DriverError) return reason.addPlace(place);
  return new TransportError("TRANSPORT_ABORTED", `${what} was aborted`, { ...place, cause: reason, safeToRetry: true });
}

/** The connection broke: not of our doing. */
export function lost(info: DuplexInfo, operation: string, cause: unknown): TransportError {
  return new TransportError(
    "TRANSPORT_LOST",
    `${operation}: the connection to ${info.remote} broke: ${wordsOf(cause)}`,
    {
      transport: info.transport,
      cause,
    },
  );
}

/** The connection was used after, or while, we closed it. */
export function closedHere(info: DuplexInfo, operation: string, reason: unknown): TransportError {
  return new TransportError("TRANSPORT_CLOSED", `${operation}: the connection to ${info.remote} was closed here`, {
    transport: info.transport,
    cause: reason,
  });
}

/** A second read while one waits, or a TLS start in the midst of traffic. */
export function busy(info: DuplexInfo, what: string): TransportError {
  return new TransportError("TRANSPORT_BUSY", `${what} on the connection to ${info.remote}`, {
    transport: info.transport,
  });
}

/** What an error, or whatever was thrown in its place, says. */
export function wordsOf(cause: unknown): string {
  if (cause instanceof AggregateError && cause.errors.length > 0) {
    return [...new Set(cause.errors.map(wordsOf))].join("; ");
  }
  if (cause instanceof Error) {
    const { reason } = cause as { reason?: unknown };
    // The message of OpenSSL's own errors is a place in its source; Node keeps their reason apart.
    if (typeof reason === "string" && codeOf(cause)?.startsWith("ERR_SSL_")) return reason;
    return cause.message.trim() || codeOf(cause) || cause.name;
  }
  return typeof cause === "string" && cause !== "" ? cause : "no reason given";
}

/** The system's code or the platform's class of an error, such as `ECONNREFUSED` or `NotCapable`. */
export function codeOf(cause: unknown): string | undefined {
  if (typeof cause !== "object" || cause === null) return undefined;
  const { code, name } = cause as { code?: unknown; name?: unknown };
  return typeof code === "string" ? code : typeof name === "string" ? name : undefined;
}

const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nothing listens there: check that the server runs, and its host and port",
  ECONNRESET: "the peer hung up at once: check that it is what you think it is",
  ENOTFOUND: "the name is unknown: check the spelling of the host, and the name server",
  EAI_AGAIN: "the name server does not answer: try again, or check the network",
  ETIMEDOUT: "nobody answered: check the host, the port and any firewall between",
  EHOSTUNREACH: "there is no way to that host: check the network",
  ENETUNREACH: "there is no way to that network: check the network (is it IPv6 only?)",
  ENOENT: "there is no such socket: check that the server runs here, and its unix_socket_directories",
  EACCES: "permission denied: check the permissions of the socket",
  NotCapable: "Deno may not: run it with --allow-net for TCP, --allow-read and --allow-write for a Unix socket",
};

function advice(cause: unknown): string {
  const first = cause instanceof AggregateError ? cause.errors[0] : cause;
  const words = ADVICE[codeOf(first) ?? ""] ?? (/lookup|resolve/.test(wordsOf(first)) ? ADVICE.ENOTFOUND : undefined);
  return words === undefined ? "" : ` (${words})`;
}
