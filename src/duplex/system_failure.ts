/**
 * What the operating system says when a socket fails, under node-postgres's names, and what to do about it.
 *
 * @module
 */

import { DriverError, type SystemFailure } from "../errors.ts";
import { wordsOf } from "./error_words.ts";
import { isIpAddress, type Target, unixSocketPath } from "./target.ts";

/**
 * What the system said, where it is the system that failed: Node's errors say it all. Deno's have the code and, in their
 * words, the number, but say of a name that is unknown nothing but so.
 */
export function systemFailure(
  cause: unknown,
  operation?: string,
  target?: Target,
): SystemFailure | undefined {
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

/** What to do about it, in brackets; empty where we do not know. */
export function adviceOf(code: string | undefined, reason: string): string {
  const words = ADVICE[code ?? ""] ?? (/lookup|resolve/.test(reason) ? ADVICE.ENOTFOUND : undefined);
  return words === undefined ? "" : ` (${words})`;
}
