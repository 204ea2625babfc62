/**
 * What the platforms' TLS says when a handshake fails or an option cannot be honoured: one wording for all.
 *
 * @module
 */

import type { ErrorPlace } from "../errors.ts";
import { TlsError } from "../errors.ts";
import { wordsOf } from "./error_words.ts";
import { systemFailure } from "./system_failure.ts";

/** What is known of a certificate that was refused. */
export interface RefusedCertificate {
  /** The name that was to be verified. */
  readonly serverName: string;
  readonly subject?: string | undefined;
  readonly issuer?: string | undefined;
}

/** The server's certificate was refused: whose it is, why, and what to do. */
export function certificateRefused(certificate: RefusedCertificate, cause: unknown, place: ErrorPlace): TlsError {
  const { serverName, subject, issuer } = certificate;
  const whose = subject === undefined ? "" : ` of ${subject}${issuer === undefined ? "" : `, issued by ${issuer}`},`;
  const reason = wordsOf(cause);
  return new TlsError(
    "TLS_CERTIFICATE",
    `the server's certificate${whose} was refused for "${serverName}": ${reason}${advice(reason)}`,
    { ...place, phase: "tls", cause, system: systemFailure(cause), safeToRetry: true },
  );
}

/** The handshake failed, but not for the server's certificate. */
export function handshakeFailed(cause: unknown, place: ErrorPlace): TlsError {
  return new TlsError("TLS_HANDSHAKE", `TLS could not be negotiated: ${wordsOf(cause)}`, {
    ...place,
    phase: "tls",
    cause,
    system: systemFailure(cause),
    safeToRetry: true,
  });
}

/** The platform's TLS cannot honour what was asked for. */
export function tlsOptionUnsupported(platform: string, option: string, instead: string, place: ErrorPlace): TlsError {
  return new TlsError("TLS_OPTION_UNSUPPORTED", `${platform} cannot ${option}: ${instead}`, { ...place, phase: "tls" });
}

// OpenSSL's, rustls's and BoringSSL's words for the same few reasons, and what helps against each.
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [
    /issuer|first certificate|self.signed|unable to get|UnknownIssuer|BadSignature/i,
    "trust its CA by rootCerts, ssl.ca or sslrootcert, if that CA is yours",
  ],
  [/expired/i, "renew the server's certificate, or set this machine's clock"],
  [/not yet valid|NotValidYet/i, "set this machine's clock, or the server's certificate is from the future"],
  [
    /altname|hostname|in the cert's list|is not cert's|DNS name|valid for name|ValidForName/i,
    "connect by a name that it was issued for, or give that as ssl.servername",
  ],
];

function advice(reason: string): string {
  const words = ADVICE.find(([pattern]) => pattern.test(reason))?.[1];
  return words === undefined ? "" : ` (${words})`;
}
