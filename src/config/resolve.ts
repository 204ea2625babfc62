/**
 * Everything that was said about a connection, from wherever it was said, as one frozen {@linkcode ConnectionOptions}.
 *
 * @module
 */

import { resolveChannelBinding, resolveRequireAuth } from "./authentication.ts";
import type { ClientConfig } from "./client_config.ts";
import { parseConnectionString } from "./connection_string.ts";
import { environment, environmentParameters } from "./environment.ts";
import { failure } from "./failure.ts";
import { globalSource } from "./global.ts";
import { userIsNamed, userName } from "./host.ts";
import { pairHosts, resolveLoadBalance, resolveTarget, splitPorts } from "./hosts.ts";
import { warnOfUnknownOptions } from "./known_options.ts";
import type { ConnectionOptions, OAuthTokenSource, PasswordSource, TlsEngineChoice, WsProxy } from "./options.ts";
import { assertNothingRefused } from "./refused.ts";
import { withHidden } from "./secrets.ts";
import {
  connectionStringSource,
  invalid,
  isSaid,
  objectSource,
  type Setting,
  Settings,
  type Source,
  withoutNul,
  wrong,
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
  const sources = programSources(input);
  const service = serviceSource(sources);
  if (service !== undefined) sources.push(service);
  const settings = new Settings([...sources, environment, objectSource("defaults", defaults), globalSource]);
  try {
    return resolve(settings);
  } finally {
    warnOfUnknownOptions(sources.flatMap(({ names = [] }) => names), settings.asked);
  }
}

function resolve(settings: Settings): ConnectionOptions {
  const address = resolveAddress(settings);
  const userSaid = settings.text("user");
  const user = userSaid ?? userName();
  if (user === undefined) {
    const advice = "give the option user, or PGUSER in the environment (which Deno reads with --allow-env)";
    throw failure("CONFIG_USER", `no user is named: ${advice}`);
  }
  const hosts = pairHosts(address.hosts, resolvePorts(settings));
  const wsProxy = resolveWsProxy(settings);
  const openDuplex = resolveFunction(settings, "openDuplex");
  const tlsUnlessSaid = wsProxy !== undefined || openDuplex !== undefined;
  const tls = resolveTls(settings, { tlsUnlessSaid, hostName: address.hostName });
  assertNothingRefused(settings, {
    tls: tls.mode === undefined ? tlsUnlessSaid : tls.mode !== "disable",
    socketDirectory: hosts.some(({ host }) => isSocketDirectory(host)),
  });
  const shown = {
    ...hosts[0],
    hosts,
    targetSessionAttrs: resolveTarget(settings),
    loadBalanceHosts: resolveLoadBalance(settings),
    user,
    userAssumed: userSaid === undefined && !userIsNamed(),
    database: settings.text("database", "dbname") ?? user,
    passfile: Object.freeze({ path: settings.text("passfile"), hostName: address.hostName }),
    tls,
    tlsEngine: resolveTlsEngine(settings),
    crypto: settings.oneOf(["auto", "wasm", "subtle"] as const, "crypto") ?? "auto",
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
    scramMaxIterations: settings.count(1, "scramMaxIterations"),
    allowCleartextPassword: settings.flag("allowCleartextPassword") ?? false,
    speakFirst: settings.flag("speakFirst") ?? true,
    binary: settings.flag("binary") ?? false,
    statementCache: settings.count(0, "statementCache") ?? 0,
  };
  return Object.freeze(withHidden(shown, {
    password: resolveSecret(settings, "password") as PasswordSource | undefined,
    oauthBearerToken: resolveSecret(settings, "oauthBearerToken") as OAuthTokenSource | undefined,
  }));
}

const DEFAULT_CONNECTION_TIMEOUT_MILLIS = 60_000; // a database that sleeps wakes within that; a wait has an end

/** What the program itself says, the strongest first. */
function programSources(input: string | URL | ClientConfig | undefined): Source[] {
  if (input === undefined || input === null) return [];
  if (isText(input)) return [stringSource(input)];
  if (typeof input !== "object") throw failure("CONFIG_VALUE", "the options must be a connection string or an object");
  const { connectionString } = input;
  const options = objectSource("options", input);
  if (!isSaid(connectionString)) return [options];
  if (isText(connectionString)) return [stringSource(connectionString), options];
  throw wrong({ option: "connectionString", value: connectionString, source: options }, "must be a string or a URL");
}

function isText(input: unknown): input is string | URL {
  return typeof input === "string" || input instanceof URL;
}

function stringSource(text: string | URL): Source {
  return connectionStringSource(parseConnectionString(String(text)));
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
    throw failure("CONFIG_HOSTS", "hostaddr stands for one host: name several hosts without it");
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
  // Not quoted: a URL given as the host may contain a password.
  if (/[\s/\\?#@]/.test(host)) {
    throw wrong(
      setting,
      "is neither a host name, nor an IP address, nor a directory that begins with /",
      "CONFIG_HOST",
    );
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
  if (typeof value === "string") return withoutNul(value, setting);
  throw wrong(setting, "must be a string or a function that gives one");
}

function resolveWsProxy(settings: Settings): WsProxy | undefined {
  const setting = settings.find("wsProxy");
  if (setting === undefined || setting.value === false) return undefined;
  if (typeof setting.value === "string" || typeof setting.value === "function") return setting.value as WsProxy;
  throw wrong(setting, "must be a URL, or a function of host and port that gives one");
}

function resolveTlsEngine(settings: Settings): TlsEngineChoice {
  const setting = settings.find("tlsEngine");
  if (setting === undefined) return "auto";
  const { value } = setting;
  const isEngine = typeof value === "object" && value !== null && "connect" in value &&
    typeof value.connect === "function";
  if (isEngine) return value as TlsEngine;
  if (value === "auto" || value === "platform" || value === "wolfssl") return value;
  throw invalid(setting, "auto, platform, wolfssl, or a TlsEngine");
}

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

function resolveProtocolVersions(
  settings: Settings,
): Pick<ConnectionOptions, "maxProtocolVersion" | "minProtocolVersion"> {
  const max = settings.oneOf(["3.0", "3.2", "latest"] as const, "maxProtocolVersion", "max_protocol_version");
  const minProtocolVersion = settings.oneOf(["3.0", "3.2"] as const, "minProtocolVersion", "min_protocol_version") ??
    "3.0";
  const maxProtocolVersion = max === "latest" ? "3.2" : max ?? minProtocolVersion;
  if (minProtocolVersion > maxProtocolVersion) {
    throw failure("CONFIG_VALUE", "minProtocolVersion is above maxProtocolVersion");
  }
  return { maxProtocolVersion, minProtocolVersion };
}
