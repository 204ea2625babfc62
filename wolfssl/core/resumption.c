/* Sessions as bytes, so that the host can keep a ticket for the next connection.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include "session.h"
#include "host.h"

/* Writes at most `capacity` bytes of the session that the server offered; its size, or 0 where there is none. */
int EXPORT(session_export)(Session* session, byte* output, int capacity) {
  byte* end = output;
  WOLFSSL_SESSION* offered = wolfSSL_get1_session(session->ssl);
  int size = 0;
  if (!offered) return 0;
  /* In TLS 1.3 a resumed session still has the ticket that it was resumed by, which does not go with its secret. */
  if (offered->ticketLen > 0 && (session->ssl->version.minor != TLSv1_3_MINOR || offered->ticketSeen != session->ticket_seen))
    size = wolfSSL_i2d_SSL_SESSION(offered, NULL);
  if (size > 0 && size <= capacity) size = wolfSSL_i2d_SSL_SESSION(offered, &end);
  else size = 0;
  wolfSSL_SESSION_free(offered);
  return size;
}

/* Offers the server a session exported earlier. Before the handshake. */
int EXPORT(session_import)(Session* session, const byte* bytes, int size) {
  const byte* cursor = bytes;
  WOLFSSL_SESSION* offered = wolfSSL_d2i_SSL_SESSION(NULL, &cursor, size);
  int result;
  if (!offered) return 0;
  session->ticket_seen = offered->ticketSeen;
  result = wolfSSL_set_session(session->ssl, offered);
  wolfSSL_SESSION_free(offered);
  return result == WOLFSSL_SUCCESS;
}
