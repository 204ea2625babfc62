/**
 * Who computes what: the core, or the runtime's SubtleCrypto.
 *
 * @module
 */

import { GROUPS } from "./suites.ts";

export type CryptoMode = "auto" | "wasm" | "subtle";

/** What SubtleCrypto does for a connection. */
export interface CryptoChoice {
  /** From which size of a record's plaintext on it opens and seals AES-GCM, in bytes. */
  readonly openFrom: number;
  readonly sealFrom: number;
  /** Whether it makes the key and agrees on the secret for a group. */
  agrees(group: number): boolean;
}

/**
 * Where one awaited call of SubtleCrypto becomes cheaper than the core's own AES-GCM (see docs/tls.md for the
 * measurements). Near the crossing SubtleCrypto is preferred: the core's AES looks tables up by secret bytes, the
 * platform's does not.
 */
const AUTO: CryptoChoice = {
  openFrom: 1024,
  sealFrom: 1024,
  // The core's X25519 is constant in time, faster than most runtimes' and needs no turn of the event loop. Its P-384
  // is slower than any runtime's.
  agrees: (group) => group === GROUPS["P-384"],
};

const CHOICES: Readonly<Record<CryptoMode, CryptoChoice>> = {
  auto: AUTO,
  wasm: { openFrom: Infinity, sealFrom: Infinity, agrees: () => false },
  subtle: { openFrom: 0, sealFrom: 0, agrees: () => true },
};

export function chooseCrypto(mode: CryptoMode): CryptoChoice {
  return CHOICES[mode];
}
