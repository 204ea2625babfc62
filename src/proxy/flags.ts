/**
 * The command line and environment of `pgduplex proxy`. Pure.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { parsePort } from "./address.ts";
import type { ProxyOptions } from "./options.ts";

/** What a command line asks for. */
export type ProxyCommand =
  | { readonly kind: "help" }
  | {
    readonly kind: "run";
    readonly options: ProxyOptions;
    readonly quiet: boolean;
    readonly drainMillis: number | undefined;
  };

/** The environment variables that count, which are those of the relay that this one replaces. */
export interface ProxyEnvironment {
  /** `8080`, `:8080` or `0.0.0.0:8080`. */
  readonly LISTEN_PORT?: string | undefined;
  /** A regular expression for `host:port`. Ignored where a flag says what is allowed. */
  readonly ALLOW_ADDR_REGEX?: string | undefined;
}

/** What `pgduplex proxy --help` prints. */
export const PROXY_HELP = `Usage: pgduplex proxy --allow host:port [--allow ...] [flags]
       pgduplex proxy --dev [flags]

Relays WebSockets (GET /v1?address=host:port) to TCP, to targets that are allowed.

  --allow host:port     may be dialled; repeatable. The host is a name, *.example.com, an IP address
                        (IPv6 in brackets) or *; the port a number or *
  --allow-regex regex   may be dialled: what the expression (RE2 syntax) matches as a whole host:port
  --allow-origin origin web pages of this origin may connect; repeatable: https://app.example.com,
                        https://*.example.com, null or *. Default: any; with --dev, pages on loopback
  --allow-private       names may lead to private and loopback addresses; without it only hosts
                        that a rule spells out may
  --dev                 for development: listens on loopback, and whatever is on loopback may be dialled
  --listen [host:]port  default 127.0.0.1:8080; a port alone listens on all interfaces (with --dev, on loopback)
  --max-connections n   at a time, default 1000
  --max-per-client n    of them, from one address; default all of them
  --max-message bytes   of one WebSocket message, default 16777216
  --idle-timeout time   ends a connection over which nothing was sent, default 1h; 0 never
  --dial-timeout time   to resolve and connect, default 10s
  --ping-interval time  asks silent clients whether they are there, default 30s; 0 never
  --drain-timeout time  that connections get to end when the proxy stops, default 10s
  --quiet               logs no connections
  --help                shows this

A time is 500ms, 30s, 5m or 1h. Flags may be written --flag=value.
Environment: LISTEN_PORT as --listen; ALLOW_ADDR_REGEX as --allow-regex, unless a flag allows something.
GET /healthz answers 200. SIGINT and SIGTERM drain; a second one stops at once.
`;

const DEFAULT_PORT = 8080;
const SWITCHES = ["--allow-private", "--dev", "--quiet", "--help"];
const VALUES = [
  "--allow",
  "--allow-origin",
  "--allow-regex",
  "--listen",
  "--max-connections",
  "--max-per-client",
  "--max-message",
  "--idle-timeout",
  "--dial-timeout",
  "--ping-interval",
  "--drain-timeout",
];
const REPEATABLE = ["--allow", "--allow-origin"];

/**
 * Reads the arguments after `proxy`.
 *
 * @throws {ConfigError} `PROXY_FLAG_INVALID`, with the flag and what is wrong with it
 *
 * @example
 * ```ts
 * const command = parseProxyCommand(["--allow", "db.example.com:5432", "--idle-timeout=10m"], {});
 * if (command.kind === "run") console.log(command.options.idleTimeoutMillis); // 600000
 * ```
 */
export function parseProxyCommand(args: readonly string[], environment: ProxyEnvironment): ProxyCommand {
  const flags = readFlags(args);
  if (flags.has("--help")) return { kind: "help" };
  const dev = flags.has("--dev");
  const allow = flags.get("--allow") ?? [];
  const saysWhatIsAllowed = allow.length > 0 || flags.has("--allow-regex");
  const time = (flag: string) => one(flags, flag, parseTime);
  const listen = one(flags, "--listen", parseListen) ??
    (environment.LISTEN_PORT ? parseListen(environment.LISTEN_PORT, "LISTEN_PORT") : undefined);
  return {
    kind: "run",
    quiet: flags.has("--quiet"),
    drainMillis: time("--drain-timeout"),
    options: {
      allow,
      // A leftover variable must not widen what the command line says.
      allowPattern: flags.get("--allow-regex")?.[0] ??
        (saysWhatIsAllowed ? undefined : environment.ALLOW_ADDR_REGEX || undefined),
      allowOrigins: flags.get("--allow-origin"),
      allowPrivate: flags.has("--allow-private"),
      dev,
      listen: {
        host: listen?.host ?? (listen === undefined || dev ? "127.0.0.1" : "0.0.0.0"),
        port: listen?.port ?? DEFAULT_PORT,
      },
      maxConnections: one(flags, "--max-connections", parseCount),
      maxConnectionsPerClient: one(flags, "--max-per-client", parseCount),
      maxMessageBytes: one(flags, "--max-message", parseCount),
      idleTimeoutMillis: time("--idle-timeout"),
      dialTimeoutMillis: time("--dial-timeout"),
      pingIntervalMillis: time("--ping-interval"),
    },
  };
}

function readFlags(args: readonly string[]): Map<string, string[]> {
  const flags = new Map<string, string[]>();
  const rest = [...args];
  for (let argument = rest.shift(); argument !== undefined; argument = rest.shift()) {
    const equals = argument.startsWith("--") ? argument.indexOf("=") : -1;
    const flag = equals === -1 ? argument : argument.slice(0, equals);
    const takesValue = VALUES.includes(flag);
    if (!takesValue && !SWITCHES.includes(flag)) throw invalid(flag, "there is no such flag; see --help");
    if (!takesValue && equals !== -1) throw invalid(flag, "it takes no value");
    if (flags.has(flag) && !REPEATABLE.includes(flag)) throw invalid(flag, "it is given twice");
    const value = !takesValue ? "" : equals === -1 ? rest.shift() : argument.slice(equals + 1);
    if (value === undefined || (takesValue && value === "")) throw invalid(flag, "its value is missing");
    if (takesValue && equals === -1 && value.startsWith("--")) {
      throw invalid(flag, `its value is missing before ${value}`);
    }
    flags.set(flag, [...flags.get(flag) ?? [], value]);
  }
  return flags;
}

function one<T>(
  flags: ReadonlyMap<string, string[]>,
  flag: string,
  parse: (text: string, flag: string) => T,
): T | undefined {
  const text = flags.get(flag)?.[0];
  return text === undefined ? undefined : parse(text, flag);
}

function parseListen(text: string, flag: string): { host: string | undefined; port: number } {
  const split = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]*)):)?([0-9]+)$/.exec(text);
  const port = split === null ? undefined : split[3] === "0" ? 0 : parsePort(split[3]);
  if (split === null || port === undefined) throw invalid(flag, `expected [host:]port, not ${JSON.stringify(text)}`);
  return { host: split[1] || split[2] || undefined, port };
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function parseTime(text: string, flag: string): number {
  const split = /^([0-9]{1,9})(ms|s|m|h)$/.exec(text);
  if (text === "0") return 0;
  if (split === null) throw invalid(flag, `expected a time such as 500ms, 30s, 5m or 1h, not ${JSON.stringify(text)}`);
  return Number(split[1]) * UNITS[split[2]];
}

function parseCount(text: string, flag: string): number {
  if (!/^[0-9]{1,10}$/.test(text)) throw invalid(flag, `expected a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

function invalid(flag: string, reason: string): ConfigError {
  return new ConfigError("PROXY_FLAG_INVALID", `${flag}: ${reason}`, { phase: "config" });
}
