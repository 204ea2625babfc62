/**
 * AES-GCM as the runtime has it: by SubtleCrypto, or by Node's own crypto, which answers at once.
 *
 * @module
 */

/** An implementation of AES-GCM, with tags of 16 bytes at the end of the ciphertext. */
export interface Aead {
  /** The key's bytes are copied. */
  importKey(raw: Uint8Array): AeadKey;
}

/** A key. What it is given must not change until it has answered. */
export interface AeadKey {
  /** The plaintext; undefined where the ciphertext is not genuine. Never rejects. */
  open(ciphertext: Uint8Array, nonce: Uint8Array, additionalData: Uint8Array): Plaintext | Promise<Plaintext>;
  /** The ciphertext, in pieces that follow each other. */
  seal(plaintext: Uint8Array, nonce: Uint8Array, additionalData: Uint8Array): Uint8Array[] | Promise<Uint8Array[]>;
}

type Plaintext = Uint8Array | undefined;

export const TAG_SIZE = 16;
const TAG_BITS = 128;

/** SubtleCrypto. */
export const subtleAead: Aead = { importKey: (raw) => new SubtleKey(raw) };

class SubtleKey implements AeadKey {
  readonly #importing: Promise<CryptoKey>;
  #key: CryptoKey | undefined;

  constructor(raw: Uint8Array) {
    this.#importing = crypto.subtle.importKey("raw", raw as BufferSource, "AES-GCM", false, ["encrypt", "decrypt"]);
    this.#importing.then((key) => this.#key = key, () => {}); // whoever uses it meets the failure
  }

  // Both are async functions because, in edge-runtime, SubtleCrypto's promises are those of another realm: nobody who has
  // to tell them from bytes is to meet one.

  async open(ciphertext: Uint8Array, iv: Uint8Array, additionalData: Uint8Array): Promise<Plaintext> {
    const algorithm = { name: "AES-GCM", iv, additionalData, tagLength: TAG_BITS } as AesGcmParams;
    try {
      return new Uint8Array(
        await this.#use((key) => crypto.subtle.decrypt(algorithm, key, ciphertext as BufferSource)),
      );
    } catch {
      return undefined;
    }
  }

  async seal(plaintext: Uint8Array, iv: Uint8Array, additionalData: Uint8Array): Promise<Uint8Array[]> {
    const algorithm = { name: "AES-GCM", iv, additionalData, tagLength: TAG_BITS } as AesGcmParams;
    return [
      new Uint8Array(await this.#use((key) => crypto.subtle.encrypt(algorithm, key, plaintext as BufferSource))),
    ];
  }

  /** Without a turn of the event loop once the key is there, so that records are begun in their order. */
  #use(work: (key: CryptoKey) => Promise<ArrayBuffer>): Promise<ArrayBuffer> {
    return this.#key === undefined ? this.#importing.then(work) : work(this.#key);
  }
}
