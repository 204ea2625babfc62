/**
 * What the adapters say when a connection cannot be opened or breaks: one wording, one set of codes.
 *
 * @module
 */

import { DriverError, type SystemFailure, TransportError } from "../errors.ts";
import type { DuplexInfo, TransportName } from "./duplex.ts";
import { codeOf, wordsOf } from "./error_words.ts";
import { adviceOf, systemFailure } from "./system_failure.ts";
import type { Target } from "./target.ts";

export { codeOf, wordsOf };

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
    `could not connect: ${words}${adviceOf(system?.code ?? codeOf(cause), words)}`,
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

/** The words, and the code where they lack it. */
function systemWords(cause: unknown, system: SystemFailure | undefined): string {
  const words = wordsOf(cause);
  return system === undefined || words.includes(system.code) ? words : `${system.code}: ${words}`;
}
