/* Record protection by the host: what it needs to open and seal AES-GCM records in the core's place.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>
#include "session.h"
#include "host.h"

/* The state of one direction: returns the key's size, and writes at `output` the key (32 bytes), the IV (12) and the
 * sequence number of the next record (8, big-endian). 0 where the cipher is not AES-GCM. */
int EXPORT(session_traffic_keys)(Session* session, int sealing, byte* output) {
  Keys* keys = &session->ssl->keys;
  word32 high = sealing ? keys->sequence_number_hi : keys->peer_sequence_number_hi;
  word32 low = sealing ? keys->sequence_number_lo : keys->peer_sequence_number_lo;
  int i;
  if (session->ssl->specs.bulk_cipher_algorithm != wolfssl_aes_gcm) return 0;
  memcpy(output, sealing ? keys->client_write_key : keys->server_write_key, 32);
  memcpy(output + 32, sealing ? keys->aead_enc_imp_IV : keys->aead_dec_imp_IV, 12);
  for (i = 0; i < 4; i++) {
    output[44 + i] = (byte)(high >> (24 - 8 * i));
    output[48 + i] = (byte)(low >> (24 - 8 * i));
  }
  return session->ssl->specs.key_size;
}

/* The host opened or sealed so many records itself. */
void EXPORT(session_advance)(Session* session, int sealing, int count) {
  Keys* keys = &session->ssl->keys;
  word32* high = sealing ? &keys->sequence_number_hi : &keys->peer_sequence_number_hi;
  word32* low = sealing ? &keys->sequence_number_lo : &keys->peer_sequence_number_lo;
  *low += (word32)count;
  if (*low < (word32)count) *high += 1;
}
