/**
 * How a session fails, in words. Each function takes the place where it happened. Where node-postgres has words for it,
 * these are the message, and ours are the hint.
 *
 * @module
 */

import {
  AbortError,
  asError,
  ClientError,
  DriverError,
  type DriverErrorOptions,
  type ErrorPlace,
  ProtocolError,
  TimeoutError,
  TransportError,
} from "../errors.ts";

/**
 * The server closed the connection without having been asked to. node-postgres has no code for it; it gets that of Node for
 * a peer that hangs up, by which programs know that they may connect again.
 */
export function peerEnded(when: string, options?: DriverErrorOptions): TransportError {
  return new TransportError("CONNECTION_ENDED", "Connection terminated unexpectedly", {
    verbatim: true,
    hint: `The server closed the connection${when}: see its log.`,
    system: { code: "ECONNRESET" },
    ...options,
  });
}

/** Whatever broke the connection, as one of our errors. */
export function broken(place: ErrorPlace, cause: unknown): DriverError {
  if (cause instanceof DriverError) return cause.addPlace(place);
  return new TransportError("TRANSPORT_LOST", "the connection broke", { ...place, cause });
}

/** What was outstanding when the client ended the connection. */
export function endedByClient(place: ErrorPlace): TransportError {
  return new TransportError("CONNECTION_CLOSED", "Connection terminated", {
    ...place,
    verbatim: true,
    hint: "Await your queries before you call end().",
  });
}

/** Whatever the program's own code threw while a query was encoded, as an Error. */
export function encodingFailed(cause: unknown): Error {
  if (cause instanceof Error) return cause;
  return new ClientError("QUERY_ENCODE", `the query could not be encoded: ${asError(cause).message}`, { cause });
}

export function notUsable(place: ErrorPlace, cause: unknown): ClientError {
  return new ClientError("CONNECTION_NOT_USABLE", "the connection has ended: a query after its end is not sent", {
    ...place,
    cause,
    safeToRetry: true,
  });
}

/** Of a message the type, of a request of the server's the name. */
export function unexpectedMessage(what: number | string): ProtocolError {
  const shown = JSON.stringify(typeof what === "number" ? String.fromCharCode(what) : what);
  return new ProtocolError("PROTOCOL_UNEXPECTED_MESSAGE", `the server sent ${shown}, which nothing had asked for`);
}

/** The server waits for data while it reads requests for something else: the connection cannot be saved. */
export function copyInPipeline(): ProtocolError {
  return new ProtocolError(
    "COPY_IN_PIPELINE",
    "the server waits for COPY data while other queries are in flight: begin the query with COPY",
  );
}

export function queryTimedOut(place: ErrorPlace, timeoutMillis: number): TimeoutError {
  return new TimeoutError("TIMEOUT_QUERY", "Query read timeout", {
    ...place,
    verbatim: true,
    hint: `There was no complete answer within ${timeoutMillis} ms (query_timeout).`,
  });
}

export function queryAborted(place: ErrorPlace, signal: AbortSignal): AbortError {
  return new AbortError("ABORTED", "the query was aborted by its AbortSignal", { ...place, cause: signal.reason });
}

export function cancelFailed(place: ErrorPlace, cause: unknown): TransportError {
  return new TransportError(
    "CANCEL_FAILED",
    "a query was given up and the server could not be brought to cancel it; the connection is closed",
    { ...place, cause },
  );
}
