/**
 * Reads `host:port` strictly, and says what kind of network an IP address belongs to. Pure.
 *
 * Strict on purpose: whatever two parsers could read differently (`0177.0.0.1`, `2130706433`, `a@b`, `fe80::1%eth0`)
 * is malformed here, so that what was allowed is what is dialled.
 *
 * @module
 */

/** A host and port to dial, in canonical form. */
export interface Target {
  /** Lower-case name without a trailing dot, or an IP address without brackets. */
  readonly host: string;
  readonly port: number;
  /** The host as an address, where it is written as one. */
  readonly ip: IpAddress | undefined;
  /** `host:port` as rules and people see it; IPv6 in brackets. */
  readonly text: string;
}

/** An IP address. */
export interface IpAddress {
  readonly family: 4 | 6;
  /** 4 or 16 bytes, in network order. */
  readonly bytes: readonly number[];
  /** Dotted quad, or RFC 5952. */
  readonly text: string;
}

/** What a piece of input was read as, or why it could not be. */
export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly reason: string };

/**
 * What kind of network an address belongs to. `forbidden` is what no database has and every attack wants: unspecified,
 * link-local and metadata addresses, multicast, broadcast and reserved ones.
 */
export type AddressScope = "public" | "private" | "loopback" | "forbidden";

// A name of 253 octets (RFC 1035 §2.3.4), a colon and a port.
const MAX_ADDRESS_LENGTH = 253 + 1 + 5;

/**
 * Reads the `address` parameter: a DNS name, a dotted quad or a bracketed IPv6 address, a colon and a port.
 *
 * @example
 * ```ts
 * const parsed = parseTarget("DB.Example.com.:5432");
 * if (parsed.ok) console.log(parsed.value.text); // db.example.com:5432
 * ```
 */
export function parseTarget(address: string): Parsed<Target> {
  if (address.length > MAX_ADDRESS_LENGTH) return malformed("it is longer than any host name and port");
  const split = /^(?:\[([^\]]*)\]|([^:\[\]]*)):([0-9]*)$/.exec(address);
  if (split === null) return malformed("expected host:port, with an IPv6 address in brackets");

  const port = parsePort(split[3]);
  if (port === undefined) return malformed("the port must be a number from 1 to 65535");

  if (split[1] !== undefined) {
    const ip = parseIpv6(split[1]);
    if (ip === undefined) return malformed("the brackets do not hold an IPv6 address");
    return { ok: true, value: { host: ip.text, port, ip, text: `[${ip.text}]:${port}` } };
  }
  const ip = parseIpv4(split[2]);
  if (ip !== undefined) return { ok: true, value: { host: ip.text, port, ip, text: `${ip.text}:${port}` } };
  const name = parseName(split[2]);
  if (!name.ok) return name;
  return { ok: true, value: { host: name.value, port, ip: undefined, text: `${name.value}:${port}` } };
}

/** A decimal port from 1 to 65535 without leading zeros, or undefined. */
export function parsePort(text: string): number | undefined {
  if (!/^[1-9][0-9]{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

/** A DNS name in lower case without its trailing dot; underscores are let through, since container networks use them. */
export function parseName(text: string): Parsed<string> {
  const name = (text.endsWith(".") ? text.slice(0, -1) : text).toLowerCase();
  if (name === "") return malformed("the host is empty");
  const labels = name.split(".");
  if (!labels.every((label) => /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))) {
    return malformed("the host is not a DNS name (letters, digits, hyphens and dots; IDNs as xn--)");
  }
  // The rule of the URL standard: a host that ends in a number is an IPv4 address to many resolvers (inet_aton).
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels[labels.length - 1])) {
    return malformed("an IPv4 address must be four decimal numbers without leading zeros");
  }
  return { ok: true, value: name };
}

/** Reads an IPv4 or IPv6 address without brackets. */
export function parseIp(text: string): IpAddress | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

/**
 * What kind of network the address belongs to. An IPv6 address that carries an IPv4 address is judged by that; but only a
 * mapped one leads to this machine's loopback, and what any other makes of such an address is up to a gateway.
 */
export function scopeOf(ip: IpAddress): AddressScope {
  return ip.family === 4 ? scopeOfIpv4(ip.bytes) : scopeOfIpv6(ip.bytes);
}

function parseIpv4(text: string): IpAddress | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? { family: 4, bytes, text: bytes.join(".") } : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(parseGroups);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])];
  return { family: 6, bytes: groups.flatMap((group) => [group >> 8, group & 0xff]), text: formatIpv6(groups) };
}

/** 16-bit groups; the last may be a dotted quad (RFC 4291 §2.2). */
function parseGroups(text: string): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const quad = index === parts.length - 1 ? parseIpv4(part) : undefined;
    if (quad !== undefined) {
      const [a, b, c, d] = quad.bytes;
      groups.push(a << 8 | b, c << 8 | d);
    } else if (/^[0-9a-f]{1,4}$/i.test(part)) {
      groups.push(parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

/** RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`. */
function formatIpv6(groups: readonly number[]): string {
  let best = { start: 0, length: 1 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (start + length < groups.length && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = groups.map((group) => group.toString(16));
  if (best.length < 2) return hex.join(":");
  return `${hex.slice(0, best.start).join(":")}::${hex.slice(best.start + best.length).join(":")}`;
}

type Block = readonly [scope: AddressScope, prefix: string, bits: number];

// The first that matches decides. Sources: the IANA special-purpose registries (RFC 6890), and the clouds' own pages.
const IPV4_BLOCKS = blocks([
  ["forbidden", "100.100.100.200", 32], // Alibaba's metadata service
  ["forbidden", "168.63.129.16", 32], // Azure's platform service
  ["forbidden", "192.0.0.0", 24], // IETF protocol assignments; Oracle's metadata service
  ["forbidden", "0.0.0.0", 8], // "this network": connects to the machine itself
  ["forbidden", "169.254.0.0", 16], // link-local; everybody's metadata service
  ["forbidden", "224.0.0.0", 4], // multicast
  ["forbidden", "240.0.0.0", 4], // reserved, and broadcast
  ["loopback", "127.0.0.0", 8],
  ["private", "10.0.0.0", 8],
  ["private", "172.16.0.0", 12],
  ["private", "192.168.0.0", 16],
  ["private", "100.64.0.0", 10], // carriers' NAT, RFC 6598
  ["private", "198.18.0.0", 15], // benchmarking networks, RFC 2544
]);

const IPV6_BLOCKS = blocks([
  ["loopback", "::1", 128],
  ["forbidden", "fd00:ec2::", 32], // Amazon's metadata (::254), credentials (::23) and other services of an instance
  ["forbidden", "fd00:42::42", 128], // Scaleway's metadata service
  ["forbidden", "fd20:ce::254", 128], // Google's metadata service
  ["forbidden", "::", 96], // unspecified, and IPv4-compatible addresses (deprecated by RFC 4291)
  ["forbidden", "64:ff9b:1::", 48], // NAT64 of the local network: what it leads to cannot be told
  ["forbidden", "2001::", 32], // Teredo: hides an IPv4 address
  ["forbidden", "fe80::", 10], // link-local
  ["forbidden", "ff00::", 8], // multicast
  ["private", "fc00::", 7], // unique local, RFC 4193
  ["private", "fec0::", 10], // site-local (deprecated)
]);

/** IPv6 prefixes that carry an IPv4 address, and at which byte it begins. */
const IPV4_CARRIERS = [
  { bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], bits: 96, offset: 12, mapped: true }, // ::ffff:0:0/96
  { bytes: [0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0], bits: 96, offset: 12 }, // ::ffff:0:0:0/96, translated (RFC 2765)
  { bytes: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], bits: 96, offset: 12 }, // 64:ff9b::/96, NAT64 (RFC 6052)
  { bytes: [0x20, 0x02], bits: 16, offset: 2 }, // 2002::/16, 6to4 (RFC 3056)
];

function scopeOfIpv4(bytes: readonly number[]): AddressScope {
  return IPV4_BLOCKS.find((block) => hasPrefix(bytes, block.bytes, block.bits))?.scope ?? "public";
}

function scopeOfIpv6(bytes: readonly number[]): AddressScope {
  const carrier = IPV4_CARRIERS.find((one) => hasPrefix(bytes, one.bytes, one.bits));
  if (carrier !== undefined) {
    const scope = scopeOfIpv4(bytes.slice(carrier.offset, carrier.offset + 4));
    return scope === "loopback" && !carrier.mapped ? "forbidden" : scope;
  }
  return IPV6_BLOCKS.find((block) => hasPrefix(bytes, block.bytes, block.bits))?.scope ?? "public";
}

function hasPrefix(bytes: readonly number[], prefix: readonly number[], bits: number): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = 0xff & ~(0xff >> Math.min(8, bits - bit));
    if ((bytes[bit / 8] & mask) !== (prefix[bit / 8] & mask)) return false;
  }
  return true;
}

function blocks(table: readonly Block[]): { scope: AddressScope; bytes: readonly number[]; bits: number }[] {
  return table.map(([scope, prefix, bits]) => ({ scope, bytes: parseIp(prefix)?.bytes ?? [], bits }));
}

function malformed(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}
