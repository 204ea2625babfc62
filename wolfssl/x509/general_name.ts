/**
 * GeneralName (RFC 5280 §4.2.1.6): what subjectAltName and name constraints are made of.
 *
 * @module
 */

import { DerError, DerReader, type DerValue, latin1, readOid, TAG } from "./der.ts";
import { type Name, readName } from "./name.ts";

export type GeneralName =
  | { readonly kind: "dns" | "email" | "uri"; readonly value: string }
  | { readonly kind: "ip"; readonly value: Uint8Array }
  | { readonly kind: "directory"; readonly value: Name }
  | { readonly kind: "other"; readonly value: string };

const OTHER_NAME = TAG.constructed(0);
const EMAIL = TAG.primitive(1);
const DNS = TAG.primitive(2);
const DIRECTORY = TAG.constructed(4);
const URI = TAG.primitive(6);
const IP = TAG.primitive(7);

/** Reads one name; kinds that nobody compares become `other`. */
export function readGeneralName(value: DerValue): GeneralName {
  switch (value.tag) {
    case DNS:
      return { kind: "dns", value: ascii(value.content) };
    case EMAIL:
      return { kind: "email", value: ascii(value.content) };
    case URI:
      return { kind: "uri", value: ascii(value.content) };
    case IP:
      return { kind: "ip", value: value.content };
    case DIRECTORY:
      return { kind: "directory", value: readName(value.content) };
    case OTHER_NAME:
      return { kind: "other", value: readOid(new DerReader(value.content).next(TAG.oid)) };
    case TAG.constructed(3): // x400Address
    case TAG.constructed(5): // ediPartyName
    case TAG.primitive(8): // registeredID
      return { kind: "other", value: `[${value.tag & 0x1f}]` };
    default:
      throw new DerError("a name of no known kind");
  }
}

/** Reads GeneralNames, which must not be empty. */
export function readGeneralNames(der: Uint8Array): GeneralName[] {
  const reader = new DerReader(der);
  const sequence = reader.inside(TAG.sequence);
  reader.end();
  const names: GeneralName[] = [];
  do names.push(readGeneralName(sequence.next())); while (!sequence.done);
  return names;
}

function ascii(bytes: Uint8Array): string {
  if (bytes.some((byte) => byte >= 0x80)) throw new DerError("a name that is not ASCII");
  return latin1(bytes);
}
