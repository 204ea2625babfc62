/**
 * Who may be dialled: the allow-list, and the networks that a name may lead to. Pure.
 *
 * Two questions, asked at two moments: {@linkcode Policy.judge} before the name is resolved, {@linkcode refuseAddress}
 * for each address that it resolved to. The address that was checked is the one that is dialled, so that a name whose
 * answer changes in between (DNS rebinding) gains nothing.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { type IpAddress, parseIp, parseName, parsePort, parseTarget, scopeOf, type Target } from "./address.ts";
import { compilePattern, type Pattern } from "./pattern.ts";

/** What the operator allows. */
export interface PolicyOptions {
  /**
   * Rules of the form `host:port`. The host is a name, `*.example.com` (any name below it), an IP address (IPv6 in
   * brackets) or `*`; the port a number or `*`.
   */
  readonly allow?: readonly string[] | undefined;
  /** A regular expression in RE2's syntax that must match the whole `host:port`, as `ALLOW_ADDR_REGEX`. */
  readonly allowPattern?: string | undefined;
  /** Lets every allowed name lead to private and loopback addresses. Default: only those that a rule spells out. */
  readonly allowPrivate?: boolean | undefined;
  /** Lets everything be dialled that is on this machine's loopback, besides what the rules allow. */
  readonly dev?: boolean | undefined;
}

/** The addresses that an allowed target may lead to. Forbidden ones are never among them. */
export type Reach = "public" | "loopback" | "public or loopback" | "any";

/** What the allow-list says of a target. */
export type Verdict =
  | { readonly allowed: true; readonly reach: Reach }
  | { readonly allowed: false; readonly reason: string };

/** The operator's rules, compiled. */
export interface Policy {
  judge(target: Target): Verdict;
  /** True where the rules let in every public host: worth a warning, since strangers can then dial through the proxy. */
  readonly wideOpen: boolean;
}

/**
 * Compiles the rules.
 *
 * @throws {ConfigError} `PROXY_NOT_RESTRICTED` without any rule and without `dev`; `PROXY_RULE_INVALID`;
 * `PROXY_PATTERN_INVALID`
 *
 * @example
 * ```ts
 * const policy = createPolicy({ allow: ["db.example.com:5432", "*.pool.example.com:*"] });
 * const target = parseTarget("eu.pool.example.com:6432");
 * if (target.ok) console.log(policy.judge(target.value)); // { allowed: true, reach: "public" }
 * ```
 */
export function createPolicy(options: PolicyOptions): Policy {
  const rules = (options.allow ?? []).map(parseRule);
  if (options.allowPattern !== undefined) rules.push(patternRule(compilePattern(options.allowPattern)));
  if (rules.length === 0 && !options.dev) {
    throw new ConfigError(
      "PROXY_NOT_RESTRICTED",
      "the proxy does not start without an allow-list, since anyone could dial anything through it: " +
        "name what may be dialled (--allow db.example.com:5432, or ALLOW_ADDR_REGEX), " +
        "or use --dev to dial this machine's loopback only",
      { phase: "config" },
    );
  }
  const judge = (target: Target) => judgeBy(rules, options, target);
  return { judge, wideOpen: CANARIES.every((canary) => reachesPublic(judge(canary))) };
}

/**
 * Why this address may not be dialled, or undefined where it may. The words name no address: they are shown to whoever
 * asked.
 */
export function refuseAddress(reach: Reach, ip: IpAddress): string | undefined {
  const scope = scopeOf(ip);
  if (scope === "forbidden") return "a link-local, metadata, multicast, unspecified or reserved address";
  if (reach === "any" || scope === reach) return undefined;
  if (reach === "public or loopback" && scope !== "private") return undefined;
  if (reach === "loopback") return "not a loopback address (--dev dials no others unless a rule allows the target)";
  return `a ${scope} address (to allow it, name the host in a rule, or start the proxy with --allow-private)`;
}

function reachesPublic(verdict: Verdict): boolean {
  return verdict.allowed && verdict.reach !== "loopback";
}

/** One rule: whether it covers a target, and whether it spells the host out, so that it may be private. */
interface Rule {
  covers(target: Target): boolean;
  names(target: Target): boolean;
}

function judgeBy(rules: readonly Rule[], { allowPrivate, dev }: PolicyOptions, target: Target): Verdict {
  const covering = rules.filter((rule) => rule.covers(target));
  if (covering.length > 0) {
    const named = allowPrivate || covering.some((rule) => rule.names(target));
    return { allowed: true, reach: named ? "any" : dev ? "public or loopback" : "public" };
  }
  if (dev) return { allowed: true, reach: "loopback" };
  return { allowed: false, reason: `${target.text} is not in the proxy's allow-list` };
}

function parseRule(text: string): Rule {
  const split = /^(.+):([0-9]+|\*)$/.exec(text);
  if (split === null) throw invalidRule(text, "expected host:port, where either may be *");
  const [, host, portText] = split;
  const port = portText === "*" ? "*" : parsePort(portText);
  if (port === undefined) throw invalidRule(text, "the port must be * or a number from 1 to 65535");
  const { covers, named } = parseHostRule(text, host);
  const portMatches = (target: Target) => port === "*" || port === target.port;
  return {
    covers: (target) => portMatches(target) && covers(target.host),
    names: (target) => named && portMatches(target) && covers(target.host),
  };
}

function parseHostRule(text: string, host: string): { covers: (host: string) => boolean; named: boolean } {
  if (host === "*") return { covers: () => true, named: false };
  if (host.startsWith("*.")) {
    const parent = parseName(host.slice(2));
    if (!parent.ok) throw invalidRule(text, parent.reason);
    return { covers: (name) => name.endsWith(`.${parent.value}`), named: false };
  }
  if (host.includes("*")) throw invalidRule(text, "a host may be * or begin with *. and have no other wildcard");
  const target = parseTarget(`${host}:1`);
  if (!target.ok) throw invalidRule(text, target.reason);
  return { covers: (name) => name === target.value.host, named: true };
}

function patternRule(pattern: Pattern): Rule {
  const literal = pattern.source.replace(/^(?:\^|\\A)|(?:\$|\\z)$/g, "").replace(/\\(?=[^A-Za-z0-9])/g, "")
    .toLowerCase();
  return {
    covers: (target) => pattern.matches(target.text),
    // `db\.internal:5432`, or without its backslash, is one host spelled out.
    names: (target) => target.text === literal,
  };
}

// Hosts that nobody lists by name (RFC 2606 reserves the names): rules that cover all of them cover everything.
const CANARIES: readonly Target[] = ["a.example", "zz-9.test.invalid", "203.0.113.77", "2001:db8::4d"].map((host) => {
  const ip = parseIp(host);
  return { host, port: 5432, ip, text: ip?.family === 6 ? `[${host}]:5432` : `${host}:5432` };
});

function invalidRule(text: string, reason: string): ConfigError {
  return new ConfigError("PROXY_RULE_INVALID", `the allow rule ${JSON.stringify(text)} cannot be used: ${reason}`, {
    phase: "config",
  });
}
