/**
 * What the adapters say when a connection cannot be opened or breaks: one wording, one set of codes.
 *
 * @module
 */

import { DriverError, type SystemFailure, TransportError } from "../errors.ts";
import type { DuplexInfo, TransportName } from "./duplex.ts";
import type { Target } from "./target.ts";
import { isIpAddress, unixSocketPath } from "./target.ts";

/** Why an opening failed: the abort where there was one, else `TRANSPORT_OPEN_FAILED` with the cause's words and advice. */
export function openFailed(transport: TransportName, target: Target, cause: unknown): DriverError {
  const { host, port, signal } = target;
  if (signal?.aborted) {
    return aborted("opening the connection", signal.reason, { transport, host, port, phase: "open" });
  }
  if (cause instanceof DriverError) return cause;
  const system = systemFailure(cause, "connect", target);
  const words = systemWords(cause, system);
  return new TransportError(
    "TRANSPORT_OPEN_FAILED",
    `could not connect: ${words}${advice(system?.code ?? codeOf(cause), words)}`,
    { transport, host, port, phase: "open", cause, system, safeToRetry: true },
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
  const system = systemFailure(cause, operation);
  return new TransportError(
    "TRANSPORT_LOST",
    `${operation}: the connection to ${info.remote} broke: ${systemWords(cause, system)}`,
    { transport: info.transport, cause, system },
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

/** How our proxy says that the connection beyond it was reset; one through it that breaks so has the code of the others. */
export const TARGET_RESET = "the target reset the connection";

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

/**
 * What the system said, where it is the system that failed: Node's errors say it all. Deno's have the code and, in their
 * words, the number, but say of a name that is unknown nothing but so.
 */
export function systemFailure(cause: unknown, operation?: string, target?: Target): SystemFailure | undefined {
  if (typeof cause !== "object" || cause === null || cause instanceof DriverError) return undefined;
  const first: unknown = cause instanceof AggregateError ? cause.errors[0] : cause;
  const { errno, syscall, address, hostname } = (first ?? cause) as Partial<Record<keyof SystemFailure, unknown>>;
  const { code } = cause as { code?: unknown };
  if (typeof code !== "string") return unknownName(wordsOf(cause), target?.host);
  const number = /\(os error (\d+)\)/.exec(wordsOf(cause))?.[1];
  // What has a number failed in the operating system.
  const tried = number === undefined ? {} : { syscall: operation, address: target && addressOf(target) };
  return {
    code,
    errno: typeof errno === "number" ? errno : number === undefined ? undefined : -Number(number),
    syscall: typeof syscall === "string" ? syscall : tried.syscall,
    address: typeof address === "string" ? address : tried.address,
    hostname: typeof hostname === "string" ? hostname : undefined,
  };
}

function addressOf(target: Target): string | undefined {
  return unixSocketPath(target) ?? (isIpAddress(target.host) ? target.host : undefined);
}

/** The words, and the code where they lack it. */
function systemWords(cause: unknown, system: SystemFailure | undefined): string {
  const words = wordsOf(cause);
  return system === undefined || words.includes(system.code) ? words : `${system.code}: ${words}`;
}

/** The failure of a look-up, with libuv's numbers. */
function unknownName(words: string, hostname: string | undefined): SystemFailure | undefined {
  if (!/failed to lookup address/.test(words)) return undefined;
  const [code, errno] = /temporary/i.test(words) ? ["EAI_AGAIN", -3001] as const : ["ENOTFOUND", -3008] as const;
  return { code, errno, syscall: "getaddrinfo", hostname };
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

function advice(code: string | undefined, reason: string): string {
  const words = ADVICE[code ?? ""] ?? (/lookup|resolve/.test(reason) ? ADVICE.ENOTFOUND : undefined);
  return words === undefined ? "" : ` (${words})`;
}
