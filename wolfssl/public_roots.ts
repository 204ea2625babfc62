/**
 * The public authorities that the package brings, loaded where somebody asks for them and not before: Let's Encrypt's for
 * whoever says nothing, Mozilla's list for runtimes that show none.
 *
 * @module
 */

import { TlsError } from "../src/errors.ts";
import { type Certificate, readTrustAnchor } from "./x509/certificate.ts";
import { DerReader, TAG } from "./x509/der.ts";
import { fromBase64 } from "./x509/pem.ts";

// A cache. Only what is loaded is kept: on Workers a promise must not be awaited by another request than its own.
let known: readonly Certificate[] | undefined;

/**
 * What Mozilla trusts for servers.
 *
 * @throws {TlsError} `TLS_ROOTS_UNAVAILABLE` where the list cannot be loaded
 */
export async function mozillaRoots(): Promise<readonly Certificate[]> {
  known ??= await load();
  return known;
}

/**
 * The roots of Let's Encrypt, as PEM.
 *
 * @throws {TlsError} `TLS_ROOTS_UNAVAILABLE` where they cannot be loaded
 */
export async function isrgRoots(): Promise<readonly string[]> {
  try {
    const { ISRG_ROOTS } = await import("./isrg_roots.ts");
    return ISRG_ROOTS;
  } catch (cause) {
    throw unavailable(cause, "");
  }
}

async function load(): Promise<readonly Certificate[]> {
  try {
    // @ts-types="./mozilla_roots.d.ts"
    const { base64 } = await import("./mozilla_roots.js");
    const reader = new DerReader(fromBase64(base64));
    const roots: Certificate[] = [];
    while (!reader.done) roots.push(readTrustAnchor(reader.next(TAG.sequence)));
    if (roots.length === 0) throw new Error("the list is empty");
    return Object.freeze(roots);
  } catch (cause) {
    throw unavailable(cause, "; in a checkout, deno task build:roots");
  }
}

function unavailable(cause: unknown, more: string): TlsError {
  const words = "the list of public authorities is missing or damaged: install @pgduplex/wolfssl again";
  return new TlsError("TLS_ROOTS_UNAVAILABLE", words + more, { phase: "tls", cause });
}
