/* The peer's certificates go to the host, which verifies the chain and the name; here is the arithmetic it asks for.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/rsa.h>
#include "session.h"
#include "host.h"

/* Called by wolfSSL once the peer's certificates were read and before anything of ours depends on them. Its verdict
 * is the host's alone: it also overrides wolfSSL's doubts about certificates that the host does not need. */
int verify_callback(int preverified, WOLFSSL_X509_STORE_CTX* store) {
  Session* session = (Session*)store->userCtx;
  int alert = host_verify_chain(session->id, store->certs, store->totalCerts);
  (void)preverified;
  if (alert == 0) return 1;
  SendAlert(session->ssl, alert_fatal, alert);
  return 0;
}

enum { KEY_RSA = 1, KEY_RSA_PSS = 2, KEY_ECDSA = 3, KEY_ED25519 = 4 };

static int verify_rsa(const byte* key, word32 key_size, int kind, int hash, int salt, byte* digest, word32 digest_size,
                      const byte* signature, word32 signature_size) {
  RsaKey rsa;
  word32 index = 0;
  byte plain[SP_INT_BITS / 8];
  int result = wc_InitRsaKey(&rsa, NULL);
  if (result != 0) return 0;
  result = wc_RsaPublicKeyDecode(key, &index, &rsa, key_size);
  if (result == 0 && kind == KEY_RSA_PSS) {
    int mgf = wc_hash2mgf((enum wc_HashType)hash);
    result = wc_RsaPSS_Verify_ex((byte*)signature, signature_size, plain, sizeof plain, (enum wc_HashType)hash, mgf, salt, &rsa);
    if (result > 0) {
      result = wc_RsaPSS_CheckPadding_ex(digest, digest_size, plain, (word32)result, (enum wc_HashType)hash, salt,
                                         wc_RsaEncryptSize(&rsa) * 8);
    }
  } else if (result == 0) {
    byte expected[MAX_DER_DIGEST_SZ];
    word32 expected_size = wc_EncodeSignature(expected, digest, digest_size, wc_HashGetOID((enum wc_HashType)hash));
    result = wc_RsaSSL_Verify(signature, signature_size, plain, sizeof plain, &rsa);
    if (result < 0 || (word32)result != expected_size || XMEMCMP(plain, expected, expected_size) != 0) result = -1;
  }
  wc_FreeRsaKey(&rsa);
  return result >= 0;
}

static int verify_ecdsa(const byte* key, word32 key_size, const byte* digest, word32 digest_size, const byte* signature,
                        word32 signature_size) {
  ecc_key ecc;
  word32 index = 0;
  int valid = 0;
  int result = wc_ecc_init(&ecc);
  if (result != 0) return 0;
  result = wc_EccPublicKeyDecode(key, &index, &ecc, key_size);
  if (result == 0) result = wc_ecc_check_key(&ecc);
  if (result == 0) result = wc_ecc_verify_hash(signature, signature_size, digest, digest_size, &valid, &ecc);
  wc_ecc_free(&ecc);
  return result == 0 && valid == 1;
}

static int verify_ed25519(const byte* key, word32 key_size, const byte* message, word32 message_size,
                          const byte* signature, word32 signature_size) {
  ed25519_key ed;
  word32 index = 0;
  int valid = 0;
  int result = wc_ed25519_init(&ed);
  if (result != 0) return 0;
  result = wc_Ed25519PublicKeyDecode(key, &index, &ed, key_size);
  if (result == 0) result = wc_ed25519_verify_msg(signature, signature_size, message, message_size, &valid, &ed);
  wc_ed25519_free(&ed);
  return result == 0 && valid == 1;
}

/* 1 when `signature` over `message` was made with the private half of `key` (a SubjectPublicKeyInfo). `hash` is a
 * wc_HashType, not used by Ed25519; `salt` is RSA-PSS's. */
int EXPORT(signature_verify)(int kind, int hash, int salt, const byte* key, int key_size, const byte* message,
                             int message_size, const byte* signature, int signature_size) {
  byte digest[WC_MAX_DIGEST_SIZE];
  int digest_size = 0;
  if (kind == KEY_ED25519) {
    return verify_ed25519(key, (word32)key_size, message, (word32)message_size, signature, (word32)signature_size);
  }
  digest_size = wc_HashGetDigestSize((enum wc_HashType)hash);
  if (digest_size <= 0) return 0;
  if (wc_Hash((enum wc_HashType)hash, message, (word32)message_size, digest, (word32)digest_size) != 0) return 0;
  if (kind == KEY_ECDSA) {
    return verify_ecdsa(key, (word32)key_size, digest, (word32)digest_size, signature, (word32)signature_size);
  }
  return verify_rsa(key, (word32)key_size, kind, hash, salt, digest, (word32)digest_size, signature, (word32)signature_size);
}
