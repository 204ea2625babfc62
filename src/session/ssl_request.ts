/**
 * SSLRequest, and the server's answer to it.
 *
 * @see PostgreSQL documentation, "Message Flow", "SSL Session Encryption"
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import { ProtocolError, TlsError } from "../errors.ts";
import * as Backend from "../protocol/backend_types.ts";
import { sslRequest } from "../protocol/frontend.ts";
import { MessageWriter } from "../protocol/message_writer.ts";
import { peerEnded } from "./failures.ts";

const TLS_ACCEPTED = 0x53; // 'S'
const TLS_REFUSED = 0x4e; // 'N'

/**
 * Asks whether TLS may begin.
 *
 * @throws {ProtocolError} `PROTOCOL_SSL_ANSWER`
 * @throws {TransportError} `CONNECTION_ENDED`, and what the transport throws
 */
export async function requestSsl(transport: Duplex): Promise<boolean> {
  const writer = new MessageWriter();
  sslRequest(writer);
  await transport.write(writer.take());
  return await readSslAnswer(transport);
}

/**
 * The one-byte answer to an SSLRequest. More than one byte is refused: it would be plaintext that somebody slipped in to
 * be read as if it had come through TLS (CVE-2021-23222).
 *
 * @throws as {@linkcode requestSsl}
 */
export async function readSslAnswer(transport: Duplex): Promise<boolean> {
  const answer = await transport.read();
  if (answer === null) throw peerEnded(" instead of answering SSLRequest");
  if (answer.length === 1 && answer[0] === TLS_ACCEPTED) return true;
  if (answer.length === 1 && answer[0] === TLS_REFUSED) return false;
  throw new ProtocolError("PROTOCOL_SSL_ANSWER", `the server answered SSLRequest ${wrongly(answer)}`);
}

/** What `N` means where TLS is insisted on. */
export function sslRefused(): TlsError {
  return new TlsError("TLS_REFUSED_BY_SERVER", "The server does not support SSL connections", {
    verbatim: true,
    hint: "Turn TLS on there (ssl = on), or set sslmode=disable if the network is yours.",
  });
}

/** What an answer other than `S` or `N` is; none of its bytes are shown (CVE-2024-10977). */
function wrongly(answer: Uint8Array): string {
  switch (answer[0]) {
    case Backend.ErrorResponse:
      return "with an error, which is not shown since anybody on the way could have written it: see the server's log";
    case TLS_ACCEPTED:
    case TLS_REFUSED:
      return `and sent ${answer.length - 1} bytes more, unencrypted: somebody on the way may have added them`;
    default:
      return "with neither 'S' nor 'N': is this a PostgreSQL server?";
  }
}
