/* What the core takes from its host and what it gives. Every call returns at once; none is re-entered but
 * `signature_verify`, from within `host_verify_chain`.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef PGDUPLEX_HOST_H
#define PGDUPLEX_HOST_H

#define EXPORT(name) __attribute__((export_name(#name), used)) name
#define IMPORT(name) __attribute__((import_module("host"), import_name(#name))) name

/* Fills the buffer from the platform's cryptographic generator. */
void IMPORT(host_random)(void* output, unsigned size);
/* Milliseconds since 1970. */
double IMPORT(host_now)(void);

/* Ciphertext in: the number of bytes copied, 0 when there are none yet, -1 when the peer has ended. */
int IMPORT(host_receive)(int session, void* buffer, int size);
/* Ciphertext out: takes all of it. */
void IMPORT(host_send)(int session, const void* bytes, int size);

/* The peer's certificates as `count` pairs of {address, length}, the end entity first. 0, or the alert to refuse with. */
int IMPORT(host_verify_chain)(int session, const void* certificates, int count);

/* The public half of a key pair made by SubtleCrypto for a group (RFC 8446 §4.2.7): its size, or 0. */
int IMPORT(host_prepared_key)(int session, int group, void* public_key);
/* The secret agreed with that key and the peer's public key: its size, or 0. */
int IMPORT(host_prepared_secret)(int session, int group, const void* peer, int peer_size, void* secret);

#endif
