/**
 * The server's Authentication messages: eleven of them behind one type byte.
 *
 * @module
 */

import { PayloadReader } from "./payload_reader.ts";

/** What the server asks of the client, or tells it, while it authenticates. */
export type AuthenticationRequest =
  | {
    readonly name:
      | "AuthenticationOk"
      | "AuthenticationKerberosV5"
      | "AuthenticationCleartextPassword"
      | "AuthenticationGSS"
      | "AuthenticationSSPI";
  }
  | { readonly name: "AuthenticationMD5Password"; readonly salt: Uint8Array }
  | { readonly name: "AuthenticationSASL"; readonly mechanisms: readonly string[] }
  | {
    readonly name: "AuthenticationGSSContinue" | "AuthenticationSASLContinue" | "AuthenticationSASLFinal";
    readonly data: Uint8Array;
  };

/** Those that say nothing more, by their codes. */
const BARE = {
  0: "AuthenticationOk",
  2: "AuthenticationKerberosV5",
  3: "AuthenticationCleartextPassword",
  7: "AuthenticationGSS",
  9: "AuthenticationSSPI",
} as const;
const MD5_PASSWORD = 5;
const SASL = 10;
/** Those with data for a mechanism. */
const WITH_DATA = {
  8: "AuthenticationGSSContinue",
  11: "AuthenticationSASLContinue",
  12: "AuthenticationSASLFinal",
} as const;

/** @throws {ProtocolError} `PROTOCOL_MALFORMED` */
export function decodeAuthentication(bytes: Uint8Array, start: number, end: number): AuthenticationRequest {
  const reader = new PayloadReader("Authentication", bytes, start, end);
  const request = readRequest(reader, reader.uint32());
  reader.finish();
  return request;
}

function readRequest(reader: PayloadReader, code: number): AuthenticationRequest {
  if (code in BARE) return { name: BARE[code as keyof typeof BARE] };
  if (code in WITH_DATA) return { name: WITH_DATA[code as keyof typeof WITH_DATA], data: reader.rest() };
  if (code === MD5_PASSWORD) return { name: "AuthenticationMD5Password", salt: reader.copy(4) };
  if (code === SASL) return { name: "AuthenticationSASL", mechanisms: mechanismList(reader) };
  throw reader.malformed(`code ${code}`);
}

/** Strings up to an empty one. */
function mechanismList(reader: PayloadReader): string[] {
  const mechanisms: string[] = [];
  for (let name = reader.cstring(); name !== ""; name = reader.cstring()) mechanisms.push(name);
  return mechanisms;
}
