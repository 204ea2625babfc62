/**
 * Which web pages may connect. Pure.
 *
 * A browser lets any page open a WebSocket to anywhere and tells whose page it is by `Origin` (RFC 6454; RFC 6455
 * section 10.2). Clients that are no browsers send none, or what they like: this protects the user of a browser from a page,
 * and authenticates nobody.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { parseIp, scopeOf } from "./address.ts";

/** What the operator says of web pages. */
export interface OriginOptions {
  /**
   * Origins of pages that may connect: `https://app.example.com`, `https://*.example.com` (any name below it), `null`
   * (pages without an origin) or `*`. Default: with `dev` the pages of this machine's loopback, else any.
   */
  readonly allowOrigins?: readonly string[] | undefined;
  /** Lets in pages of this machine's loopback alone, where no origins are named. */
  readonly dev?: boolean | undefined;
}

/** The operator's rules about web pages, compiled. */
export interface OriginPolicy {
  /** Why a request with this `Origin` header is refused, or undefined where it is not. */
  refuse(origin: string | undefined): string | undefined;
}

/**
 * Compiles the rules.
 *
 * @throws {ConfigError} `PROXY_ORIGIN_INVALID`
 */
export function createOriginPolicy({ allowOrigins, dev }: OriginOptions): OriginPolicy {
  const rules = (allowOrigins ?? []).map(parseRule);
  if (rules.length === 0 && !dev) return { refuse: () => undefined };
  return {
    refuse(origin) {
      if (origin === undefined) return undefined;
      const normal = origin.toLowerCase();
      if (rules.some((covers) => covers(normal)) || (dev && isLoopbackPage(normal))) return undefined;
      return `pages of ${describe(normal)} may not connect: the proxy's operator can allow them by --allow-origin`;
    },
  };
}

type Rule = (origin: string) => boolean;

const ORIGIN = /^[a-z][a-z0-9+.-]*:\/\/(\*\.)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]{1,5})?$/;

function parseRule(text: string): Rule {
  const rule = text.toLowerCase();
  if (rule === "*") return () => true;
  if (rule === "null") return (origin) => origin === "null";
  const wildcard = ORIGIN.exec(rule)?.[1];
  if (!ORIGIN.test(rule)) {
    throw new ConfigError(
      "PROXY_ORIGIN_INVALID",
      `the allowed origin ${JSON.stringify(text)} cannot be used: ` +
        "expected one such as https://app.example.com, https://*.example.com, null or *",
      { phase: "config" },
    );
  }
  if (wildcard === undefined) return (origin) => origin === rule;
  const [scheme, parent] = rule.split("*");
  return (origin) => ORIGIN.test(origin) && origin.startsWith(scheme) && origin.endsWith(parent);
}

/** A page that this machine itself serves, or says so: names are compared, not resolved. */
function isLoopbackPage(origin: string): boolean {
  const host = ORIGIN.exec(origin)?.[2];
  if (host === undefined) return false;
  if (host === "localhost" || host.endsWith(".localhost")) return true; // RFC 6761 section 6.3
  const ip = parseIp(host.replace(/^\[|\]$/g, ""));
  return ip !== undefined && scopeOf(ip) === "loopback";
}

const MAX_SHOWN = 100; // characters of what a stranger sent

function describe(origin: string): string {
  return ORIGIN.test(origin) || origin === "null" ? origin.slice(0, MAX_SHOWN) : "that origin";
}
