/**
 * TLS 1.3 records (RFC 8446 §5.2) in quantity, made by `node:crypto` from a connection's traffic secret.
 *
 * @module
 */

import { type CipherGCMTypes, createCipheriv, createHmac, createSecretKey, type KeyObject } from "node:crypto";

type CipherName = CipherGCMTypes | "chacha20-poly1305";

const HEADER = 5;
const TAG = 16;
const APPLICATION_DATA = 23;

interface Suite {
  readonly cipher: CipherName;
  readonly keySize: number;
  readonly hash: string;
}

const SUITES: Readonly<Record<string, Suite>> = {
  TLS_AES_128_GCM_SHA256: { cipher: "aes-128-gcm", keySize: 16, hash: "sha256" },
  TLS_CHACHA20_POLY1305_SHA256: { cipher: "chacha20-poly1305", keySize: 32, hash: "sha256" },
  TLS_AES_256_GCM_SHA384: { cipher: "aes-256-gcm", keySize: 32, hash: "sha384" },
};

/** Makes the records that one side of a connection sends next. */
export class RecordSealer {
  readonly #cipher: CipherName;
  readonly #key: KeyObject;
  readonly #iv: Uint8Array;
  #sequence: number;

  /** `secret` is the side's first traffic secret, in hex; `sequence` the number of records that it has sent under it. */
  constructor(suiteName: string, secret: string, sequence: number) {
    const suite = SUITES[suiteName];
    if (suite === undefined) throw new Error(`no records are made here with ${suiteName}`);
    const expand = (label: string, size: number) => expandLabel(suite.hash, secret, label, size);
    this.#cipher = suite.cipher;
    this.#key = createSecretKey(expand("key", suite.keySize));
    this.#iv = expand("iv", 12);
    this.#sequence = sequence;
  }

  /** So many bytes, in records of `size` each. */
  seal(bytes: number, size: number): Uint8Array {
    const records = Math.ceil(bytes / size);
    const output = new Uint8Array(bytes + records * (HEADER + 1 + TAG));
    const content = new Uint8Array(size + 1);
    for (let done = 0, at = 0; done < bytes; done += size) {
      const length = Math.min(size, bytes - done);
      const body = length + 1 + TAG;
      const header = Uint8Array.of(APPLICATION_DATA, 3, 3, body >> 8, body & 0xff);
      content[length] = APPLICATION_DATA;
      const cipher = createCipheriv(this.#cipher as CipherGCMTypes, this.#key, this.#nonce(), { authTagLength: TAG });
      cipher.setAAD(header);
      output.set(header, at);
      output.set(cipher.update(content.subarray(0, length + 1)), at + HEADER);
      cipher.final();
      output.set(cipher.getAuthTag(), at + HEADER + length + 1);
      at += HEADER + body;
    }
    return output;
  }

  #nonce(): Uint8Array {
    const nonce = Uint8Array.from(this.#iv); // a Buffer's slice() would be a view
    const view = new DataView(nonce.buffer);
    view.setUint32(8, view.getUint32(8) ^ this.#sequence++);
    return nonce;
  }
}

/** HKDF-Expand-Label (RFC 8446 §7.1) without context, for no more than one block. */
function expandLabel(hash: string, secret: string, name: string, size: number): Uint8Array {
  const label = `tls13 ${name}`;
  const info = Uint8Array.of(
    0,
    size,
    label.length,
    ...new TextEncoder().encode(label),
    0,
    1,
  );
  return createHmac(hash, new Uint8Array((secret.match(/../g) ?? []).map((hex) => parseInt(hex, 16))))
    .update(info).digest().subarray(0, size);
}

/** Counts encrypted records, and what is in them, without opening them. */
export class RecordCounter {
  records = 0;
  /** Bytes of content, where nothing is padded. */
  content = 0;
  #header: number[] = [];
  #body = 0;

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#body > 0) {
        const taken = Math.min(this.#body, bytes.length - at);
        this.#body -= taken;
        at += taken;
        continue;
      }
      this.#header.push(bytes[at++]);
      if (this.#header.length < HEADER) continue;
      const [type, , , high, low] = this.#header;
      this.#body = high << 8 | low;
      this.#header = [];
      if (type !== APPLICATION_DATA) continue;
      this.records++;
      this.content += this.#body - 1 - TAG;
    }
  }
}
