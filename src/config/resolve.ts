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
import { isSocketDirectory, resolveAddresses } from "./hosts.ts";
import { warnOfUnknownOptions } from "./known_options.ts";
import type { ConnectionOptions, OAuthTokenSource, PasswordSource, TlsEngineChoice, WsProxy } from "./options.ts";
import { callable, count, countOrNone, flag, millis, oneOf, seconds, text, textOrFunction } from "./readers.ts";
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
  const { hosts, hostName } = resolveAddresses(settings);
  const userSaid = settings.read(text, "user");
  const user = userSaid ?? userName();
  if (user === undefined) {
    const advice = "give the option user, or PGUSER in the environment (which Deno reads with --allow-env)";
    throw failure("CONFIG_USER", `no user is named: ${advice}`);
  }
  const wsProxy = settings.read(proxyOrNone, "wsProxy");
  const openDuplex = settings.read(callable, "openDuplex") as ConnectionOptions["openDuplex"];
  const tlsUnlessSaid = wsProxy !== undefined || openDuplex !== undefined;
  const tls = resolveTls(settings, { tlsUnlessSaid, hostName });
  assertNothingRefused(settings, {
    tls: tls.mode === undefined ? tlsUnlessSaid : tls.mode !== "disable",
    socketDirectory: hosts.some(({ host }) => isSocketDirectory(host)),
  });
  const shown = {
    ...hosts[0],
    hosts,
    targetSessionAttrs: settings.read(oneOf(TARGETS), "target_session_attrs") ?? "any",
    loadBalanceHosts: settings.read(oneOf(["disable", "random"]), "load_balance_hosts") === "random",
    user,
    userAssumed: userSaid === undefined && !userIsNamed(),
    database: settings.read(text, "database", "dbname") ?? user,
    passfile: Object.freeze({ path: settings.read(text, "passfile"), hostName }),
    tls,
    tlsEngine: settings.read(engineChoice, "tlsEngine") ?? "auto",
    crypto: settings.read(oneOf(["auto", "wasm", "subtle"]), "crypto") ?? "auto",
    wsProxy,
    webSocket: settings.read(callable, "webSocket") as ConnectionOptions["webSocket"],
    openDuplex,
    keepAlive: settings.read(flag, "keepAlive", "keepalives") ?? true,
    keepAliveInitialDelayMillis: settings.read(millis, "keepAliveInitialDelayMillis") ??
      settings.read(seconds, "keepalives_idle") ??
      0,
    connectionTimeoutMillis: settings.read(connectionTimeout, "connectionTimeoutMillis", "connect_timeout") ??
      DEFAULT_CONNECTION_TIMEOUT_MILLIS,
    queryTimeoutMillis: settings.read(millis, "query_timeout") ?? 0,
    idleTimeoutMillis: settings.read(millis, "idleTimeoutMillis") ?? 0,
    startupParameters: resolveStartupParameters(settings),
    ...resolveProtocolVersions(settings),
    requireAuth: resolveRequireAuth(settings),
    channelBinding: resolveChannelBinding(settings),
    scramMaxIterations: settings.read(count, "scramMaxIterations"),
    allowCleartextPassword: settings.read(flag, "allowCleartextPassword") ?? false,
    speakFirst: settings.read(flag, "speakFirst") ?? true,
    binary: settings.read(flag, "binary") ?? false,
    statementCache: settings.read(countOrNone, "statementCache") ?? 0,
  };
  return Object.freeze(withHidden(shown, {
    password: settings.read(textOrFunction, "password") as PasswordSource | undefined,
    oauthBearerToken: settings.read(textOrFunction, "oauthBearerToken") as OAuthTokenSource | undefined,
  }));
}

const TARGETS = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"] as const;

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

function proxyOrNone(setting: Setting): WsProxy | undefined {
  const { value } = setting;
  if (value === false) return undefined;
  if (typeof value === "string" || typeof value === "function") return value as WsProxy;
  throw wrong(setting, "must be a URL, or a function of host and port that gives one");
}

function engineChoice(setting: Setting): TlsEngineChoice {
  const { value } = setting;
  const isEngine = typeof value === "object" && value !== null && "connect" in value &&
    typeof value.connect === "function";
  if (isEngine) return value as TlsEngine;
  if (value === "auto" || value === "platform" || value === "wolfssl") return value;
  throw invalid(setting, "auto, platform, wolfssl, or a TlsEngine");
}

function connectionTimeout(setting: Setting): number {
  return setting.option === "connect_timeout" ? seconds(setting) : millis(setting);
}

/** The run-time parameters that node-postgres sends, under the same conditions; and those that libpq has variables for. */
function resolveStartupParameters(settings: Settings): Readonly<Record<string, string>> {
  const said: Record<string, string | undefined> = {
    client_encoding: "UTF8",
    application_name: settings.read(text, "application_name") ?? settings.read(text, "fallback_application_name"),
    replication: settings.read(
      (setting) => typeof setting.value === "boolean" ? String(setting.value) : text(setting),
      "replication",
    ),
    options: settings.read(text, "options"),
    ...environmentParameters(),
  };
  for (const name of ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]) {
    said[name] = String(settings.read(millis, name) || "");
  }
  const parameters = Object.entries(said).filter((entry): entry is [string, string] => Boolean(entry[1]));
  return Object.freeze(Object.fromEntries(parameters));
}

function resolveProtocolVersions(
  settings: Settings,
): Pick<ConnectionOptions, "maxProtocolVersion" | "minProtocolVersion"> {
  const max = settings.read(oneOf(["3.0", "3.2", "latest"]), "maxProtocolVersion", "max_protocol_version");
  const minProtocolVersion = settings.read(oneOf(["3.0", "3.2"]), "minProtocolVersion", "min_protocol_version") ??
    "3.0";
  const maxProtocolVersion = max === "latest" ? "3.2" : max ?? minProtocolVersion;
  if (minProtocolVersion > maxProtocolVersion) {
    throw failure("CONFIG_VALUE", "minProtocolVersion is above maxProtocolVersion");
  }
  return { maxProtocolVersion, minProtocolVersion };
}
