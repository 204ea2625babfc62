/**
 * Connection strings: URLs and Unix-domain sockets as node-postgres's pg-connection-string 2.14 reads them, and the
 * URLs and keyword/value strings of libpq (PostgreSQL documentation, "Connection Strings").
 *
 * Every form becomes the same thing: settings by name, as text, under the names of {@linkcode ClientConfig} or libpq's.
 * No error here repeats any part of the string, since a password may stand anywhere in a malformed one.
 *
 * @module
 */

import type { ConfigError } from "../errors.ts";
import { failure } from "./failure.ts";
import { parseKeywordValues } from "./keyword_values.ts";

/** Settings by name, as text. */
export type ConnectionStringFields = ReadonlyMap<string, string>;

/**
 * Parses a connection string of any form.
 *
 * @throws {ConfigError} `CONFIG_URL`, `CONFIG_PORT`, `CONFIG_NUL`
 *
 * @example
 * ```ts
 * parseConnectionString("postgres://app:p%40ss@db.example.com/shop?sslmode=require").get("password"); // "p@ss"
 * ```
 */
export function parseConnectionString(text: string): ConnectionStringFields {
  const trimmed = text.trim();
  if (trimmed.includes("\0")) throw failure("CONFIG_NUL", "the connection string contains a NUL");
  if (trimmed === "") return new Map();
  if (trimmed.startsWith("/")) return parseSocketPath(trimmed);
  if (/^socket:/i.test(trimmed)) return parseSocketUrl(trimmed);
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(trimmed)) return parseUrl(trimmed);
  if (trimmed.includes("=")) return parseKeywordValues(trimmed);
  if (/[:/@?#]/.test(trimmed)) throw malformed("it is neither a URL (postgres://...) nor a database's name");
  return new Map([["database", trimmed]]);
}

const ESCAPES = "in a password, write / as %2F, ? as %3F and # as %23";

/** Schemes that are certainly something else: pasting a proxy's or a site's URL is a likely mistake. */
const FOREIGN_SCHEMES = new Set(["http", "https", "ws", "wss", "file", "ftp"]);

/** `/directory database` */
function parseSocketPath(text: string): ConnectionStringFields {
  const [host, database] = text.split(" ");
  return present({ host, database });
}

/** `socket://user:password@/directory?db=database&encoding=utf8`, with or without the authority. */
function parseSocketUrl(text: string): ConnectionStringFields {
  const { user, hostAndPort, path, options } = splitUrl(text);
  if (hostAndPort !== "" || !path.startsWith("/")) {
    throw malformed("socket: needs an absolute path, as socket:/directory");
  }
  const fields = new Map([...present(user), ...options, ["host", decodeReserved(path)]]);
  rename(fields, "db", "database");
  rename(fields, "encoding", "client_encoding");
  return fields;
}

/** `postgres://user:password@host:port/database?option=value`; the options win over the authority. */
function parseUrl(text: string): ConnectionStringFields {
  const { scheme, user, hostAndPort, path, options } = splitUrl(text);
  if (FOREIGN_SCHEMES.has(scheme.toLowerCase())) {
    throw malformed(
      `a database's URL begins with postgres://, not ${scheme}: (a WebSocket proxy is the option wsProxy)`,
    );
  }
  // node-postgres would look for a host called as the user here, and find none.
  if (user.user === "" && user.password === "" && hostAndPort.includes(":") && path.includes("@")) {
    throw unescapedPassword();
  }
  const fields = new Map([...present(user), ...present(parseHostAndPort(hostAndPort)), ...options]);
  rename(fields, "dbname", "database");
  // As node-postgres: an escaped slash in the database's name stays escaped.
  if (path.length > 1) fields.set("database", decodeReserved(path.slice(1)));
  return fields;
}

interface UrlParts {
  readonly scheme: string;
  readonly user: Fields;
  readonly hostAndPort: string;
  readonly path: string;
  readonly options: ConnectionStringFields;
}

/** RFC 3986, appendix B; as WHATWG's URLs, the last `@` ends the password, so that it may contain others unescaped. */
const URL_PARTS = /^([^:/?#]+):(?:\/\/(?:([^/?#]*)@)?([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?$/;

/** The fragment means nothing here. */
function splitUrl(text: string): UrlParts {
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x1f\x7f]/.test(text)) throw malformed("it contains a control character");
  const match = URL_PARTS.exec(text);
  if (match === null) throw malformed("it is not a URL");
  const [, scheme, userinfo = "", hostAndPort = "", path, query = "", fragment = ""] = match;
  // What looks like a fragment that ends in a host is the rest of a password; do not take its start for a host.
  if (fragment.includes("@")) throw unescapedPassword();
  const [user, ...password] = userinfo.split(":");
  return {
    scheme,
    user: { user: decode(user), password: decode(password.join(":")) },
    hostAndPort,
    path,
    options: parseQuery(query),
  };
}

/** Several, separated by commas, become lists. */
function parseHostAndPort(text: string): Fields {
  const each = text.split(",").map(parseOneHost);
  const ports = each.map(({ port }) => port);
  return {
    host: each.map(({ host }) => host).join(","),
    port: ports.every((port) => port === "") ? "" : ports.join(","),
  };
}

function parseOneHost(text: string): { readonly host: string; readonly port: string } {
  const match = /^(\[[^\]]*\]|[^:\[\]]*)(?::(.*))?$/.exec(text);
  if (match === null) throw malformed("its host is malformed (an IPv6 address stands in brackets)");
  const [, host, port = ""] = match;
  if (!/^\d*$/.test(port)) {
    throw failure("CONFIG_PORT", `the connection string's port is not a number (${ESCAPES})`);
  }
  return { host: decode(host.replace(/^\[(.*)\]$/, "$1")), port };
}

function parseQuery(query: string): ConnectionStringFields {
  const fields = new Map<string, string>();
  for (const [name, value] of new URLSearchParams(query)) {
    // A name that is none is the rest of a password with an unescaped question mark, and must not be shown.
    if (!/^[a-z_]\w*$/i.test(name)) throw malformed(`an option's name is malformed (${ESCAPES})`);
    if (value !== "") fields.set(name, value);
  }
  return fields;
}

type Fields = Readonly<Record<string, string | undefined>>;

function present(fields: Fields): Map<string, string> {
  const map = new Map<string, string>();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined && value !== "") map.set(name, value);
  }
  return map;
}

function rename(fields: Map<string, string>, from: string, to: string): void {
  const value = fields.get(from);
  fields.delete(from);
  if (value !== undefined) fields.set(to, value);
}

/** A `%` that no two hexadecimal digits follow stands for itself. */
function decode(text: string, decoder: (text: string) => string = decodeURIComponent): string {
  try {
    return decoder(text.replace(/%(?![\da-f]{2})/gi, "%25"));
  } catch {
    throw malformed("a percent-encoded part of it is not UTF-8");
  }
}

/** Leaves the escapes of `; / ? : @ & = + $ , #` as they are. */
function decodeReserved(text: string): string {
  return decode(text, decodeURI);
}

function unescapedPassword(): ConfigError {
  return malformed(`its password seems to contain a character that must be escaped (${ESCAPES})`);
}

function malformed(why: string): ConfigError {
  return failure("CONFIG_URL", `the connection string is malformed: ${why}`);
}
