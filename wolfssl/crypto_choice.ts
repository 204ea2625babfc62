/**
 * Who computes what: the core, or the runtime's SubtleCrypto.
 *
 * @module
 */

import { GROUPS } from "./suites.ts";

/** Who computes: the core in WebAssembly, the runtime's SubtleCrypto wherever it can, or each what it does better. */
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
 * From which size on one awaited call of SubtleCrypto costs less than the core's own AES-GCM, in bytes; the sizes are
 * where the measurements in docs/tls.md cross. Near the crossing SubtleCrypto is preferred: the core's AES looks tables
 * up by secret bytes, the platform's does not.
 */
const CROSSINGS: readonly (readonly [userAgent: RegExp, bytes: number])[] = [
  [/^Cloudflare-Workers/, 256],
  [/^Bun\//, 512],
  [/Chrome\//, 512],
  [/Firefox\//, 2048],
];
const CROSSING_ELSEWHERE = 1024;

function crossing(): number {
  const userAgent = globalThis.navigator?.userAgent ?? ""; // Node 20 has none
  return CROSSINGS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? CROSSING_ELSEWHERE;
}

const AUTO: CryptoChoice = {
  openFrom: crossing(),
  sealFrom: crossing(),
  // The core's X25519 and P-256 are constant in time, as fast as most runtimes' and need no turn of the event loop. Its
  // P-384 is slower than any runtime's.
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
