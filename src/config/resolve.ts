/**
 * Everything that was said about a connection, from wherever it was said, as one frozen {@linkcode ConnectionOptions}.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { resolveChannelBinding, resolveRequireAuth } from "./authentication.ts";
import type { ClientConfig } from "./client_config.ts";
import { parseConnectionString } from "./connection_string.ts";
import { environment } from "./environment.ts";
import { config as globalConfig } from "./global.ts";
import { userIsNamed, userName } from "./host.ts";
import { pairHosts, resolveLoadBalance, resolveTarget, splitPorts } from "./hosts.ts";
import { warnOfUnknownOptions } from "./known_options.ts";
import type {
  ConnectionOptions,
  CryptoMode,
  OAuthTokenSource,
  PasswordSource,
  TlsEngineChoice,
  WsProxy,
} from "./options.ts";
import { assertNothingRefused } from "./refused.ts";
import { withHidden } from "./secrets.ts";
import {
  assertNoNul,
  chosen,
  connectionStringSource,
  describe,
  invalid,
  isSaid,
  objectSource,
  type Setting,
  Settings,
  type Source,
} from "./settings.ts";
import { resolveTls } from "./ssl.ts";
import { serviceSource } from "./service_file.ts";
import type { TlsEngine } from "../tls/engine.ts";

/**
 * Resolves a client's options. The connection string wins over the other options, they over the environment, that over
 * `defaults`; with node-postgres's difference that a string which leaves something out erases nothing.
 *
 * The password and the client's private key can be read from the result, but do not show when it is printed.
 *
 * @param input A connection string, or options which may contain one; undefined: the environment decides.
 * @param defaults What node-postgres calls `defaults`.
 * @throws {ConfigError} with a code beginning `CONFIG_`, for any value that cannot be used.
 *
 * @example
 * ```ts
 * const options = resolveOptions("postgres://app:secret@db.example.com/shop?sslmode=require");
 * console.log(options.host, options.port, options.tls.mode); // db.example.com 5432 require
 * ```
 */
export function resolveOptions(
  input: string | URL | ClientConfig | undefined,
  defaults: ClientConfig = {},
): ConnectionOptions {
  const settings = new Settings(sourcesOf(input, defaults));
  const address = resolveAddress(settings);
  const userSaid = settings.text("user");
  const user = userSaid ?? userName();
  if (user === undefined) {
    throw new ConfigError(
      "CONFIG_USER",
      "no user is named: give the option user, or PGUSER in the environment (which Deno reads with --allow-env)",
      CONFIG,
    );
  }
  const hosts = pairHosts(address.hosts, resolvePorts(settings));
  const wsProxy = resolveWsProxy(settings);
  const openDuplex = resolveFunction(settings, "openDuplex");
  const tlsUnlessSaid = wsProxy !== undefined || openDuplex !== undefined;
  const tls = resolveTls(settings, {
    tlsUnlessSaid,
    globalRoots: globalConfig.rootCerts,
    hostName: address.hostName,
  });
  assertNothingRefused(settings, {
    tls: tls.mode === undefined ? tlsUnlessSaid : tls.mode !== "disable",
    socketDirectory: hosts.some(({ host }) => isSocketDirectory(host)),
  });
  const shown = {
    host: hosts[0].host,
    port: hosts[0].port,
    hosts,
    targetSessionAttrs: resolveTarget(settings),
    loadBalanceHosts: resolveLoadBalance(settings),
    user,
    userAssumed: userSaid === undefined && !userIsNamed(),
    database: settings.text("database", "dbname") ?? user,
    passfile: Object.freeze({ path: settings.text("passfile"), hostName: address.hostName }),
    tls,
    tlsEngine: resolveTlsEngine(settings),
    crypto: resolveCrypto(settings),
    wsProxy,
    webSocket: resolveFunction(settings, "webSocket"),
    openDuplex,
    keepAlive: settings.flag("keepAlive", "keepalives") ?? true,
    keepAliveInitialDelayMillis: settings.millis("keepAliveInitialDelayMillis") ??
      settings.seconds("keepalives_idle") ??
      0,
    connectionTimeoutMillis: resolveConnectionTimeout(settings),
    queryTimeoutMillis: settings.millis("query_timeout") ?? 0,
    idleTimeoutMillis: settings.millis("idleTimeoutMillis") ?? 0,
    startupParameters: resolveStartupParameters(settings),
    ...resolveProtocolVersions(settings),
    requireAuth: resolveRequireAuth(settings),
    channelBinding: resolveChannelBinding(settings),
    scramMaxIterations: settings.count("scramMaxIterations"),
    allowCleartextPassword: settings.flag("allowCleartextPassword") ?? false,
    speakFirst: settings.flag("speakFirst") ?? true,
    binary: settings.flag("binary") ?? false,
    statementCache: settings.countOrNone("statementCache") ?? 0,
  };
  return Object.freeze(withHidden(shown, {
    password: resolveSecret(settings, "password") as PasswordSource | undefined,
    oauthBearerToken: resolveSecret(settings, "oauthBearerToken") as OAuthTokenSource | undefined,
  }));
}

const CONFIG = { phase: "config" } as const;

const DEFAULT_CONNECTION_TIMEOUT_MILLIS = 60_000; // a database that sleeps wakes within that; a wait has an end

/** The strongest first. */
function sourcesOf(input: string | URL | ClientConfig | undefined, defaults: ClientConfig): Source[] {
  const sources = programSources(input);
  const service = serviceSource(sources);
  if (service !== undefined) {
    warnOfUnknownOptions(service.names ?? []);
    sources.push(service);
  }
  return [...sources, environment, objectSource("defaults", defaults)];
}

/** What the program itself says. */
function programSources(input: string | URL | ClientConfig | undefined): Source[] {
  if (input === undefined || input === null) return [];
  if (typeof input === "string" || input instanceof URL) return [stringSource(String(input))];
  if (typeof input !== "object") throw notOptions("the options must be a connection string or an object");
  const { connectionString } = input;
  warnOfUnknownOptions(Object.keys(input).filter((name) => isSaid((input as Record<string, unknown>)[name])));
  const options = objectSource("options", input);
  if (!isSaid(connectionString)) return [options];
  if (typeof connectionString !== "string" && !(connectionString instanceof URL)) {
    throw notOptions("the option connectionString must be a string or a URL");
  }
  return [stringSource(String(connectionString)), options];
}

function stringSource(text: string): Source {
  const fields = parseConnectionString(text);
  warnOfUnknownOptions(fields.keys());
  return connectionStringSource(fields);
}

function notOptions(message: string): ConfigError {
  return new ConfigError("CONFIG_VALUE", message, CONFIG);
}

interface Address {
  readonly hosts: readonly string[];
  /** The name to verify where `host` is an address that was given beside it. */
  readonly hostName: string | undefined;
}

/** libpq: `hostaddr` is where to connect, `host` then is the name to verify. */
function resolveAddress(settings: Settings): Address {
  const named = settings.find("host");
  const addressed = settings.find("hostaddr");
  const hosts = checkedHosts(settings, "host") ?? ["localhost"];
  const [hostaddr, ...others] = checkedHosts(settings, "hostaddr") ?? [];
  // PGHOSTADDR belongs to PGHOST: it must not divert a client that was told a host.
  const { sources } = settings;
  const diverts = addressed && (!named || sources.indexOf(addressed.source) <= sources.indexOf(named.source));
  if (!diverts || hostaddr === undefined) return { hosts, hostName: undefined };
  if (hosts.length > 1 || others.length > 0) {
    throw new ConfigError("CONFIG_HOSTS", "hostaddr stands for one host: name several hosts without it", CONFIG);
  }
  const [host] = hosts;
  if (!/^[\d.]+$|:/.test(hostaddr)) throw invalid(addressed, "an IP address", "CONFIG_HOST");
  return { hosts: [hostaddr], hostName: named && !isSocketDirectory(host) ? host : undefined };
}

function checkedHosts(settings: Settings, option: "host" | "hostaddr"): string[] | undefined {
  const hosts = settings.text(option);
  const setting = settings.find(option);
  if (hosts === undefined || setting === undefined) return undefined;
  // An empty one in a list is the default.
  return hosts.split(",").map((host) => checkedHost(host.trim() || "localhost", setting));
}

function checkedHost(host: string, setting: Setting): string {
  if (isSocketDirectory(host)) return host;
  if (/[\s/\\?#@]/.test(host)) {
    // Not quoted: a URL given as the host may contain a password.
    const message = `${
      describe(setting)
    } is neither a host name, nor an IP address, nor a directory that begins with /`;
    throw new ConfigError("CONFIG_HOST", message, CONFIG);
  }
  return host.replace(/^\[(.*)\]$/, "$1");
}

function isSocketDirectory(host: string): boolean {
  return host.startsWith("/") || host.startsWith("@");
}

function resolvePorts(settings: Settings): number[] {
  const setting = settings.find("port");
  return setting === undefined ? [] : splitPorts(setting.value).map((port) => checkedPort(port, setting));
}

function checkedPort(value: unknown, setting: Setting): number {
  const port = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65535) {
    throw invalid(setting, "a number from 1 to 65535", "CONFIG_PORT");
  }
  return port;
}

/** A string, or a function that will be asked for one. */
function resolveSecret(settings: Settings, option: "password" | "oauthBearerToken"): unknown {
  const setting = settings.find(option);
  if (setting === undefined) return undefined;
  const { value } = setting;
  if (typeof value === "function") return value;
  if (typeof value !== "string") {
    throw new ConfigError("CONFIG_VALUE", `${describe(setting)} must be a string or a function that gives one`, CONFIG);
  }
  assertNoNul(value, setting);
  return value;
}

function resolveWsProxy(settings: Settings): WsProxy | undefined {
  const setting = settings.find("wsProxy");
  if (setting?.value === false) return undefined;
  const proxy: unknown = setting?.value ?? globalConfig.wsProxy;
  if (!isSaid(proxy)) return undefined;
  if (typeof proxy === "string" || typeof proxy === "function") return proxy as WsProxy;
  throw new ConfigError("CONFIG_VALUE", "wsProxy must be a URL, or a function of host and port that gives one", CONFIG);
}

function resolveTlsEngine(settings: Settings): TlsEngineChoice {
  const setting = settings.find("tlsEngine") ?? globalSetting("tlsEngine");
  if (setting === undefined) return "auto";
  const { value } = setting;
  const isEngine = typeof value === "object" && value !== null && "connect" in value &&
    typeof value.connect === "function";
  if (isEngine) return value as TlsEngine;
  if (value === "auto" || value === "platform" || value === "wolfssl") return value;
  throw invalid(setting, "auto, platform, wolfssl, or a TlsEngine");
}

function resolveCrypto(settings: Settings): CryptoMode {
  const setting = settings.find("crypto") ?? globalSetting("crypto");
  return setting === undefined ? "auto" : chosen(setting, ["auto", "wasm", "subtle"] as const);
}

function globalSetting(option: "tlsEngine" | "crypto"): Setting | undefined {
  const value = globalConfig[option];
  return isSaid(value) ? { value, option, source: GLOBAL } : undefined;
}

/** Where settings for all clients are said. */
const GLOBAL: Source = {
  kind: "options",
  describe: (option) => `the global config.${option}`,
  get: () => undefined,
};

function resolveFunction<Name extends "openDuplex" | "webSocket">(
  settings: Settings,
  name: Name,
): ConnectionOptions[Name] {
  const setting = settings.find(name);
  if (setting === undefined) return undefined;
  if (typeof setting.value !== "function") throw invalid(setting, "a function");
  return setting.value as ConnectionOptions[Name];
}

function resolveConnectionTimeout(settings: Settings): number {
  const setting = settings.find("connectionTimeoutMillis", "connect_timeout");
  const timeout = setting?.option === "connect_timeout"
    ? settings.seconds("connect_timeout")
    : settings.millis("connectionTimeoutMillis");
  return timeout ?? DEFAULT_CONNECTION_TIMEOUT_MILLIS;
}

/** The run-time parameters that node-postgres sends, under the same conditions; and those that libpq has variables for. */
function resolveStartupParameters(settings: Settings): Readonly<Record<string, string>> {
  const parameters: Record<string, string> = { client_encoding: "UTF8" };
  const replication = settings.find("replication");
  const said: Record<string, string | undefined> = {
    application_name: settings.text("application_name") ?? settings.text("fallback_application_name"),
    replication: typeof replication?.value === "boolean" ? String(replication.value) : settings.text("replication"),
    options: settings.text("options"),
    ...environmentParameters(),
  };
  for (const name of ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]) {
    said[name] = String(settings.millis(name) || "");
  }
  for (const [name, value] of Object.entries(said)) {
    if (value) parameters[name] = value;
  }
  return Object.freeze(parameters);
}

/** PGTZ, PGDATESTYLE and PGGEQO. Dates are read in ISO: of a date style only the order of day and month is asked for. */
function environmentParameters(): Readonly<Record<string, string | undefined>> {
  const said = new Settings([environment]);
  const style = said.text("datestyle");
  const order = /\b(?:ymd|dmy|mdy)\b/i.exec(style ?? "")?.[0] ??
    (/\b(?:euro|german)/i.test(style ?? "") ? "DMY" : /\b(?:us\b|noneuro)/i.test(style ?? "") ? "MDY" : undefined);
  return {
    timezone: said.text("timezone"),
    datestyle: style && (order === undefined ? "ISO" : `ISO, ${order.toUpperCase()}`),
    geqo: said.text("geqo"),
  };
}

function resolveProtocolVersions(
  settings: Settings,
): Pick<ConnectionOptions, "maxProtocolVersion" | "minProtocolVersion"> {
  const choices = ["3.0", "3.2", "latest"] as const;
  const max = settings.oneOf(choices, "maxProtocolVersion", "max_protocol_version");
  const minProtocolVersion = settings.oneOf(["3.0", "3.2"] as const, "minProtocolVersion", "min_protocol_version") ??
    "3.0";
  const maxProtocolVersion = max === "latest" ? "3.2" : max ?? minProtocolVersion;
  if (minProtocolVersion > maxProtocolVersion) {
    throw new ConfigError("CONFIG_VALUE", "minProtocolVersion is above maxProtocolVersion", CONFIG);
  }
  return { maxProtocolVersion, minProtocolVersion };
}
