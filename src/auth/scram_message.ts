/**
 * SCRAM's messages (RFC 5802 §5.1 and §7): reading the server's, strictly, and base64.
 *
 * @module
 */

import { AuthenticationError } from "../errors.ts";

/** The longest message of a server that is read, in bytes; PostgreSQL's are around 100. */
export const MAX_SERVER_MESSAGE = 4096;

/** server-first-message. */
export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Uint8Array<ArrayBuffer>;
  /** As it was sent: any positive number. */
  readonly iterations: number;
}

/** server-final-message: the server's signature, or why there is none. */
export type ServerFinal = { readonly signature: Uint8Array<ArrayBuffer> } | { readonly error: string };

/**
 * `r=<nonce>,s=<salt>,i=<count>`; extensions after that are legal and ignored, mandatory ones (`m=`) are refused.
 *
 * @throws {AuthenticationError} `AUTH_SCRAM_MALFORMED`
 */
export function parseServerFirst(text: string): ServerFirst {
  const message = "server-first-message";
  if (text.startsWith("m=")) throw malformed(message, "it demands an extension, of which none are known here");
  const [nonce, salt, iterations, ...extensions] = text.split(",");
  assertExtensions(message, extensions);
  const count = valueOf(message, "i", iterations);
  if (!/^[1-9][0-9]{0,14}$/.test(count)) throw malformed(message, "the iteration count is not a positive number");
  const parsed = {
    nonce: valueOf(message, "r", nonce),
    salt: base64Of(message, "salt", valueOf(message, "s", salt)),
    iterations: Number(count),
  };
  if (!isPrintable(parsed.nonce)) throw malformed(message, "the nonce is not printable ASCII");
  if (parsed.salt.length === 0) throw malformed(message, "the salt is empty");
  return parsed;
}

/**
 * `v=<signature>` or `e=<reason>`; extensions after that are legal and ignored.
 *
 * @throws {AuthenticationError} `AUTH_SCRAM_MALFORMED`
 */
export function parseServerFinal(text: string): ServerFinal {
  const message = "server-final-message";
  const [outcome, ...extensions] = text.split(",");
  assertExtensions(message, extensions);
  if (outcome.startsWith("e=")) return { error: valueOf(message, "e", outcome) };
  const signature = base64Of(message, "signature", valueOf(message, "v", outcome));
  if (signature.length !== 32) throw malformed(message, `the signature has ${signature.length} bytes, not 32`);
  return { signature };
}

/**
 * The text of a message.
 *
 * @throws {AuthenticationError} `AUTH_SCRAM_MALFORMED`: too long, not UTF-8, or with control characters
 */
export function decodeServerMessage(bytes: Uint8Array): string {
  const message = "message of the server";
  if (bytes.length > MAX_SERVER_MESSAGE) {
    throw malformed(message, `${bytes.length} bytes, where at most ${MAX_SERVER_MESSAGE} are read`);
  }
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed(message, "it is not UTF-8", cause);
  }
  if (/\p{Cc}/u.test(text)) throw malformed(message, "it contains control characters");
  return text;
}

/** RFC 5802's `printable`: ASCII without space, controls and the comma. */
export function isPrintable(text: string): boolean {
  return /^[\x21-\x2b\x2d-\x7e]+$/.test(text);
}

/** Standard base64 with padding (RFC 4648 §4). */
export function encodeBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function base64Of(message: string, what: string, text: string): Uint8Array<ArrayBuffer> {
  // atob alone would take white space and leave the padding out.
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw malformed(message, `the ${what} is not base64`);
  }
  const binary = atob(text);
  return Uint8Array.from({ length: binary.length }, (_, index) => binary.charCodeAt(index));
}

function valueOf(message: string, name: string, attribute: string | undefined): string {
  if (attribute === undefined || !attribute.startsWith(`${name}=`) || attribute.length === 2) {
    throw malformed(message, `the attribute ${name}= is missing, empty or not in its place`);
  }
  return attribute.slice(2);
}

function assertExtensions(message: string, extensions: readonly string[]): void {
  if (extensions.some((extension) => !/^[A-Za-z]=./su.test(extension))) {
    throw malformed(message, "what follows its attributes is not an extension");
  }
}

function malformed(message: string, problem: string, cause?: unknown): AuthenticationError {
  return new AuthenticationError("AUTH_SCRAM_MALFORMED", `malformed SCRAM ${message}: ${problem}`, {
    phase: "authentication",
    cause,
  });
}
