/**
 * The WebSocket subprotocol `pgduplex.v1`: what a client wishes of the proxy beyond relaying, said in the upgrade request,
 * so that the wish costs no turn. Both sides' half of it, and pure.
 *
 * It is said in `Sec-WebSocket-Protocol`, since a browser lets a page choose nothing else but the URL, which belongs to
 * the user and appears in logs. RFC 6455 section 4.1 allows every offer that is a token of HTTP.
 *
 * | offered                       | meaning                                                                        |
 * | ----------------------------- | ------------------------------------------------------------------------------ |
 * | `pgduplex.v1.first.<bytes>`   | the client's first bytes (a ClientHello) in base64url                          |
 * | `pgduplex.v1.sslrequest`      | send an SSLRequest to the database; the first bytes once it has answered `S`   |
 * | `pgduplex.v1`                 | the two above are meant for whoever knows this name                            |
 *
 * | chosen                        | meaning                                                                        |
 * | ----------------------------- | ------------------------------------------------------------------------------ |
 * | `pgduplex.v1`                 | done as wished: what comes next answers the first bytes                        |
 * | `pgduplex.v1.sslrequest`      | SSLRequest was not answered with `S`; its answer is what comes next, and the first bytes are still the client's to send |
 * | none, or another              | the proxy does not know this protocol and has sent nothing                     |
 *
 * The first bytes stand first in the list: a server that takes whatever it is offered first takes those, and is known by it.
 *
 * @module
 */

import { decodeBase64, encodeBase64 } from "../base64.ts";

/** The name that says that the others are understood. */
export const PROXY_PROTOCOL = "pgduplex.v1";

/** Offered: the wish for an SSLRequest. Chosen: its answer is not `S` and has yet to be read. */
export const SSL_REQUEST = `${PROXY_PROTOCOL}.sslrequest`;

const FIRST = `${PROXY_PROTOCOL}.first.`;

/** More than any ClientHello without a post-quantum key share and a ticket has, and well below what web servers take as a header. */
export const MAX_FIRST_BYTES = 3072;

/** What a client wishes. */
export interface Opening {
  /** Whether the proxy is to make the SSLRequest exchange (PostgreSQL documentation, "SSL Session Encryption"). */
  readonly sslRequest: boolean;
  /** What the target is to get first, after the exchange where there is one. */
  readonly first: Uint8Array | undefined;
}

/** The subprotocols to offer; undefined where the first bytes are too many to be carried. */
export function offerOf({ sslRequest, first }: Opening): string[] | undefined {
  if (first !== undefined && first.length > MAX_FIRST_BYTES) return undefined;
  return [
    ...(first === undefined ? [] : [FIRST + toBase64Url(first)]),
    ...(sslRequest ? [SSL_REQUEST] : []),
    PROXY_PROTOCOL,
  ];
}

/** What a `Sec-WebSocket-Protocol` header wishes, or what is wrong with it. */
export type ReadOffer =
  | { readonly ok: true; readonly opening: Opening | undefined }
  | { readonly ok: false; readonly reason: string };

/** Reads a client's offer; no opening where it speaks of none. */
export function readOffer(header: string | undefined): ReadOffer {
  const offered = (header ?? "").split(",").map((name) => name.trim());
  if (!offered.includes(PROXY_PROTOCOL)) return { ok: true, opening: undefined };
  const firsts = offered.filter((name) => name.startsWith(FIRST));
  if (firsts.length > 1) return { ok: false, reason: "first bytes are offered twice" };
  const sslRequest = offered.includes(SSL_REQUEST);
  const [text] = firsts;
  if (text === undefined) return { ok: true, opening: { sslRequest, first: undefined } };
  const first = fromBase64Url(text.slice(FIRST.length));
  if (first === undefined) return { ok: false, reason: "the first bytes are not base64url" };
  if (first.length > MAX_FIRST_BYTES) return { ok: false, reason: `the first bytes are more than ${MAX_FIRST_BYTES}` };
  if (!isClientHello(first)) return { ok: false, reason: "the first bytes are no ClientHello" };
  return { ok: true, opening: { sslRequest, first } };
}

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const RECORD_HEADER = 5;

/** Whether bytes are one TLS record that begins with a ClientHello (RFC 8446 sections 4 and 5.1). */
function isClientHello(bytes: Uint8Array): boolean {
  if (bytes.length <= RECORD_HEADER) return false;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint16(3);
  return bytes[0] === HANDSHAKE && bytes[1] === 3 && bytes[RECORD_HEADER] === CLIENT_HELLO &&
    length === bytes.length - RECORD_HEADER;
}

/** RFC 4648 section 5, without padding. */
function toBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64Url(text: string): Uint8Array | undefined {
  // One reading: neither padding, nor spaces, nor a length that no bytes have.
  if (!/^[\w-]+$/.test(text) || text.length % 4 === 1) return undefined;
  return decodeBase64(text.replaceAll("-", "+").replaceAll("_", "/"));
}
