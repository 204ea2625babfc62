/* Randomness, time and memory.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdlib.h>
#include <wolfssl/wolfcrypt/settings.h>
#include <wolfssl/ssl.h>
#include "host.h"

int host_random_block(unsigned char* output, unsigned int size) {
  host_random(output, size);
  return 0;
}

time_t host_time(time_t* out) {
  time_t seconds = (time_t)(host_now() / 1000.0);
  if (out) *out = seconds;
  return seconds;
}

/* wolfSSL's clocks for the age of session tickets. */
sword64 TimeNowInMilliseconds(void) { return (sword64)host_now(); }
word32 LowResTimer(void) { return (word32)(host_now() / 1000.0); }

void* EXPORT(memory_allocate)(int size) { return malloc((size_t)size); }

void EXPORT(memory_free)(void* address) { free(address); }
