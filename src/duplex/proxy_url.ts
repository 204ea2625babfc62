/**
 * The URL at which a WebSocket proxy reaches a database.
 *
 * @module
 */

import { ConfigError, DriverError } from "../errors.ts";
import { hostAndPort, unixSocketPath } from "./target.ts";

/**
 * The whole URL for a database's host and port.
 *
 * A string is the proxy's URL or host: without a scheme `wss` is meant, `http` and `https` mean `ws` and `wss`, without
 * a path `/v1` is meant, other query parameters stay, and `address=host:port` is added (an IPv6 address in brackets),
 * as the relays of this kind understand it. A function gives the whole URL; only its scheme may be left out.
 *
 * @example
 * ```ts
 * proxyUrl("proxy.example.com", "db.example.com", 5432); // wss://proxy.example.com/v1?address=db.example.com:5432
 * ```
 *
 * @throws {ConfigError} `CONFIG_WS_PROXY` where no URL can be made of it, or the host is a Unix-domain socket
 */
export function proxyUrl(
  wsProxy: string | ((host: string, port: number) => string),
  host: string,
  port: number,
): string {
  const refuse = (reason: string, cause?: unknown) =>
    new ConfigError("CONFIG_WS_PROXY", `wsProxy ${reason}`, { host, port, phase: "config", cause });
  if (unixSocketPath({ host, port })) throw refuse("is of no use: a Unix-domain socket cannot be reached through it");
  let text: unknown = wsProxy;
  try {
    if (typeof wsProxy === "function") text = wsProxy(host, port);
  } catch (cause) {
    throw cause instanceof DriverError ? cause : refuse("cannot be asked: the function threw", cause);
  }
  if (typeof text !== "string" || text.trim() === "") {
    throw refuse("must be, or return, a URL or host such as wss://proxy.example.com/v1");
  }
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(text.trim()) ? text.trim() : `wss://${text.trim()}`;
  // The parser's own error quotes the text, in which there may be a token: it is not kept.
  if (!URL.canParse(withScheme)) throw refuse("is not a URL or host: expected one such as wss://proxy.example.com/v1");
  const { protocol, hash } = new URL(withScheme);
  const scheme = SCHEMES[protocol];
  if (scheme === undefined) throw refuse(`has the scheme ${protocol} where ws:, wss:, http: or https: was expected`);
  if (hash !== "") throw refuse("has a fragment (#...), which a WebSocket URL cannot have");

  // Schemes are changed in the text, since URL's setter only changes between kinds that it deems alike.
  const url = new URL(scheme + withScheme.slice(withScheme.indexOf("://") + 1));
  if (typeof wsProxy === "function") return url.href;
  if (url.pathname === "/") url.pathname = "/v1";
  if (url.searchParams.has("address")) url.searchParams.delete("address"); // deleting writes the others anew
  // Colons and brackets need no escape in a query, and some relays do not undo one.
  const address = encodeURIComponent(hostAndPort(host, port)).replace(/%(3A|5B|5D)/g, decodeURIComponent);
  url.search = `${url.search}${url.search === "" ? "?" : "&"}address=${address}`;
  return url.href;
}

const SCHEMES: Readonly<Record<string, string>> = { "ws:": "ws:", "wss:": "wss:", "http:": "ws:", "https:": "wss:" };

/** A URL as it may be shown: without credentials and query, where tokens live. */
export function describeUrl(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
