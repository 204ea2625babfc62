/**
 * PEM (RFC 7468): certificates as users give them.
 *
 * @module
 */

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([^-]*)-----END \1-----/g;

/** The certificates in a text, in DER; other blocks, and what stands between, are passed over. */
export function certificatesFromPem(text: string): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (const [, label, body = ""] of text.matchAll(BLOCK)) {
    if (label === "CERTIFICATE" || label === "X509 CERTIFICATE" || label === "TRUSTED CERTIFICATE") {
      found.push(fromBase64(body));
    }
  }
  return found;
}

/** Bytes of base64, white space allowed. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replace(/\s+/g, ""));
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
