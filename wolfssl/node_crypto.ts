/**
 * AES-GCM by Node's own crypto, where there is one (Node, Bun): OpenSSL's and BoringSSL's, without a promise for each
 * record. The only file here that uses a runtime's own API.
 *
 * @module
 */

import type { CipherGCM, CipherGCMTypes, DecipherGCM, KeyObject } from "node:crypto";
import { builtinModule } from "../src/builtin_module.ts";
import { type Aead, type AeadKey, TAG_SIZE } from "./aead.ts";

const OPTIONS = { authTagLength: TAG_SIZE } as const;

/** Node's AES-GCM; undefined where the runtime has none. */
export function nodeAead(): Aead | undefined {
  const crypto = builtinModule<typeof import("node:crypto")>("node:crypto");
  return crypto && { importKey: (raw) => new NodeKey(crypto, raw) };
}

class NodeKey implements AeadKey {
  readonly #crypto: typeof import("node:crypto");
  readonly #algorithm: CipherGCMTypes;
  readonly #key: KeyObject;

  constructor(crypto: typeof import("node:crypto"), raw: Uint8Array) {
    this.#crypto = crypto;
    this.#algorithm = raw.length === 16 ? "aes-128-gcm" : "aes-256-gcm";
    this.#key = crypto.createSecretKey(raw);
  }

  open(ciphertext: Uint8Array, nonce: Uint8Array, additionalData: Uint8Array): Uint8Array | undefined {
    const end = ciphertext.length - TAG_SIZE;
    if (end < 0) return undefined;
    const decipher: DecipherGCM = this.#crypto.createDecipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    decipher.setAAD(additionalData);
    decipher.setAuthTag(ciphertext.subarray(end));
    const plaintext = decipher.update(ciphertext.subarray(0, end));
    try {
      decipher.final();
    } catch {
      return undefined; // nobody sees what was not authenticated
    }
    return plaintext;
  }

  seal(plaintext: Uint8Array, nonce: Uint8Array, additionalData: Uint8Array): Uint8Array[] {
    const cipher: CipherGCM = this.#crypto.createCipheriv(this.#algorithm, this.#key, nonce, OPTIONS);
    cipher.setAAD(additionalData);
    const ciphertext = cipher.update(plaintext);
    cipher.final();
    return [ciphertext, cipher.getAuthTag()];
  }
}
