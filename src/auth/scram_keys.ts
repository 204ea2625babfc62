/**
 * The keys that SCRAM-SHA-256 derives from a password, and a small memory of them: the derivation is most of what a
 * SCRAM login costs, and RFC 5802 §5.1 lets a client keep its results.
 *
 * @module
 */

import { setRecent } from "../recent.ts";
import { encodeUtf8 } from "../utf8.ts";
import { failure } from "./failure.ts";

/** What proves the password to the server and the server to us (RFC 5802 §3), for one password, salt and count. */
export interface ScramKeys {
  readonly clientKey: Uint8Array<ArrayBuffer>;
  /** StoredKey, as a key for HMAC. */
  readonly storedKey: CryptoKey;
  /** ServerKey, as a key for HMAC. */
  readonly serverKey: CryptoKey;
}

/** How many derivations are remembered: each belongs to one password of one role on one server. */
export const MAX_REMEMBERED_KEYS = 64;

const HMAC_SHA_256 = { name: "HMAC", hash: "SHA-256" } as const;

/**
 * The least recently used goes first. Only finished results are kept: on Workers a promise must not be awaited by
 * another request than the one that made it. An entry's name is an HMAC under a key that never leaves `crypto.subtle`,
 * so that neither the password nor a digest of it to guess against stays in memory.
 */
const remembered = new Map<string, ScramKeys>();
let namingKey: CryptoKey | undefined; // made when first needed: Workers have no randomness before a request

/**
 * Derives ClientKey, StoredKey and ServerKey, or recalls them.
 *
 * @param password after SASLprep; not empty
 * @throws {AuthenticationError} `AUTH_SCRAM_ITERATIONS`: the platform refuses that many
 */
export async function scramKeys(
  password: string,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<ScramKeys> {
  const secret = encodeUtf8(password);
  try {
    const name = await nameOf(secret, salt, iterations);
    const keys = remembered.get(name) ?? await derive(secret, salt, iterations);
    setRecent(remembered, name, keys, MAX_REMEMBERED_KEYS);
    return keys;
  } finally {
    secret.fill(0);
  }
}

/** Forgets all derived keys; the next login of each kind derives its own again. */
export function forgetScramKeys(): void {
  remembered.clear();
}

/** HMAC-SHA-256. */
export async function hmac(key: CryptoKey, message: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, message));
}

/** RFC 5802 §3, with Hi() in one call of the platform's PBKDF2. */
async function derive(
  secret: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<ScramKeys> {
  const saltedPassword = await hmacKey(await pbkdf2(secret, salt, iterations));
  const [clientKey, serverKey] = await Promise.all([
    hmac(saltedPassword, encodeUtf8("Client Key")),
    hmac(saltedPassword, encodeUtf8("Server Key")),
  ]);
  const storedKey = new Uint8Array(await crypto.subtle.digest("SHA-256", clientKey));
  return { clientKey, storedKey: await hmacKey(storedKey), serverKey: await hmacKey(serverKey) };
}

async function pbkdf2(
  secret: Uint8Array<ArrayBuffer>,
  salt: Uint8Array<ArrayBuffer>,
  iterations: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const key = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveBits"]);
  try {
    return new Uint8Array(
      await crypto.subtle.deriveBits({ name: "PBKDF2", hash: "SHA-256", salt, iterations }, key, 256),
    );
  } catch (cause) {
    throw failure(
      "AUTH_SCRAM_ITERATIONS",
      `this platform refuses the ${iterations} SCRAM iterations that the server asks for ` +
        "(Cloudflare Workers do at most 100000); set the password again under a lower scram_iterations",
      { cause },
    );
  }
}

function hmacKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, HMAC_SHA_256, false, ["sign"]);
}

/** Lengths before contents, so that no two different inputs are one message. */
async function nameOf(secret: Uint8Array, salt: Uint8Array, iterations: number): Promise<string> {
  namingKey ??= await crypto.subtle.generateKey(HMAC_SHA_256, false, ["sign"]) as CryptoKey;
  const message = new Uint8Array(8 + salt.length + secret.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, iterations);
  view.setUint32(4, salt.length);
  message.set(salt, 8);
  message.set(secret, 8 + salt.length);
  const name = String.fromCharCode(...await hmac(namingKey, message));
  message.fill(0);
  return name;
}
