/**
 * SCRAM's messages (RFC 5802 §5.1 and §7): reading the server's, strictly.
 *
 * @module
 */

import { decodeBase64 } from "../base64.ts";
import type { AuthenticationError } from "../errors.ts";
import { failure } from "./failure.ts";

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
  const [nonce, salt, iterations] = attributesOf(message, text, "rsi");
  if (!/^[1-9][0-9]{0,14}$/.test(iterations)) throw malformed(message, "the iteration count is not a positive number");
  if (!isPrintable(nonce)) throw malformed(message, "the nonce is not printable ASCII");
  return { nonce, salt: base64Of(message, "salt", salt), iterations: Number(iterations) };
}

/**
 * `v=<signature>` or `e=<reason>`; extensions after that are legal and ignored.
 *
 * @throws {AuthenticationError} `AUTH_SCRAM_MALFORMED`
 */
export function parseServerFinal(text: string): ServerFinal {
  const message = "server-final-message";
  if (text.startsWith("e=")) return { error: attributesOf(message, text, "e")[0] };
  const signature = base64Of(message, "signature", attributesOf(message, text, "v")[0]);
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

function base64Of(message: string, what: string, text: string): Uint8Array<ArrayBuffer> {
  // Decoding alone would take white space, and go without padding.
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw malformed(message, `the ${what} is not base64`);
  }
  return decodeBase64(text);
}

/** The values of attributes with these names, in this order; nothing but extensions may follow them. */
function attributesOf(message: string, text: string, names: string): string[] {
  const attributes = text.split(",");
  const extensions = attributes.splice(names.length);
  if (extensions.some((extension) => !/^[A-Za-z]=./su.test(extension))) {
    throw malformed(message, "what follows its attributes is not an extension");
  }
  return Array.from(names, (name, index) => {
    const attribute = attributes[index] ?? "";
    if (attribute.startsWith(`${name}=`) && attribute.length > 2) return attribute.slice(2);
    throw malformed(message, `the attribute ${name}= is missing, empty or not in its place`);
  });
}

function malformed(message: string, problem: string, cause?: unknown): AuthenticationError {
  return failure("AUTH_SCRAM_MALFORMED", `malformed SCRAM ${message}: ${problem}`, { cause });
}
