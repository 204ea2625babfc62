/* What was agreed, for the host to read.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "session.h"
#include "host.h"

/* 0x0303 or 0x0304. */
int EXPORT(session_protocol)(Session* session) { return session->ssl->version.major << 8 | session->ssl->version.minor; }

/* The cipher suite's number on the wire. */
int EXPORT(session_cipher)(Session* session) {
  return session->ssl->options.cipherSuite0 << 8 | session->ssl->options.cipherSuite;
}

/* The group of the key agreement as its number (RFC 8446 §4.2.7); 0 where there was none. */
int EXPORT(session_group)(Session* session) {
  if (session->ssl->version.minor == TLSv1_3_MINOR) return session->ssl->namedGroup;
  switch (session->ssl->ecdhCurveOID) {
    case ECC_X25519_OID: return WOLFSSL_ECC_X25519;
    case ECC_SECP256R1_OID: return WOLFSSL_ECC_SECP256R1;
    case ECC_SECP384R1_OID: return WOLFSSL_ECC_SECP384R1;
    default: return 0;
  }
}

/* Writes where the agreed protocol's name is; returns its size, or 0. */
int EXPORT(session_alpn)(Session* session, char** name) {
  word16 size = 0;
  return wolfSSL_ALPN_GetProtocol(session->ssl, name, &size) == WOLFSSL_SUCCESS ? size : 0;
}

int EXPORT(session_resumed)(Session* session) { return wolfSSL_session_reused(session->ssl); }

/* The last alert received, `level << 8 | description`, or -1. */
int EXPORT(session_alert)(Session* session) {
  WOLFSSL_ALERT_HISTORY history;
  if (wolfSSL_get_alert_history(session->ssl, &history) != WOLFSSL_SUCCESS || history.last_rx.code < 0) return -1;
  return history.last_rx.level << 8 | history.last_rx.code;
}
