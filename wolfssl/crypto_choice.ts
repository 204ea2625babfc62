/**
 * Who computes what: the core, the runtime's SubtleCrypto, or Node's own crypto.
 *
 * @module
 */

import { subtleAead } from "./aead.ts";
import { nodeAead } from "./node_crypto.ts";
import type { RecordChoice } from "./record_crypto.ts";
import { GROUPS } from "./suites.ts";

/** Who computes: the core in WebAssembly, the runtime's SubtleCrypto wherever it can, or each what it does better. */
export type CryptoMode = "auto" | "wasm" | "subtle";

/** What the runtime does for a connection. */
export interface CryptoChoice {
  /** Records that it opens and seals; undefined where the core does all of them. */
  readonly records: RecordChoice | undefined;
  /** Whether SubtleCrypto makes the key and agrees on the secret for a group. */
  agrees(group: number): boolean;
}

/**
 * From which size of plaintext on the runtime's AES-GCM costs less than the core's, in bytes; the sizes are where the
 * measurements in docs/tls.md cross. Near the crossing the runtime's is preferred: the core's looks tables up by secret
 * bytes, the platform's does not.
 */
type Crossings = readonly (readonly [userAgent: RegExp, bytes: number])[];

/** Where Node's own crypto is faster than SubtleCrypto. Deno has its interface, but not its speed. */
const NODE_CRYPTO: Crossings = [
  [/^Node\.js\/|^$/, 256], // Node 20 has no navigator
  [/^Bun\//, 0],
];

const SUBTLE_CRYPTO: Crossings = [
  [/^Cloudflare-Workers/, 256],
  [/^Deno\//, 2048],
  [/Chrome\//, 512],
  [/Firefox\//, 2048],
  [/^/, 1024],
];

function recordsAutomatically(): RecordChoice {
  const userAgent = globalThis.navigator?.userAgent ?? "";
  const crossing = (crossings: Crossings) => crossings.find(([pattern]) => pattern.test(userAgent))?.[1];
  const withNode = crossing(NODE_CRYPTO);
  const node = withNode === undefined ? undefined : nodeAead();
  if (withNode !== undefined && node !== undefined) return { aead: node, openFrom: withNode, sealFrom: withNode };
  const from = crossing(SUBTLE_CRYPTO) ?? 0;
  return { aead: subtleAead, openFrom: from, sealFrom: from };
}

const CHOICES: Readonly<Record<CryptoMode, CryptoChoice>> = {
  auto: {
    records: recordsAutomatically(),
    // The core's X25519 and P-256 are constant in time, as fast as most runtimes' and need no turn of the event loop. Its
    // P-384 is slower than any runtime's.
    agrees: (group) => group === GROUPS["P-384"],
  },
  wasm: { records: undefined, agrees: () => false },
  subtle: { records: { aead: subtleAead, openFrom: 0, sealFrom: 0 }, agrees: () => true },
};

export function chooseCrypto(mode: CryptoMode): CryptoChoice {
  return CHOICES[mode];
}
