/**
 * Distinguished names (RFC 5280 §4.1.2.4): reading, writing for people, comparing.
 *
 * @module
 */

import { DerReader, latin1, readOid, TAG } from "./der.ts";

/** One attribute of a relative distinguished name, in a form that compares (RFC 5280 §7.1) and one for people. */
interface Attribute {
  readonly type: string;
  readonly text: string;
  readonly comparable: string;
}

/** A distinguished name. */
export interface Name {
  readonly der: Uint8Array;
  readonly parts: readonly (readonly Attribute[])[];
  /** Equal for equal names. */
  readonly key: string;
}

const EMAIL = "1.2.840.113549.1.9.1";

const SHORT_NAMES: Readonly<Record<string, string>> = {
  "2.5.4.3": "CN",
  "2.5.4.4": "SN",
  "2.5.4.5": "serialNumber",
  "2.5.4.6": "C",
  "2.5.4.7": "L",
  "2.5.4.8": "ST",
  "2.5.4.10": "O",
  "2.5.4.11": "OU",
  "0.9.2342.19200300.100.1.25": "DC",
  [EMAIL]: "emailAddress",
};

const COMMON_NAME = "2.5.4.3";

/** Reads a Name, given whole. */
export function readName(der: Uint8Array): Name {
  const parts: Attribute[][] = [];
  const reader = new DerReader(der);
  const sequence = reader.inside(TAG.sequence);
  reader.end();
  while (!sequence.done) {
    const set = sequence.inside(TAG.set);
    const part: Attribute[] = [];
    do part.push(readAttribute(set.inside(TAG.sequence))); while (!set.done);
    parts.push(part);
  }
  return { der, parts, key: parts.map(partKey).join("\n") };
}

/** As RFC 4514 writes it, but in the order of the certificate: `C=DE, O=Example, CN=db.example.com`. */
export function nameText(name: Name): string {
  if (name.parts.length === 0) return "(no name)";
  return name.parts.map((part) =>
    part.map(({ type, text }) => `${SHORT_NAMES[type] ?? type}=${printable(text)}`).join("+")
  )
    .join(", ");
}

/** The last common name, for messages alone: names are verified by subjectAltName. */
export function commonName(name: Name): string | undefined {
  return name.parts.flat().findLast(({ type }) => type === COMMON_NAME)?.text;
}

/** The e-mail addresses that a subject holds, which name constraints apply to (RFC 5280 §4.2.1.10). */
export function emailAddresses(name: Name): string[] {
  return name.parts.flat().filter(({ type }) => type === EMAIL).map(({ text }) => text);
}

/** Whether a name lies in the subtree of another: begins with all its parts. */
export function isWithin(name: Name, tree: Name): boolean {
  return tree.parts.length <= name.parts.length &&
    tree.parts.every((part, index) => partKey(part) === partKey(name.parts[index] ?? []));
}

function partKey(part: readonly Attribute[]): string {
  return part.map(({ type, comparable }) => `${type}=${comparable}`).sort().join("+");
}

function readAttribute(reader: DerReader): Attribute {
  const type = readOid(reader.next(TAG.oid));
  const { tag, content, whole } = reader.next();
  reader.end();
  const text = attributeText(tag, content);
  // Anything that is not text compares by its bytes.
  const comparable = text === undefined ? `#${latin1(whole)}` : text.trim().replace(/\s+/g, " ").toLowerCase();
  return { type, text: text ?? "#...", comparable };
}

function attributeText(tag: number, content: Uint8Array): string | undefined {
  switch (tag) {
    case TAG.utf8String:
      return new TextDecoder().decode(content);
    case 0x13: // PrintableString
    case 0x14: // TeletexString, read as what it is used for
    case 0x16: // IA5String
      return latin1(content);
    case 0x1e: // BMPString
      return new TextDecoder("utf-16be").decode(content);
    default:
      return undefined;
  }
}

/** Without what could move a terminal's cursor or end a line: a name is whatever its owner wrote. */
function printable(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.slice(0, 200).replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/g, "?").replace(/([,+"\\<>;])/g, "\\$1");
}
