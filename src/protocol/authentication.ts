/**
 * The server's Authentication messages: eleven of them behind one type byte.
 *
 * @module
 */

import { AuthenticationCode } from "./codes.ts";
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

/** @throws {ProtocolError} `PROTOCOL_MALFORMED` */
export function decodeAuthentication(bytes: Uint8Array, start: number, end: number): AuthenticationRequest {
  const reader = new PayloadReader("Authentication", bytes, start, end);
  const code = reader.uint32();
  switch (code) {
    case AuthenticationCode.Ok:
      return bare("AuthenticationOk", reader);
    case AuthenticationCode.KerberosV5:
      return bare("AuthenticationKerberosV5", reader);
    case AuthenticationCode.CleartextPassword:
      return bare("AuthenticationCleartextPassword", reader);
    case AuthenticationCode.Md5Password: {
      const salt = reader.copy(4);
      reader.finish();
      return { name: "AuthenticationMD5Password", salt };
    }
    case AuthenticationCode.Gss:
      return bare("AuthenticationGSS", reader);
    case AuthenticationCode.GssContinue:
      return { name: "AuthenticationGSSContinue", data: reader.rest() };
    case AuthenticationCode.Sspi:
      return bare("AuthenticationSSPI", reader);
    case AuthenticationCode.Sasl:
      return { name: "AuthenticationSASL", mechanisms: mechanismList(reader) };
    case AuthenticationCode.SaslContinue:
      return { name: "AuthenticationSASLContinue", data: reader.rest() };
    case AuthenticationCode.SaslFinal:
      return { name: "AuthenticationSASLFinal", data: reader.rest() };
    default:
      throw reader.malformed(`code ${code}`);
  }
}

/** Strings up to an empty one. */
function mechanismList(reader: PayloadReader): string[] {
  const mechanisms: string[] = [];
  for (let name = reader.cstring(); name !== ""; name = reader.cstring()) mechanisms.push(name);
  reader.finish();
  return mechanisms;
}

function bare<Name extends AuthenticationRequest["name"]>(name: Name, reader: PayloadReader): { name: Name } {
  reader.finish();
  return { name };
}
