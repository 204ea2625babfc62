/**
 * Name constraints (RFC 5280 §4.2.1.10): which names an authority may certify.
 *
 * @module
 */

import type { Certificate } from "./certificate.ts";
import { DerError } from "./der.ts";
import type { NameConstraints } from "./extensions.ts";
import type { GeneralName } from "./general_name.ts";
import { isHostName } from "./host_name.ts";
import { emailAddresses, isWithin } from "./name.ts";

/** How many comparisons one verification may cost: real chains need a few hundred, hostile ones millions. */
const MAX_COMPARISONS = 100_000;

/** Counts comparisons over a whole verification, so that constraints times names stay bounded. */
export class ComparisonBudget {
  #left = MAX_COMPARISONS;

  spend(): void {
    if (--this.#left < 0) throw new DerError("too many names and name constraints");
  }
}

/**
 * Which of the certificate's names the constraints forbid, in words; undefined where none. Constraints that nobody can
 * apply forbid every name of their kind.
 */
export function violation(
  { permitted, excluded }: NameConstraints,
  certificate: Certificate,
  budget: ComparisonBudget,
): string | undefined {
  for (const name of namesOf(certificate)) {
    const compare = (tree: GeneralName) => {
      budget.spend();
      return isInSubtree(name, tree);
    };
    const forbids = (tree: GeneralName) => tree.kind === name.kind && (compare(tree) || overlaps(name, tree));
    if (excluded.some(forbids)) return `${describe(name)} is excluded`;
    const ofKind = permitted.filter((tree) => tree.kind === name.kind);
    if (ofKind.length > 0 && !ofKind.some(compare)) return `${describe(name)} is not permitted`;
  }
  return undefined;
}

/** All names of a certificate: its subject, the addresses therein, its subjectAltName. */
function namesOf({ subject, extensions }: Certificate): GeneralName[] {
  const alternative = extensions.subjectAltName ?? [];
  const emails = alternative.some(({ kind }) => kind === "email") ? [] : emailAddresses(subject);
  return [
    ...(subject.parts.length > 0 ? [{ kind: "directory", value: subject } as const] : []),
    ...emails.map((value) => ({ kind: "email", value }) as const),
    ...alternative,
  ];
}

/** Whether a name is in the subtree, which is of the same kind. Throws for a constraint or a name that is malformed. */
function isInSubtree(name: GeneralName, tree: GeneralName): boolean {
  if (name.kind === "dns" && tree.kind === "dns") return isInDomain(dnsName(name.value), constraintDomain(tree.value));
  if (name.kind === "email" && tree.kind === "email") return isEmailWithin(name.value, tree.value);
  if (name.kind === "uri" && tree.kind === "uri") return isUriWithin(name.value, tree.value);
  if (name.kind === "ip" && tree.kind === "ip") return isAddressWithin(name.value, tree.value);
  if (name.kind === "directory" && tree.kind === "directory") return isWithin(name.value, tree.value);
  // RFC 5280 §4.2.1.10: process the constraint or reject the certificate.
  throw new DerError("a name constraint of a kind that cannot be compared");
}

/** Whether some name that a wildcard stands for is in the subtree, though not all are. */
function overlaps(name: GeneralName, tree: GeneralName): boolean {
  if (name.kind !== "dns" || tree.kind !== "dns" || !name.value.startsWith("*.")) return false;
  const parent = name.value.slice(1).toLowerCase();
  const domain = tree.value.toLowerCase();
  return domain.endsWith(parent) && !domain.slice(0, -parent.length).includes(".");
}

function dnsName(value: string): string {
  const bare = value.replace(/^\*\./, "");
  if (!isHostName(bare)) throw new DerError(`the malformed DNS name ${JSON.stringify(value.slice(0, 100))}`);
  return value.toLowerCase();
}

function constraintDomain(value: string): string {
  if (value !== "" && !isHostName(value)) {
    throw new DerError(`the malformed DNS name constraint ${JSON.stringify(value.slice(0, 100))}`);
  }
  return value.toLowerCase();
}

function isInDomain(name: string, domain: string): boolean {
  return domain === "" || name === domain || name.endsWith(`.${domain}`);
}

function isEmailWithin(address: string, tree: string): boolean {
  const at = address.lastIndexOf("@");
  const [local, host] = [address.slice(0, at), address.slice(at + 1).toLowerCase()];
  if (at < 1 || local.includes("@") || !isHostName(host)) throw new DerError("a malformed e-mail address");
  if (tree.includes("@")) {
    const treeAt = tree.lastIndexOf("@");
    if (!isHostName(tree.slice(treeAt + 1))) throw new DerError("a malformed e-mail constraint");
    return tree.slice(0, treeAt) === local && tree.slice(treeAt + 1).toLowerCase() === host;
  }
  return isInHostConstraint(host, tree);
}

function isUriWithin(uri: string, tree: string): boolean {
  const host = /^[a-z][a-z0-9+.-]*:\/\/(?:[^/?#@]*@)?([^/?#:]+)/i.exec(uri)?.[1]?.toLowerCase();
  if (host === undefined || !isHostName(host)) {
    throw new DerError("a URI without a host name, which a constraint asks for");
  }
  return isInHostConstraint(host, tree);
}

/** `example.com` is that host alone; `.example.com` any below it. */
function isInHostConstraint(host: string, tree: string): boolean {
  if (!isHostName(tree.replace(/^\./, ""))) throw new DerError("a malformed name constraint");
  const domain = tree.toLowerCase();
  return domain.startsWith(".") ? host.endsWith(domain) : host === domain;
}

function isAddressWithin(address: Uint8Array, tree: Uint8Array): boolean {
  if (tree.length !== 8 && tree.length !== 32) throw new DerError("a malformed IP address constraint");
  if (address.length !== 4 && address.length !== 16) throw new DerError("a malformed IP address");
  const half = tree.length / 2;
  const mask = tree.subarray(half);
  if (!isPrefix(mask)) throw new DerError("an IP address constraint whose mask is no prefix");
  if (address.length !== half) return false;
  return address.every((byte, index) => (byte & (mask[index] ?? 0)) === ((tree[index] ?? 0) & (mask[index] ?? 0)));
}

function isPrefix(mask: Uint8Array): boolean {
  let ended = false;
  for (const byte of mask) {
    const ones = Math.clz32((~byte << 24) >>> 0);
    if (ended ? byte !== 0 : byte !== ((0xff00 >> Math.min(ones, 8)) & 0xff)) return false;
    if (byte !== 0xff) ended = true;
  }
  return true;
}

function describe(name: GeneralName): string {
  return name.kind === "dns" || name.kind === "email" || name.kind === "uri"
    ? `the name ${JSON.stringify(name.value.slice(0, 100))}`
    : { ip: "an IP address", directory: "the subject", other: "a name of another kind" }[name.kind];
}
