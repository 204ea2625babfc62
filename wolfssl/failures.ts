/**
 * What went wrong, in words: wolfSSL's error codes, the server's alerts, refused certificates, as TlsErrors.
 *
 * @module
 */

import { DriverError, type ErrorPlace, TlsError, TransportError } from "../src/errors.ts";
import type { DuplexInfo } from "../src/duplex/duplex.ts";
import { ALERT, ALERT_WORDS } from "./suites.ts";
import { nameText } from "./x509/name.ts";
import type { CertificateRefused, Check } from "./x509/verify.ts";

/** One of the core's functions failed. */
export class CoreFailure extends Error {
  override readonly name = "CoreFailure";

  constructor(
    /** wolfSSL's error code, negative; see wolfssl/error-ssl.h and wolfssl/wolfcrypt/error-crypt.h. */
    readonly code: number,
    /** The description of the last alert that the server sent. */
    readonly alert: number | undefined,
  ) {
    super(`wolfSSL error ${code}`);
  }
}

// The codes that a server or a network can bring about, by number.
const WORDS: Readonly<Record<number, string>> = {
  [-125]: "the core ran out of memory",
  [-140]: "a certificate cannot be read",
  [-180]: "a record does not decrypt: the bytes were changed on the way",
  [-213]: "ciphertext does not decrypt: the bytes were changed on the way",
  [-304]: "the handshake was tampered with (Finished does not match)",
  [-305]: "a record does not decrypt: the bytes were changed on the way",
  [-306]: "the server sent a malformed message",
  [-307]: "the server sent an unknown handshake message",
  [-308]: "the server ended the connection",
  [-311]: "what the server sent is not TLS: check that it has TLS turned on, and the port",
  [-312]: "a record does not decrypt",
  [-326]: "the server speaks another version of TLS: 1.2 and 1.3 are spoken here",
  [-328]: "the server sent a malformed message",
  [-330]: "the server did not prove that it has the certificate's private key",
  [-341]: "the server sent a record over the limit",
  [-342]: "the key of the server's certificate cannot be used",
  [-345]: "the server sent no certificate",
  [-352]: "the server sent an unusable key share",
  [-368]: "the server sent too many certificates",
  [-372]: "the server sent too many certificate extensions",
  [-373]: "the server sent a message out of order",
  [-394]: "the server sent a message out of order",
  [-395]: "the server sent a message twice",
  [-397]: "the server ended the connection",
  [-404]: "the server sent a handshake message over the limit",
  [-405]: "the server chose a protocol that was not offered (ALPN)",
  [-421]: "the server sent an unusable key share",
  [-424]: "the server sent an extension where it may not",
  [-425]: "the server chose what was not offered, or what its certificate cannot do",
  [-428]: "the server left out an extension that it has to send",
  [-429]: "the server sent an extension that was not asked for",
  [-441]: "the server sent data before the handshake was done",
  [-500]: "the server shares no cipher suite",
  [-501]: "the server shares no cipher suite",
};

const ENDED = new Set([-308, -397]);
const RECEIVED_ALERT = -313;

/** Whether the connection ended under the core. */
export function hasEnded(failure: CoreFailure): boolean {
  return ENDED.has(failure.code);
}

export function wordsOf(failure: CoreFailure): string {
  const { code, alert } = failure;
  if (alert !== undefined && (code === RECEIVED_ALERT || hasEnded(failure))) {
    return `the server refused: ${ALERT_WORDS[alert] ?? `alert ${alert}`}`;
  }
  return WORDS[code] ?? "the TLS core failed";
}

/** TLS could not be negotiated. */
export function handshakeFailed(cause: unknown, place: ErrorPlace): DriverError {
  if (cause instanceof DriverError) return cause;
  const words = cause instanceof CoreFailure ? wordsOf(cause) : "an unexpected failure";
  return new TlsError("TLS_HANDSHAKE", `TLS could not be negotiated: ${words}`, {
    ...place,
    phase: "tls",
    cause,
    safeToRetry: true,
  });
}

/** The server's certificate was refused. */
export function certificateRefused(refused: CertificateRefused, serverName: string, place: ErrorPlace): TlsError {
  const { certificate } = refused;
  const whose = certificate === undefined
    ? ""
    : ` of ${nameText(certificate.subject)}, issued by ${nameText(certificate.issuer)},`;
  return new TlsError(
    "TLS_CERTIFICATE",
    `the server's certificate was refused for "${serverName}": the one${whose} ${refused.reason} (${refused.advice})`,
    { ...place, phase: "tls", cause: refused, safeToRetry: true },
  );
}

/** An established connection broke. */
export function connectionFailed(cause: unknown, operation: string, info: DuplexInfo): DriverError {
  if (cause instanceof DriverError) return cause;
  const where = `the connection to ${info.remote}`;
  const place = { transport: info.transport, cause };
  if (!(cause instanceof CoreFailure)) return new TlsError("TLS_FAILED", `${operation}: TLS on ${where} failed`, place);
  if (hasEnded(cause)) {
    const truncated = "ended without TLS's close_notify, so that bytes may be missing";
    return new TlsError("TLS_TRUNCATED", `${operation}: ${where} ${truncated}`, place);
  }
  return new TlsError("TLS_FAILED", `${operation}: TLS on ${where} failed: ${wordsOf(cause)}`, place);
}

/** The connection was used after it was closed here. */
export function closedHere(operation: string, reason: unknown, info: DuplexInfo): TransportError {
  return new TransportError("TRANSPORT_CLOSED", `${operation}: the connection to ${info.remote} was closed here`, {
    transport: info.transport,
    cause: reason,
  });
}

/** The handshake was aborted: the signal's reason where that is ours, as the transports have it. */
export function aborted(reason: unknown, place: ErrorPlace): DriverError {
  if (reason instanceof DriverError) return reason;
  return new TransportError("TRANSPORT_ABORTED", "the TLS handshake was aborted", {
    ...place,
    phase: "tls",
    cause: reason,
    safeToRetry: true,
  });
}

/** An option that cannot be used as it is. */
export function optionInvalid(option: string, problem: string, cause?: unknown): TlsError {
  return new TlsError("TLS_OPTION_INVALID", `${option}: ${problem}`, {
    phase: "tls",
    ...(cause !== undefined && { cause }),
  });
}

/** An option that this engine cannot honour. */
export function optionUnsupported(option: string, instead: string): TlsError {
  return new TlsError("TLS_OPTION_UNSUPPORTED", `the wolfSSL engine cannot ${option}: ${instead}`, { phase: "tls" });
}

/** The alert with which the server is told why its certificate was refused. */
export function alertOf(check: Check): number {
  switch (check) {
    case "validity":
      return ALERT.certificateExpired;
    case "unknown-authority":
    case "signature":
      return ALERT.unknownAuthority;
    case "key":
    case "usage":
    case "extension":
    case "policy":
      return ALERT.unsupportedCertificate;
    default:
      return ALERT.badCertificate;
  }
}
