/**
 * A client's private key as users have it: PEM, perhaps encrypted with a passphrase (PKCS #8, RFC 5958; PBES2,
 * RFC 8018).
 *
 * @module
 */

import { optionInvalid, optionUnsupported } from "./failures.ts";
import { readOid, readSequence, readSmallInteger, readWhole, TAG } from "./x509/der.ts";
import { fromBase64 } from "./x509/pem.ts";

const OPTION = "clientCertificate.key";
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----([^-]+)-----END ENCRYPTED PRIVATE KEY-----/;

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";

const HASHES: Readonly<Record<string, string>> = {
  "1.2.840.113549.2.7": "SHA-1",
  "1.2.840.113549.2.9": "SHA-256",
  "1.2.840.113549.2.10": "SHA-384",
  "1.2.840.113549.2.11": "SHA-512",
};

/** AES-CBC by the length of its key in bits. */
const CIPHERS: Readonly<Record<string, number>> = {
  "2.16.840.1.101.3.4.1.2": 128,
  "2.16.840.1.101.3.4.1.22": 192,
  "2.16.840.1.101.3.4.1.42": 256,
};

/**
 * The key as PEM without encryption.
 *
 * @throws {TlsError} `TLS_OPTION_INVALID` for a wrong or missing passphrase, `TLS_OPTION_UNSUPPORTED` for an encryption
 * that is not PBES2 with AES
 */
export async function decryptPrivateKey(pem: string, passphrase: string | undefined): Promise<string> {
  if (/^Proc-Type: 4,ENCRYPTED/m.test(pem)) {
    throw optionUnsupported("read a key encrypted the old way (Proc-Type)", "openssl pkcs8 -topk8 converts it");
  }
  const body = ENCRYPTED.exec(pem)?.[1];
  if (body === undefined) {
    if (!/-----BEGIN (RSA |EC )?PRIVATE KEY-----/.test(pem)) throw optionInvalid(OPTION, "it holds no PEM private key");
    return pem;
  }
  if (passphrase === undefined) throw optionInvalid(OPTION, "it is encrypted, and there is no passphrase");
  const { salt, iterations, hash, keyBits, iv, encrypted } = readEncrypted(fromBase64(body));
  const secret = new TextEncoder().encode(passphrase);
  const base = await crypto.subtle.importKey("raw", secret, "PBKDF2", false, ["deriveKey"]);
  const derivation = { name: "PBKDF2", salt, iterations, hash } as Pbkdf2Params;
  const key = await crypto.subtle.deriveKey(derivation, base, { name: "AES-CBC", length: keyBits }, false, ["decrypt"]);
  try {
    const algorithm = { name: "AES-CBC", iv } as AesCbcParams;
    const plain = new Uint8Array(await crypto.subtle.decrypt(algorithm, key, encrypted as BufferSource));
    readWhole(plain, TAG.sequence); // a wrong passphrase may by chance leave a right padding
    return `-----BEGIN PRIVATE KEY-----\n${toBase64Lines(plain)}\n-----END PRIVATE KEY-----\n`;
  } catch {
    throw optionInvalid(OPTION, "the passphrase does not decrypt it");
  }
}

function readEncrypted(der: Uint8Array) {
  try {
    const info = readSequence(der);
    const algorithm = info.inside(TAG.sequence);
    const encrypted = info.next(TAG.octetString).content;
    if (readOid(algorithm.next(TAG.oid)) !== PBES2) return unsupported();
    const parameters = algorithm.inside(TAG.sequence);
    const derivation = parameters.inside(TAG.sequence);
    if (readOid(derivation.next(TAG.oid)) !== PBKDF2) return unsupported();
    const pbkdf2 = derivation.inside(TAG.sequence);
    const salt = pbkdf2.next(TAG.octetString).content;
    const iterations = readSmallInteger(pbkdf2.next(TAG.integer));
    pbkdf2.optional(TAG.integer); // the key's length, which the cipher tells
    const hash = pbkdf2.done ? "SHA-1" : HASHES[readOid(pbkdf2.inside(TAG.sequence).next(TAG.oid))];
    const scheme = parameters.inside(TAG.sequence);
    const keyBits = CIPHERS[readOid(scheme.next(TAG.oid))];
    const iv = scheme.next(TAG.octetString).content;
    if (hash === undefined || keyBits === undefined) return unsupported();
    return { salt, iterations, hash, keyBits, iv, encrypted };
  } catch (error) {
    if (error instanceof Error && error.name === "DerError") throw optionInvalid(OPTION, "its PKCS #8 cannot be read");
    throw error;
  }
}

function unsupported(): never {
  throw optionUnsupported("decrypt this private key", "openssl pkcs8 -topk8 -v2 aes-256-cbc converts it");
}

function toBase64Lines(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(/.{64}(?=.)/g, "$&\n");
}
