/**
 * The roots that a user gave, read once.
 *
 * @module
 */

import { optionInvalid } from "./failures.ts";
import { type Certificate, readCertificate } from "./x509/certificate.ts";
import { certificatesFromPem } from "./x509/pem.ts";

/** Roots as they are read, and a name under which sessions remember them. */
export interface GivenRoots {
  readonly certificates: readonly Certificate[];
  /** The same for the same text, and for no other. */
  readonly name: string;
}

// Caches. By the array that holds them, since options are made once and used for many connections; and by their text,
// since each client resolves its own: a bundle of a hundred costs more to read than a handshake.
const byArray = new WeakMap<readonly string[], GivenRoots>();
const byText = new Map<string, GivenRoots>();
let count = 0;

/** How many texts are remembered; a program has few. */
const MAX_TEXTS = 8;

/**
 * Reads roots from PEM.
 *
 * @throws {TlsError} `TLS_OPTION_INVALID` where one cannot be read
 */
export function givenRoots(pems: readonly string[]): GivenRoots {
  const known = byArray.get(pems);
  if (known !== undefined) return known;
  const text = pems.join("\n");
  const roots = byText.get(text) ?? { certificates: pems.flatMap(readAll), name: `given ${count++}` };
  byText.delete(text); // to be the latest
  byText.set(text, roots);
  const oldest = byText.keys().next();
  if (byText.size > MAX_TEXTS && !oldest.done) byText.delete(oldest.value);
  byArray.set(pems, roots);
  return roots;
}

function readAll(pem: string, index: number): Certificate[] {
  const found = certificatesFromPem(pem);
  if (found.length === 0) throw optionInvalid(`roots[${index}]`, "it holds no PEM certificate");
  return found.map((der) => {
    try {
      return readCertificate(der);
    } catch (cause) {
      throw optionInvalid(`roots[${index}]`, "it holds a certificate that cannot be read", cause);
    }
  });
}
