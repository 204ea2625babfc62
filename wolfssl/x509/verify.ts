/**
 * Certification path validation (RFC 5280 §6) with path building (RFC 4158): from the server's certificate over those
 * that it sent to a trusted root. Signatures are checked by whoever calls; everything else is here.
 *
 * @module
 */

import { type Certificate, readCertificate } from "./certificate.ts";
import { DerError, sameBytes } from "./der.ts";
import { KEY_USAGE, SUBJECT_ALT_NAME } from "./extensions.ts";
import { isHostName, matchesServerName, parseIpAddress } from "./host_name.ts";
import { commonName, nameText } from "./name.ts";
import { ComparisonBudget, violation } from "./name_constraints.ts";
import { webPolicyBreach } from "./web_policy.ts";

/** Which check a certificate failed. */
export type Check =
  | "malformed"
  | "name"
  | "validity"
  | "unknown-authority"
  | "signature"
  | "key"
  | "usage"
  | "authority"
  | "path-length"
  | "name-constraints"
  | "extension"
  | "policy";

/** A certificate was refused. */
export class CertificateRefused extends Error {
  override readonly name = "CertificateRefused";

  constructor(
    readonly check: Check,
    /** What is wrong, as the end of a sentence that begins with the certificate. */
    readonly reason: string,
    /** What to do about it. */
    readonly advice: string,
    /** Which certificate; undefined where it could not be read. */
    readonly certificate: Certificate | undefined,
  ) {
    super(reason);
  }
}

/**
 * `private`: what keeps a chain safe, whoever made it: the roots are the user's own, and a database's authority is
 * often a script. `web`: also what public authorities have to keep to (the CA/Browser Forum's Baseline Requirements).
 */
export type Policy = "private" | "web";

/** What to verify, and against what. */
export interface Verification {
  /** The server's certificates as it sent them, its own first. */
  readonly presented: readonly Uint8Array[];
  readonly roots: readonly Certificate[];
  /** Whether a root programme admitted them, so that the policy is asked only of what lies below. Default: false. */
  readonly rootsAreVetted?: boolean;
  /** Undefined: the name is not verified. */
  readonly serverName: string | undefined;
  /** False: only the name is verified. */
  readonly chain: boolean;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What is asked of form and contents besides RFC 5280 §6; see {@linkcode Policy}. */
  readonly policy: Policy;
  /** Default: serverAuth. */
  readonly purpose?: string;
  /** How many intermediates a path may have. Default: {@linkcode MAX_INTERMEDIATES}. */
  readonly maxIntermediates?: number;
  /** Whether `certificate` was signed with the private half of this key. */
  verifySignature(certificate: Certificate, issuerKeyInfo: Uint8Array): boolean;
}

/** More than any real path has. */
export const MAX_INTERMEDIATES = 8;
/** How many signatures and steps a verification may cost, since the server chooses what it sends. */
const MAX_SIGNATURES = 32;
const MAX_STEPS = 256;

const MIN_RSA_BITS = 2048;

const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
const ANY_USAGE = "2.5.29.37.0";

/**
 * Verifies the server's certificate.
 *
 * @throws {CertificateRefused} for the first reason, or where several paths fail the one that came furthest
 */
export function verifyCertificates(verification: Verification): void {
  const [first, ...rest] = verification.presented;
  if (first === undefined) throw refuse("malformed", "was not sent", "the server sent no certificate", undefined);
  const leaf = read(first);
  if (verification.chain) verifyChain(leaf, rest, verification);
  if (verification.serverName !== undefined) verifyName(leaf, verification.serverName);
}

function verifyName(leaf: Certificate, serverName: string): void {
  const names = leaf.extensions.subjectAltName ?? [];
  if (matchesServerName(names, serverName)) return;
  const presented = names.flatMap((name) =>
    name.kind === "dns" ? [name.value] : name.kind === "ip" ? [ipText(name.value)] : []
  );
  const common = commonName(leaf.subject);
  const reason = presented.length > 0
    ? `is for ${presented.slice(0, 10).join(", ")}${presented.length > 10 ? ", ..." : ""}, not for ${serverName}`
    : `names no host in its subjectAltName${
      common ? ` (its common name, ${JSON.stringify(common)}, does not count: RFC 9525)` : ""
    }`;
  const advice = parseIpAddress(serverName) === undefined && !isHostName(serverName.replace(/\.$/, ""))
    ? `${JSON.stringify(serverName)} is no host name that a certificate could be for`
    : "connect by a name that it is for, or have it issued for this one; verify-ca leaves the name unverified";
  throw refuse("name", reason, advice, leaf);
}

function verifyChain(leaf: Certificate, rest: readonly Uint8Array[], verification: Verification): void {
  const search = new PathSearch(rest, verification);
  checkUsable(leaf, verification.now);
  checkLeaf(leaf, verification);
  checkPolicy(leaf, "leaf", verification);
  const failure = search.extend([leaf]);
  if (failure !== undefined) throw failure;
}

/** Depth first: a path that fails a check is given up for the next. */
class PathSearch {
  readonly #verification: Verification;
  readonly #intermediates: readonly Certificate[];
  readonly #comparisons = new ComparisonBudget();
  #signatures = 0;
  #steps = 0;

  constructor(rest: readonly Uint8Array[], verification: Verification) {
    this.#verification = verification;
    // What cannot be read is not needed, or else the path that needs it is not found.
    this.#intermediates = rest.flatMap((der) => {
      try {
        return [readCertificate(der)];
      } catch {
        return [];
      }
    });
  }

  /** Tries to lead the path, which begins with the leaf, to a root; undefined on success. */
  extend(path: readonly Certificate[]): CertificateRefused | undefined {
    const last = path[path.length - 1] as Certificate;
    const { roots, maxIntermediates = MAX_INTERMEDIATES } = this.#verification;
    // A trusted certificate is trusted as itself, whether the server sent it or it is the server's own.
    if (path.length === 1 && roots.some((root) => sameBytes(root.der, last.der))) return undefined;
    let furthest: CertificateRefused | undefined;
    for (const root of roots) {
      if (!mayHaveIssued(root, last)) continue;
      const failure = this.#step(path, root, true);
      if (failure === undefined) return undefined;
      furthest ??= failure;
    }
    for (const candidate of this.#intermediates) {
      if (!mayHaveIssued(candidate, last)) continue;
      if (path.some((passed) => isSameAuthority(passed, candidate))) continue;
      if (!isSelfIssued(candidate) && intermediatesIn(path) >= maxIntermediates) {
        furthest ??= refuse("path-length", "is too far from a trusted root", "shorten the server's chain", last);
        continue;
      }
      const failure = this.#step(path, candidate, false) ?? this.extend([...path, candidate]);
      if (failure === undefined) return undefined;
      if (furthest === undefined || furthest.check === "unknown-authority") furthest = failure;
    }
    return furthest ?? this.#unknown(path, last);
  }

  /** Checks that `issuer` may and did issue the last of the path. */
  #step(path: readonly Certificate[], issuer: Certificate, isRoot: boolean): CertificateRefused | undefined {
    const last = path[path.length - 1] as Certificate;
    try {
      if (++this.#steps > MAX_STEPS) throw new DerError("so many that no path was found in time");
      checkUsable(issuer, this.#verification.now);
      checkAuthority(issuer, path, isRoot, this.#verification);
      if (!isRoot || !this.#verification.rootsAreVetted) {
        checkPolicy(issuer, isRoot ? "root" : "intermediate", this.#verification);
      }
      this.#checkSignature(last, issuer);
      const { nameConstraints } = issuer.extensions;
      if (nameConstraints !== undefined) this.#checkNames(path, nameConstraints, issuer);
      return undefined;
    } catch (error) {
      if (error instanceof CertificateRefused) return error;
      return refuse("malformed", `breaks a rule: ${error instanceof Error ? error.message : error}`, RENEW, issuer);
    }
  }

  #checkNames(
    path: readonly Certificate[],
    constraints: NonNullable<Certificate["extensions"]["nameConstraints"]>,
    issuer: Certificate,
  ): void {
    for (const [index, certificate] of path.entries()) {
      // RFC 5280 §6.1.3 (b): a self-issued intermediate is exempt, the end entity is not.
      if (index > 0 && isSelfIssued(certificate)) continue;
      const words = violation(constraints, certificate, this.#comparisons);
      if (words === undefined) continue;
      const reason = `breaks the name constraints of ${nameText(issuer.subject)}: ${words}`;
      throw refuse("name-constraints", reason, "have it issued by an authority that may", certificate);
    }
  }

  #checkSignature(certificate: Certificate, issuer: Certificate): void {
    const { signatureAlgorithm } = certificate;
    if (signatureAlgorithm.kind === "unsupported") {
      throw refuse("signature", `is signed with ${signatureAlgorithm.name}, which is not accepted`, RENEW, certificate);
    }
    if (++this.#signatures > MAX_SIGNATURES) throw new DerError("so many signatures that no path was found in time");
    if (!this.#verification.verifySignature(certificate, issuer.publicKeyInfo)) {
      const reason = `was not signed by the ${nameText(issuer.subject)} that is known here`;
      throw refuse("signature", reason, "its authority may have a new key: trust the new root", certificate);
    }
  }

  #unknown(path: readonly Certificate[], last: Certificate): CertificateRefused {
    const selfSigned = isSelfIssued(last);
    if (this.#verification.roots.some((root) => root.subject.key === last.issuer.key)) {
      const reason = `was issued by ${nameText(last.issuer)}, but not with the key of the trusted root of that name`;
      return refuse("unknown-authority", reason, "its authority may have a new key: trust the new root", last);
    }
    const reason = selfSigned && path.length === 1
      ? "is self-signed and not among the trusted roots"
      : selfSigned
      ? "is a root that is not among the trusted ones"
      : `was issued by ${nameText(last.issuer)}, which is neither a trusted root nor sent by the server`;
    const advice = "give its root by rootCerts, ssl.ca or sslrootcert if that authority is yours" +
      (selfSigned ? "" : "; or the server should send the intermediate certificate");
    return refuse("unknown-authority", reason, advice, last);
  }
}

const RENEW = "have a new certificate issued";

/** What holds for every certificate of a path. */
function checkUsable(certificate: Certificate, now: number): void {
  const { notBefore, notAfter, publicKey, extensions } = certificate;
  // Times have whole seconds; a fraction after the last second is still within it, before the first is not yet.
  if (now < notBefore) {
    const reason = `is valid only from ${new Date(notBefore).toISOString()}`;
    throw refuse("validity", reason, "set this machine's clock, or wait", certificate);
  }
  if (now >= notAfter + 1000) {
    throw refuse(
      "validity",
      `expired on ${new Date(notAfter).toISOString()}`,
      "renew it, or set this machine's clock",
      certificate,
    );
  }
  if (publicKey.kind === "unsupported") {
    throw refuse("key", `has a key of a kind that is not accepted, ${publicKey.name}`, RENEW, certificate);
  }
  if (publicKey.kind === "rsa" && publicKey.bits < MIN_RSA_BITS) {
    throw refuse("key", `has an RSA key of ${publicKey.bits} bits; ${MIN_RSA_BITS} are the least`, RENEW, certificate);
  }
  if (extensions.unknownCritical !== undefined) {
    throw refuse(
      "extension",
      `has the critical extension ${extensions.unknownCritical}, which is not known`,
      RENEW,
      certificate,
    );
  }
}

function checkLeaf(leaf: Certificate, { purpose = SERVER_AUTH }: Verification): void {
  const { keyUsage, subjectAltName, basicConstraints, nameConstraints, critical } = leaf.extensions;
  if (!mayServe(leaf, purpose)) {
    throw refuse(
      "usage",
      "is not for servers (its extendedKeyUsage lacks serverAuth)",
      "have it issued for a server",
      leaf,
    );
  }
  const isAuthority = basicConstraints?.ca === true;
  if (keyUsage !== undefined) {
    if (keyUsage.has(KEY_USAGE.keyCertSign) && !isAuthority) {
      throw refuse("usage", "may sign certificates (keyUsage) although it is no authority", RENEW, leaf);
    }
    const serves = [KEY_USAGE.digitalSignature, KEY_USAGE.keyEncipherment, KEY_USAGE.keyAgreement];
    if (!isAuthority && !serves.some((bit) => keyUsage.has(bit))) {
      throw refuse("usage", "is not for TLS (its keyUsage lacks digitalSignature)", RENEW, leaf);
    }
  }
  if (nameConstraints !== undefined && !isAuthority) {
    throw refuse("extension", "has name constraints, which only an authority may have", RENEW, leaf);
  }
  if (leaf.subject.parts.length === 0 && (subjectAltName === undefined || !critical.has(SUBJECT_ALT_NAME))) {
    throw refuse("malformed", "has an empty subject, and no critical subjectAltName in its place", RENEW, leaf);
  }
}

function checkPolicy(certificate: Certificate, role: "leaf" | "intermediate" | "root", { policy }: Verification): void {
  const breach = policy === "web" ? webPolicyBreach(certificate, role) : undefined;
  if (breach === undefined) return;
  const advice = "public authorities may not issue such certificates: if this one is yours, give its root by rootCerts";
  throw refuse("policy", breach, advice, certificate);
}

/** What holds for every issuer (RFC 5280 §6.1.4), `path` being what lies below it. */
function checkAuthority(
  issuer: Certificate,
  path: readonly Certificate[],
  isRoot: boolean,
  { purpose = SERVER_AUTH }: Verification,
): void {
  const { basicConstraints, keyUsage } = issuer.extensions;
  if (basicConstraints?.ca !== true && !(isRoot && issuer.version < 3)) {
    throw refuse("authority", "is no certificate authority (basicConstraints)", RENEW, issuer);
  }
  if (keyUsage !== undefined && !keyUsage.has(KEY_USAGE.keyCertSign)) {
    throw refuse("usage", "may not sign certificates (keyUsage)", RENEW, issuer);
  }
  if (!mayServe(issuer, purpose)) {
    throw refuse("usage", "may not issue for servers (extendedKeyUsage)", RENEW, issuer);
  }
  if (issuer.subject.parts.length === 0) throw refuse("malformed", "is an authority without a name", RENEW, issuer);
  const below = intermediatesIn(path);
  if (basicConstraints?.pathLength !== undefined && below > basicConstraints.pathLength) {
    const reason = `allows ${basicConstraints.pathLength} intermediates below it, and there are ${below}`;
    throw refuse("path-length", reason, "have the chain issued again", issuer);
  }
}

/** A certificate without extendedKeyUsage may serve any purpose, as a private authority's often must. */
function mayServe({ extensions }: Certificate, purpose: string): boolean {
  const usages = extensions.extendedKeyUsage;
  return usages === undefined || usages.includes(purpose) || usages.includes(ANY_USAGE);
}

/** Issuer and subject match, and the key identifiers where both have them. */
function mayHaveIssued(issuer: Certificate, certificate: Certificate): boolean {
  if (issuer.subject.key !== certificate.issuer.key) return false;
  const wanted = certificate.extensions.authorityKeyId;
  const found = issuer.extensions.subjectKeyId;
  return wanted === undefined || found === undefined || sameBytes(wanted, found);
}

/** The same authority twice leads nowhere, whoever certified it. */
function isSameAuthority(a: Certificate, b: Certificate): boolean {
  return a.subject.key === b.subject.key && sameBytes(a.publicKeyInfo, b.publicKeyInfo);
}

/** Self-issued ones (a new key for the same authority) do not count (RFC 5280 §6.1.4 (l)). */
function intermediatesIn(path: readonly Certificate[]): number {
  return path.slice(1).filter((certificate) => !isSelfIssued(certificate)).length;
}

function isSelfIssued({ subject, issuer }: Certificate): boolean {
  return subject.key === issuer.key;
}

function read(der: Uint8Array): Certificate {
  try {
    return readCertificate(der);
  } catch (error) {
    const reason = `cannot be read: ${error instanceof Error ? error.message : error}`;
    throw refuse("malformed", reason, RENEW, undefined);
  }
}

function ipText(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from(
    { length: bytes.length / 2 },
    (_, i) => ((bytes[2 * i] ?? 0) << 8 | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return groups.join(":");
}

function refuse(
  check: Check,
  reason: string,
  advice: string,
  certificate: Certificate | undefined,
): CertificateRefused {
  return new CertificateRefused(check, reason, advice, certificate);
}
