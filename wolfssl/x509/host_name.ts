/**
 * Whether a certificate is for the name that was asked for: subjectAltName alone, by RFC 9525.
 *
 * @module
 */

import { sameBytes } from "./der.ts";
import type { GeneralName } from "./general_name.ts";

/** Whether one of the names is `serverName`, which is a host name or an IP address. */
export function matchesServerName(names: readonly GeneralName[], serverName: string): boolean {
  const address = parseIpAddress(serverName);
  if (address !== undefined) return names.some((name) => name.kind === "ip" && sameBytes(name.value, address));
  const host = normalHost(serverName);
  return isHostName(host) &&
    names.some((name) => name.kind === "dns" && matchesPattern(name.value.toLowerCase(), host));
}

/**
 * A presented DNS name against a reference: equal, or `*` in place of the whole left-most label (RFC 9525 §6.3). Like
 * OpenSSL and Node, `*` wants two labels to its right: nobody owns all of `.com`.
 */
function matchesPattern(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  const parent = pattern.slice(2);
  const dot = host.indexOf(".");
  return parent.includes(".") && isHostName(parent) && dot > 0 && host.slice(dot + 1) === parent;
}

/** Letters, digits and hyphens (RFC 5280 §4.2.1.6, "preferred name syntax"); no underscore, no final dot. */
export function isHostName(text: string): boolean {
  return text.length <= 253 && text.split(".").every((label) => /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i.test(label));
}

/** A reference name: lower case, without the root's dot; international names as their A-labels. */
function normalHost(serverName: string): string {
  const host = serverName.replace(/\.$/, "").toLowerCase();
  // deno-lint-ignore no-control-regex
  if (/^[\u0000-\u007f]*$/.test(host)) return host;
  try {
    return new URL(`http://${host}`).hostname;
  } catch {
    return host;
  }
}

/** The 4 or 16 bytes of an IP address; undefined where the text is none. Brackets and a zone are allowed for IPv6. */
export function parseIpAddress(text: string): Uint8Array | undefined {
  const bare = text.replace(/^\[(.*)\]$/, "$1").replace(/%.*$/, "");
  return bare.includes(":") ? parseIpv6(bare) : parseIpv4(bare);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)) {
    return undefined;
  }
  return Uint8Array.from(parts, Number);
}

/** As WHATWG's URLs read it: of eight groups, the longest run of zeros is `::` then, and nothing is an IPv4 address. */
function parseIpv6(text: string): Uint8Array | undefined {
  const bracketed = `http://[${text}]`;
  if (!/^[0-9a-f:.]+$/i.test(text) || !URL.canParse(bracketed)) return undefined;
  const [head = [], tail = []] = new URL(bracketed).hostname.slice(1, -1).split("::").map((half) =>
    half.split(":").filter((group) => group !== "")
  );
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return Uint8Array.from(groups.flatMap((group) => [parseInt(group, 16) >> 8, parseInt(group, 16) & 0xff]));
}
