/* The life of one TLS connection: settings, handshake, bytes both ways, close.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <string.h>
#include "session.h"
#include "host.h"

static int receive_ciphertext(WOLFSSL* ssl, char* buffer, int size, void* context) {
  int count = host_receive(((Session*)context)->id, buffer, size);
  (void)ssl;
  if (count > 0) return count;
  return count == 0 ? WOLFSSL_CBIO_ERR_WANT_READ : WOLFSSL_CBIO_ERR_CONN_CLOSE;
}

static int send_ciphertext(WOLFSSL* ssl, char* bytes, int size, void* context) {
  (void)ssl;
  host_send(((Session*)context)->id, bytes, size);
  return size;
}

/* A wolfSSL return value as one of ours: a size, RESULT_*, or wolfSSL's (negative) error code. */
static int result_of(Session* session, int returned) {
  int error;
  if (returned > 0) return returned;
  error = wolfSSL_get_error(session->ssl, returned);
  switch (error) {
    case WOLFSSL_ERROR_WANT_READ: return RESULT_WANT_READ;
    case WOLFSSL_ERROR_WANT_WRITE: return RESULT_WANT_WRITE;
    case WOLFSSL_ERROR_ZERO_RETURN: return RESULT_CLOSED;
    default: return error < 0 ? error : SOCKET_ERROR_E;
  }
}

/* Once per instance, before anything else: 0, or an error code. */
int EXPORT(core_init)(void) {
  int result = wolfSSL_Init();
  return result == WOLFSSL_SUCCESS ? 0 : result;
}

/* `id` is how the host calls this session in its imports; `minimum` and `maximum` are 0x0303 or 0x0304. */
Session* EXPORT(session_create)(int id, int minimum, int maximum) {
  Session* session = calloc(1, sizeof(Session));
  if (!session) return NULL;
  session->id = id;
  session->device = id;
  session->context = wolfSSL_CTX_new(
      maximum == 0x0303 ? wolfTLSv1_2_client_method() : minimum == 0x0304 ? wolfTLSv1_3_client_method() : wolfSSLv23_client_method());
  if (!session->context) {
    free(session);
    return NULL;
  }
  wolfSSL_CTX_SetIORecv(session->context, receive_ciphertext);
  wolfSSL_CTX_SetIOSend(session->context, send_ciphertext);
  /* The host verifies: wolfSSL only reads the certificates and checks what the peer signed with its key. */
  wolfSSL_CTX_set_verify(session->context, WOLFSSL_VERIFY_NONE, verify_callback);
  if (wc_CryptoCb_RegisterDevice(session->device, crypto_callback, session) == 0) {
    wolfSSL_CTX_SetDevId(session->context, session->device);
  }
  return session;
}

/* The certificate chain (PEM, the client's own first) and its private key (PEM, not encrypted). Before session_open. */
int EXPORT(session_set_client_certificate)(Session* session, const byte* chain, int chain_size, const byte* key, int key_size) {
  int result = wolfSSL_CTX_use_certificate_chain_buffer(session->context, chain, chain_size);
  if (result != WOLFSSL_SUCCESS) return result;
  result = wolfSSL_CTX_use_PrivateKey_buffer(session->context, key, key_size, WOLFSSL_FILETYPE_PEM);
  if (result != WOLFSSL_SUCCESS) return result;
  return wolfSSL_CTX_check_private_key(session->context); /* that the two belong together */
}

int EXPORT(session_open)(Session* session) {
  session->ssl = wolfSSL_new(session->context);
  if (!session->ssl) return MEMORY_E;
  wolfSSL_SetIOReadCtx(session->ssl, session);
  wolfSSL_SetIOWriteCtx(session->ssl, session);
  wolfSSL_SetCertCbCtx(session->ssl, session);
  wolfSSL_UseSessionTicket(session->ssl); /* TLS 1.2 has to ask for one */
  wolfSSL_KeepArrays(session->ssl); /* the group and the exporter are asked for after the handshake */
  return WOLFSSL_SUCCESS;
}

int EXPORT(session_set_server_name)(Session* session, const char* name, int size) {
  return wolfSSL_UseSNI(session->ssl, WOLFSSL_SNI_HOST_NAME, name, (word16)size);
}

/* Protocol names, separated by commas. */
int EXPORT(session_set_alpn)(Session* session, char* names, int size) {
  return wolfSSL_UseALPN(session->ssl, names, (unsigned)size, WOLFSSL_ALPN_FAILED_ON_MISMATCH);
}

/* Cipher suites as on the wire, two bytes each, the preferred first. */
int EXPORT(session_set_ciphers)(Session* session, const byte* suites, int size) {
  return wolfSSL_set_cipher_list_bytes(session->ssl, suites, size);
}

/* Groups as numbers of RFC 8446 §4.2.7, the preferred first. A key share is sent for the first two, so that a server
 * that takes P-256 alone (PostgreSQL up to 17) costs no further turn; for one alone where the host holds its key. */
int EXPORT(session_set_groups)(Session* session, int* groups, int count) {
  int result = wolfSSL_set_groups(session->ssl, groups, count);
  if (result == WOLFSSL_SUCCESS) result = wolfSSL_UseKeyShare(session->ssl, (word16)groups[0]);
  if (result != WOLFSSL_SUCCESS || count < 2 || session->host_group != 0) return result;
  return wolfSSL_UseKeyShare(session->ssl, (word16)groups[1]);
}

/* The host has made the key for the first group. Before session_set_groups. */
void EXPORT(session_set_keys_prepared)(Session* session) { session->keys_prepared = 1; }

/* Goes on with the handshake as far as the ciphertext at hand allows: 1 when done. */
int EXPORT(session_handshake)(Session* session) { return result_of(session, wolfSSL_connect(session->ssl)); }

int EXPORT(session_read)(Session* session, void* buffer, int size) {
  return result_of(session, wolfSSL_read(session->ssl, buffer, size));
}

int EXPORT(session_write)(Session* session, const void* bytes, int size) {
  return result_of(session, wolfSSL_write(session->ssl, bytes, size));
}

/* Sends close_notify (RFC 8446 §6.1); reading may go on. */
void EXPORT(session_close_write)(Session* session) { wolfSSL_shutdown(session->ssl); }

void EXPORT(session_destroy)(Session* session) {
  if (session->ssl) wolfSSL_free(session->ssl);
  wolfSSL_CTX_free(session->context);
  wc_CryptoCb_UnRegisterDevice(session->device);
  free(session);
}
