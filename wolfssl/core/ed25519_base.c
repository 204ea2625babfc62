/* Ed25519's multiples of the base point without the 30 KB table that wolfSSL has for them: only a client's own Ed25519
 * key needs them, once per handshake. Takes the place of ge_operations.c, of which it is made.
 * SPDX-License-Identifier: GPL-3.0-or-later */
#define ge_scalarmult_base ge_scalarmult_base_by_table
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Weverything"
#include <wolfcrypt/src/ge_operations.c>
#pragma clang diagnostic pop
#undef ge_scalarmult_base

void ge_scalarmult_base(ge_p3* h, const unsigned char* a);

/* h = a * B, double and add from the top: the same steps and the same addresses whatever a is. */
void ge_scalarmult_base(ge_p3* h, const unsigned char* a) {
  ge_p1p1 sum;
  ge_precomp addend;
  int i;
  fe_0(h->X);
  fe_1(h->Y);
  fe_1(h->Z);
  fe_0(h->T);
  for (i = 255; i >= 0; i--) {
    ge_p3_dbl(&sum, h);
    ge_p1p1_to_p3(h, &sum);
    ge_precomp_0(&addend);
    cmov(&addend, &Bi[0], (unsigned char)((a[i >> 3] >> (i & 7)) & 1), 1);
    ge_madd(&sum, h, &addend);
    ge_p1p1_to_p3(h, &sum);
  }
}
