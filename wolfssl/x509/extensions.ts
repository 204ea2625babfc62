/**
 * The extensions that verification depends on (RFC 5280 §4.2), each with its reader.
 *
 * @module
 */

import {
  DerError,
  DerReader,
  readBoolean,
  readNamedBits,
  readOid,
  readSequence,
  readSmallInteger,
  readWhole,
  TAG,
} from "./der.ts";
import { type GeneralName, readGeneralName, readGeneralNames } from "./general_name.ts";

/** The bits of KeyUsage that matter here. */
export const KEY_USAGE = { digitalSignature: 0, keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5 } as const;

export interface NameConstraints {
  readonly permitted: readonly GeneralName[];
  readonly excluded: readonly GeneralName[];
}

/** What a certificate's extensions say; undefined where one is missing. */
export interface Extensions {
  readonly basicConstraints?: { readonly ca: boolean; readonly pathLength: number | undefined };
  readonly keyUsage?: ReadonlySet<number>;
  readonly extendedKeyUsage?: readonly string[];
  readonly subjectAltName?: readonly GeneralName[];
  readonly nameConstraints?: NameConstraints;
  readonly subjectKeyId?: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
  /** Whether authorityKeyIdentifier names the issuer's certificate by issuer and serial number. */
  readonly authorityKeyByIssuer?: boolean;
  /** The extensions that are marked critical. */
  readonly critical: ReadonlySet<string>;
  /** The first critical extension that is not understood. */
  readonly unknownCritical?: string;
}

/** No extensions at all, as in certificates of version 1. */
export const NO_EXTENSIONS: Extensions = { critical: new Set() };

export const BASIC_CONSTRAINTS = "2.5.29.19";
export const EXTENDED_KEY_USAGE = "2.5.29.37";
export const SUBJECT_ALT_NAME = "2.5.29.17";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

type Reader = (found: Mutable<Extensions>, der: Uint8Array, critical: boolean) => void;

const READERS: Readonly<Record<string, Reader>> = {
  [BASIC_CONSTRAINTS]: (found, der) => found.basicConstraints = readBasicConstraints(der),
  "2.5.29.15": (found, der) => found.keyUsage = readKeyUsage(der),
  [EXTENDED_KEY_USAGE]: (found, der) => found.extendedKeyUsage = readExtendedKeyUsage(der),
  [SUBJECT_ALT_NAME]: (found, der) => found.subjectAltName = readGeneralNames(der),
  "2.5.29.30": (found, der) => found.nameConstraints = readNameConstraints(der),
  "2.5.29.14": (found, der, critical) => {
    if (critical) throw new DerError("a critical subjectKeyIdentifier");
    found.subjectKeyId = readWhole(der, TAG.octetString).content;
  },
  "2.5.29.35": (found, der, critical) => {
    if (critical) throw new DerError("a critical authorityKeyIdentifier");
    readAuthorityKeyId(found, der);
  },
  "1.3.6.1.5.5.7.1.1": (_, der, critical) => {
    if (critical) throw new DerError("a critical authorityInfoAccess");
    readAccessDescriptions(der);
  },
  // Policies restrict nothing unless policy constraints say so, and those are not understood when critical.
  "2.5.29.32": () => {},
  "2.5.29.36": (_, __, critical) => {
    if (!critical) throw new DerError("a policyConstraints that is not critical");
    throw new DerError("a policyConstraints, which are not supported");
  },
};

/** Reads the Extensions of a certificate, the sequence's content given. */
export function readExtensions(content: DerReader): Extensions {
  const critical = new Set<string>();
  const found: Mutable<Extensions> = { critical };
  const seen = new Set<string>();
  do {
    const extension = content.inside(TAG.sequence);
    const oid = readOid(extension.next(TAG.oid));
    const criticality = extension.optional(TAG.boolean);
    const isCritical = criticality !== undefined && readBoolean(criticality);
    const der = extension.next(TAG.octetString).content;
    extension.end();
    if (seen.has(oid)) throw new DerError(`the extension ${oid} twice`);
    seen.add(oid);
    const read = Object.hasOwn(READERS, oid) ? READERS[oid] : undefined;
    if (isCritical) critical.add(oid);
    if (read !== undefined) read(found, der, isCritical);
    else if (isCritical) found.unknownCritical ??= oid;
  } while (!content.done);
  return found;
}

function readBasicConstraints(der: Uint8Array): Extensions["basicConstraints"] {
  const reader = readSequence(der);
  const flag = reader.optional(TAG.boolean);
  const ca = flag !== undefined && readBoolean(flag);
  const length = reader.optional(TAG.integer);
  reader.end();
  return { ca, pathLength: length && readSmallInteger(length) };
}

function readKeyUsage(der: Uint8Array): ReadonlySet<number> {
  const bits = readNamedBits(readWhole(der, TAG.bitString));
  if (bits.size === 0) throw new DerError("an empty keyUsage");
  return bits;
}

function readExtendedKeyUsage(der: Uint8Array): string[] {
  const reader = readSequence(der);
  const usages: string[] = [];
  do usages.push(readOid(reader.next(TAG.oid))); while (!reader.done);
  return usages;
}

function readAuthorityKeyId(found: Mutable<Extensions>, der: Uint8Array): void {
  const reader = readSequence(der);
  const keyId = reader.optional(TAG.primitive(0))?.content;
  if (keyId !== undefined) found.authorityKeyId = keyId;
  found.authorityKeyByIssuer = !reader.done;
}

function readAccessDescriptions(der: Uint8Array): void {
  const reader = readSequence(der);
  do {
    const description = reader.inside(TAG.sequence);
    readOid(description.next(TAG.oid));
    readGeneralName(description.next());
    description.end();
  } while (!reader.done);
}

function readNameConstraints(der: Uint8Array): NameConstraints {
  const reader = readSequence(der);
  const permitted = reader.optional(TAG.constructed(0));
  const excluded = reader.optional(TAG.constructed(1));
  reader.end();
  if (permitted === undefined && excluded === undefined) throw new DerError("an empty nameConstraints");
  return {
    permitted: permitted ? readSubtrees(permitted.content) : [],
    excluded: excluded ? readSubtrees(excluded.content) : [],
  };
}

function readSubtrees(content: Uint8Array): GeneralName[] {
  const reader = new DerReader(content);
  const trees: GeneralName[] = [];
  do {
    const subtree = reader.inside(TAG.sequence);
    trees.push(readGeneralName(subtree.next()));
    // RFC 5280 §4.2.1.10: minimum is always zero and, in DER, therefore absent; maximum is always absent.
    subtree.end();
  } while (!reader.done);
  return trees;
}
