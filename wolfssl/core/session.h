/* One TLS connection.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PGDUPLEX_SESSION_H
#define PGDUPLEX_SESSION_H

#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/ssl.h>
#include <wolfssl/internal.h>

typedef struct Session {
  WOLFSSL_CTX* context;
  WOLFSSL* ssl;
  int id;              /* the host's name for this session */
  int keys_prepared;       /* whether the host makes keys: see crypto_callbacks.c */
  int device;          /* the crypto callback's device */
  word16 host_group; /* the group of the last key that the host made and holds; 0 where wolfSSL made it */
  sword64 ticket_seen; /* when the ticket came that this session was resumed by */
} Session;

/* What the calls of a session return besides a positive size. */
enum { RESULT_CLOSED = 0, RESULT_WANT_READ = -1, RESULT_WANT_WRITE = -2 };

int verify_callback(int preverified, WOLFSSL_X509_STORE_CTX* store);
int crypto_callback(int device, wc_CryptoInfo* info, void* context);

#endif
