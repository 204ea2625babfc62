/* The key agreement where SubtleCrypto has done it already. wolfSSL asks here first; where the host made the key, its
 * secret is the host's too, otherwise wolfSSL computes both itself. Nothing here waits.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include <wolfssl/wolfcrypt/cryptocb.h>
#include "session.h"
#include "host.h"

enum { POINT_MAX = 2 * 48 };

static int group_of_curve(int curve) {
  switch (curve) {
    case ECC_SECP256R1: return WOLFSSL_ECC_SECP256R1;
    case ECC_SECP384R1: return WOLFSSL_ECC_SECP384R1;
    default: return 0;
  }
}

static int make_x25519(Session* session, curve25519_key* key) {
  session->host_group = 0;
  if (host_prepared_key(session->id, WOLFSSL_ECC_X25519, key->p.point) != CURVE25519_KEYSIZE) return CRYPTOCB_UNAVAILABLE;
  session->host_group = WOLFSSL_ECC_X25519;
  key->pubSet = 1;
  key->privSet = 1; /* held by the host */
  return 0;
}

static int agree_x25519(Session* session, wc_CryptoInfo* info) {
  byte secret[CURVE25519_KEYSIZE];
  int i;
  if (session->host_group != WOLFSSL_ECC_X25519) return CRYPTOCB_UNAVAILABLE;
  if (host_prepared_secret(session->id, WOLFSSL_ECC_X25519, info->pk.curve25519.public_key->p.point, CURVE25519_KEYSIZE,
                           secret) != CURVE25519_KEYSIZE) {
    return ECC_PEERKEY_ERROR; /* never compute with a private key that is not here */
  }
  for (i = 0; i < CURVE25519_KEYSIZE; i++) {
    int from = info->pk.curve25519.endian == EC25519_LITTLE_ENDIAN ? i : CURVE25519_KEYSIZE - 1 - i;
    info->pk.curve25519.out[i] = secret[from];
  }
  *info->pk.curve25519.outlen = CURVE25519_KEYSIZE;
  wc_ForceZero(secret, sizeof secret);
  return 0;
}

static int make_ecc(Session* session, wc_CryptoInfo* info) {
  ecc_key* key = info->pk.eckg.key;
  int curve = info->pk.eckg.curveId, result, size;
  byte point[POINT_MAX];
  session->host_group = 0;
  if (curve == ECC_CURVE_DEF && key->dp) curve = key->dp->id;
  size = wc_ecc_get_curve_size_from_id(curve);
  if (group_of_curve(curve) == 0 || size * 2 > (int)sizeof point) return CRYPTOCB_UNAVAILABLE;
  if (host_prepared_key(session->id, group_of_curve(curve), point) != 2 * size) return CRYPTOCB_UNAVAILABLE;
  result = wc_ecc_import_unsigned(key, point, point + size, NULL, curve);
  if (result != 0) return result;
  session->host_group = (word16)group_of_curve(curve);
  key->type = ECC_PRIVATEKEY; /* held by the host; wolfSSL only looks at whether there is one */
  return mp_set(ecc_get_k(key), 1);
}

static int agree_ecc(Session* session, wc_CryptoInfo* info) {
  ecc_key* peer = info->pk.ecdh.public_key;
  byte point[POINT_MAX];
  word32 size = (word32)peer->dp->size, x = size, y = size;
  int group = group_of_curve(peer->dp->id);
  if (group == 0 || session->host_group != group) return CRYPTOCB_UNAVAILABLE;
  if (2 * size > sizeof point || *info->pk.ecdh.outlen < size) return BUFFER_E;
  if (wc_ecc_export_public_raw(peer, point, &x, point + size, &y) != 0) return ECC_PEERKEY_ERROR;
  if (host_prepared_secret(session->id, group, point, (int)(2 * size), info->pk.ecdh.out) != (int)size) {
    return ECC_PEERKEY_ERROR;
  }
  *info->pk.ecdh.outlen = size;
  return 0;
}

int crypto_callback(int device, wc_CryptoInfo* info, void* context) {
  Session* session = (Session*)context;
  (void)device;
  if (info->algo_type != WC_ALGO_TYPE_PK || !session->keys_prepared) return CRYPTOCB_UNAVAILABLE;
  switch (info->pk.type) {
    case WC_PK_TYPE_CURVE25519_KEYGEN: return make_x25519(session, info->pk.curve25519kg.key);
    case WC_PK_TYPE_CURVE25519: return agree_x25519(session, info);
    case WC_PK_TYPE_EC_KEYGEN: return make_ecc(session, info);
    case WC_PK_TYPE_ECDH: return agree_ecc(session, info);
    default: return CRYPTOCB_UNAVAILABLE;
  }
}
