/**
 * What public authorities have to keep to beyond a safe path: the CA/Browser Forum's Baseline Requirements §7.1.2, and
 * RFC 5280's rules for conforming authorities. Asked only of chains to public roots.
 *
 * @module
 */

import type { Certificate } from "./certificate.ts";
import { sameBytes } from "./der.ts";
import { BASIC_CONSTRAINTS, EXTENDED_KEY_USAGE, KEY_USAGE, SUBJECT_ALT_NAME } from "./extensions.ts";
import type { GeneralName } from "./general_name.ts";
import { parseIpAddress } from "./host_name.ts";
import { commonName } from "./name.ts";

const ANY_USAGE = "2.5.29.37.0";

/** The first requirement that the certificate breaks in its role, in words; undefined where none. */
export function webPolicyBreach(certificate: Certificate, role: "leaf" | "intermediate" | "root"): string | undefined {
  const breach = breachOfAll(certificate, role) ??
    (role === "leaf" ? breachOfLeaf(certificate) : breachOfAuthority(certificate)) ??
    (role === "root" ? breachOfRoot(certificate) : undefined);
  return breach && `breaks a rule of public authorities: ${breach}`;
}

function breachOfAll({ zeroSerial, publicKey, extensions }: Certificate, role: string): string | undefined {
  if (zeroSerial && role !== "root") return "the serial number is zero";
  if (publicKey.kind === "rsa" && publicKey.bits % 8 !== 0) return `an RSA key of ${publicKey.bits} bits`;
  if (role !== "root" && extensions.authorityKeyId === undefined) return "no authorityKeyIdentifier";
  return undefined;
}

function breachOfLeaf({ subject, extensions }: Certificate): string | undefined {
  const { basicConstraints, extendedKeyUsage, keyUsage, subjectAltName, critical } = extensions;
  if (basicConstraints?.ca === true && keyUsage?.has(KEY_USAGE.keyCertSign) === false) {
    return "an authority that may not sign certificates";
  }
  if (basicConstraints?.ca === true) return undefined; // trusted to issue for any name, it may as well serve
  // Every suite that is offered has the server sign (RFC 8446 §4.4.2.2).
  if (keyUsage?.has(KEY_USAGE.digitalSignature) === false) return "a keyUsage without digitalSignature";
  if (extendedKeyUsage === undefined) return "no extendedKeyUsage";
  if (extendedKeyUsage.includes(ANY_USAGE)) return "any extendedKeyUsage";
  if (critical.has(EXTENDED_KEY_USAGE)) return "a critical extendedKeyUsage";
  if (critical.has(SUBJECT_ALT_NAME) && subject.parts.length > 0) return "a critical subjectAltName beside a subject";
  const common = commonName(subject);
  if (common !== undefined && isMeantAsAddress(common) && !isPresentedAddress(common, subjectAltName ?? [])) {
    return "an address as common name that is not one of subjectAltName, or not written as RFC 5952 has it";
  }
  return undefined;
}

function isMeantAsAddress(text: string): boolean {
  return /^(0x)?[0-9a-f.:]+$/i.test(text) && /[.:]|^0x/i.test(text) && !/^[a-f.]+$/i.test(text);
}

/** Public common names repeat a subjectAltName to the letter; ones that are host names are not looked at here. */
function isPresentedAddress(text: string, names: readonly GeneralName[]): boolean {
  const address = parseIpAddress(text);
  return address !== undefined && canonicalAddress(text) === text &&
    names.some((name) => name.kind === "ip" && sameBytes(name.value, address));
}

function canonicalAddress(text: string): string {
  return text.includes(":") ? new URL(`http://[${text}]/`).hostname.slice(1, -1) : text;
}

function breachOfAuthority({ extensions }: Certificate): string | undefined {
  const { critical, subjectKeyId } = extensions;
  if (subjectKeyId === undefined) return "no subjectKeyIdentifier";
  if (!critical.has(BASIC_CONSTRAINTS)) return "basicConstraints that are not critical";
  return undefined;
}

function breachOfRoot({ issuer, subject, extensions }: Certificate): string | undefined {
  const { extendedKeyUsage, authorityKeyId, authorityKeyByIssuer, subjectKeyId } = extensions;
  if (extendedKeyUsage !== undefined) return "a root with extendedKeyUsage";
  if (authorityKeyByIssuer === undefined) return undefined;
  if (authorityKeyByIssuer) return "a root's authorityKeyIdentifier that names a certificate";
  if (authorityKeyId === undefined) return "an authorityKeyIdentifier without the key's";
  if (issuer.key === subject.key && subjectKeyId && !sameBytes(authorityKeyId, subjectKeyId)) {
    return "a root's authorityKeyIdentifier that is not its own";
  }
  return undefined;
}
