/* What wolfSSL is built with: a TLS 1.3 and 1.2 client that moves bytes between memory buffers, and nothing else.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PGDUPLEX_USER_SETTINGS_H
#define PGDUPLEX_USER_SETTINGS_H

#include <stddef.h>
#include <time.h>

/* ---- The host: one thread, no files, no sockets; randomness and time are imported ---- */
#define SINGLE_THREADED
#define WOLFSSL_NO_ATOMICS
#define WOLFSSL_USER_IO
#define NO_FILESYSTEM
#define NO_STDIO_FILESYSTEM
#define NO_WOLFSSL_DIR
#define NO_WRITEV
#define NO_MAIN_DRIVER
#define NO_DEV_RANDOM
#define WOLFSSL_NO_GETPID
#define WOLFSSL_IGNORE_FILE_WARN
#define NO_ERROR_STRINGS /* the words are in TypeScript */
#define WC_NO_HASHDRBG   /* crypto.getRandomValues is a DRBG already */
extern int host_random_block(unsigned char* output, unsigned int size);
#define CUSTOM_RAND_GENERATE_BLOCK host_random_block
#define HAVE_TIME_T_TYPE
#define HAVE_TM_TYPE
#define HAVE_GMTIME_R
#define USER_TIME
#define USER_TICKS
extern time_t host_time(time_t* out);
#define XTIME(out) host_time(out)
#define SIZEOF_LONG 4
#define SIZEOF_LONG_LONG 8
#define LITTLE_ENDIAN_ORDER
#define WOLFSSL_GENERAL_ALIGNMENT 4
#define WOLFSSL_SMALL_STACK

/* ---- Protocol ---- */
#define NO_WOLFSSL_SERVER
#define WOLFSSL_TLS13
#define NO_OLD_TLS
#define WOLFSSL_AEAD_ONLY /* TLS 1.2 only with AEAD suites: CBC is not worth its history */
#define HAVE_TLS_EXTENSIONS
#define HAVE_SUPPORTED_CURVES
#define HAVE_EXTENDED_MASTER
#define HAVE_SERVER_RENEGOTIATION_INFO
#define HAVE_SNI
#define HAVE_ALPN
#define HAVE_SESSION_TICKET
#define WOLFSSL_TICKET_NONCE_MALLOC /* rustls gives nonces of 32 bytes */
#define HAVE_EXT_CACHE /* sessions are kept by the engine, as bytes */
#define MICRO_SESSION_CACHE
#define NO_SESSION_CACHE_REF
#define HAVE_HKDF
#define NO_PSK
#define WOLFSSL_SET_CIPHER_BYTES
#define WOLFSSL_ALWAYS_VERIFY_CB /* the engine's own verification decides, see certificate.c */
#define KEEP_PEER_CERT

/* ---- Ciphers and hashes ---- */
#define HAVE_AESGCM
#define GCM_TABLE_4BIT
#define NO_AES_192
#define NO_AES_DECRYPT /* GCM only ever encrypts blocks */
#define HAVE_AESGCM_DECRYPT
#define NO_AES_CBC
#define HAVE_CHACHA
#define HAVE_POLY1305
#define HAVE_ONE_TIME_AUTH
#define WOLFSSL_SHA384
#define WOLFSSL_SHA512
#define WOLFSSL_NOSHA512_224
#define WOLFSSL_NOSHA512_256
#define NO_DH
#define NO_DSA
#define NO_RC4
#define NO_DES3
#define NO_MD4
#define NO_MD5
#define NO_PWDBASED
#define NO_PKCS8_ENC
#define NO_PKCS12

/* ---- Public keys ---- */
#define HAVE_ECC
#define ECC_USER_CURVES /* P-256 and what is named below */
#define HAVE_ECC384
#define HAVE_ECC521
#define ECC_SHAMIR
#define ECC_TIMING_RESISTANT
#define TFM_TIMING_RESISTANT
#define WC_RSA_BLINDING
#define WC_RSA_PSS
#define HAVE_CURVE25519
#define HAVE_ED25519
#define IGNORE_NAME_CONSTRAINTS /* verification is in TypeScript */

/* X25519MLKEM768: the client makes a key and decapsulates, nothing more. */
#ifndef WITHOUT_MLKEM
#define WOLFSSL_HAVE_MLKEM
#define WOLFSSL_WC_MLKEM
#define WOLFSSL_NO_ML_KEM_512
#define WOLFSSL_NO_ML_KEM_1024
#define WOLFSSL_SHA3
#define WOLFSSL_SHAKE128
#define WOLFSSL_SHAKE256
#define WOLFSSL_PQC_HYBRIDS
#endif

/* ---- Arithmetic: 32-bit words; generated code for P-256, the general one for the rest ---- */
#define WOLFSSL_SP_MATH_ALL
#define SP_INT_BITS 4096
#define SP_WORD_SIZE 32
#ifndef WITHOUT_SP_P256
#define WOLFSSL_HAVE_SP_ECC
#endif
#ifdef WITH_SP_P384
#define WOLFSSL_SP_384
#endif

/* ---- Callbacks: record protection and key agreement may come from SubtleCrypto, see crypto_callbacks.c ---- */
#define WOLF_CRYPTO_CB
#define NO_SHA_CRYPTO_CB
#define NO_SHA2_CRYPTO_CB
#define NO_SHA256_CRYPTO_CB

#endif
