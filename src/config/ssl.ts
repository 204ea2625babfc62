/**
 * What was said about TLS, in all the ways in which it can be said, as one {@linkcode TlsRequest}. What it means is
 * decided in `tls/sslmode.ts`.
 *
 * @module
 */

import { encodeBase64 } from "../base64.ts";
import { libpqRootFile, readNamedFile } from "./certificate_files.ts";
import { failure } from "./failure.ts";
import type { SslMode, TlsRequest } from "./options.ts";
import { withHidden } from "./secrets.ts";
import { flag, oneOf, text } from "./readers.ts";
import { isSaid, type Setting, type Settings, type Source, wrong } from "./settings.ts";

/** What the request depends on besides the settings. */
export interface TlsContext {
  /** Whether a connection of which nothing is said about TLS may use it: not so on a direct socket. */
  readonly tlsUnlessSaid: boolean;
  /** The host's name, where the connection goes to an address instead (`hostaddr`). */
  readonly hostName: string | undefined;
}

/**
 * Collects what the settings say about TLS and reads the files they name; none where TLS is not going to be used.
 *
 * @throws {ConfigError} `CONFIG_SSLMODE`, `CONFIG_FILE`, `CONFIG_PEM`, `CONFIG_VALUE`
 */
export function resolveTls(settings: Settings, context: TlsContext): TlsRequest {
  const libpqCompat = settings.read(flag, "uselibpqcompat") ?? false;
  const mode = resolveMode(settings.sources, libpqCompat);
  const negotiation = settings.read(oneOf(["postgres", "direct"]), "sslnegotiation") ?? "postgres";
  const inUse = mode === undefined ? context.tlsUnlessSaid : mode !== "disable";
  const identity = inUse ? clientIdentity(settings) : {};
  const request = {
    mode,
    libpqCompat,
    ...(inUse ? roots(settings, libpqCompat ? mode : undefined) : UNSAID_ROOTS),
    serverName: settings.read(text, "ssl.servername") ?? context.hostName,
    ...versions(settings),
    negotiation,
  };
  const { clientCertificate, nodeOptions } = identity;
  return Object.freeze(withHidden(request, { clientCertificate, nodeOptions }));
}

const SSL_MODES: readonly SslMode[] = [
  "disable",
  "allow",
  "prefer",
  "require",
  "verify-ca",
  "verify-full",
  "no-verify",
];

function resolveMode(sources: readonly Source[], libpqCompat: boolean): SslMode | undefined {
  for (const source of sources) {
    const mode = modeSaidBy(source, libpqCompat);
    if (mode !== undefined) return mode;
  }
}

/** As node-postgres: `sslmode` wins over `ssl`, and naming a certificate or direct TLS asks for TLS. */
function modeSaidBy(source: Source, libpqCompat: boolean): SslMode | undefined {
  const sslmode: Setting = { value: source.get("sslmode"), option: "sslmode", source };
  if (isSaid(sslmode.value)) {
    const mode = oneOf(SSL_MODES, "CONFIG_SSLMODE")(sslmode);
    // node-postgres does not know PGSSLMODE=allow, which then says nothing.
    return mode === "allow" && source.kind === "environment" && !libpqCompat ? undefined : mode;
  }
  const ssl: Setting = { value: source.get("ssl"), option: "ssl", source };
  if (isSaid(ssl.value)) {
    const mode = modeOfSsl(ssl);
    // node-postgres's defaults hold `ssl: false`, which nobody said.
    return source.kind === "defaults" && mode === "disable" ? undefined : mode;
  }
  // What is said for every client does not turn TLS on.
  if (source.kind === "environment" || source.kind === "global") return undefined;
  if (["sslrootcert", "sslcert", "sslkey", "rootCerts"].some((option) => isSaid(source.get(option)))) {
    return "verify-full";
  }
  const { kind } = source;
  return (kind === "connection string" || kind === "service file") && source.get("sslnegotiation") === "direct"
    ? "verify-full"
    : undefined;
}

function modeOfSsl(setting: Setting): SslMode {
  const { value } = setting;
  const mode = SSL_MODES.find((mode) => mode === value);
  if (mode !== undefined) return mode;
  if (typeof value === "object") {
    return (value as { rejectUnauthorized?: unknown }).rejectUnauthorized === false ? "no-verify" : "verify-full";
  }
  return flag(setting, "true, false, an sslmode or an object") ? "verify-full" : "disable";
}

const VERSIONS = ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"] as const;

function versions(settings: Settings): Pick<TlsRequest, "minVersion" | "maxVersion"> {
  const minVersion = settings.read(oneOf(VERSIONS), "ssl_min_protocol_version", "ssl.minVersion");
  const maxVersion = settings.read(oneOf(VERSIONS), "ssl_max_protocol_version", "ssl.maxVersion");
  if (minVersion !== undefined && maxVersion !== undefined && minVersion > maxVersion) {
    const problem = `the oldest version of TLS to speak, ${minVersion}, is newer than the newest, ${maxVersion}`;
    throw failure("CONFIG_VALUE", problem);
  }
  return { minVersion, maxVersion };
}

type Roots = Pick<TlsRequest, "rootCerts" | "systemRoots">;

const UNSAID_ROOTS: Roots = { rootCerts: undefined, systemRoots: false };

const these = (rootCerts: readonly string[]): Roots => ({ rootCerts, systemRoots: false });

/** `libpqMode` is the mode where libpq's meanings hold, and with them libpq's default file of roots. */
function roots(settings: Settings, libpqMode: SslMode | undefined): Roots {
  const setting = settings.find("sslrootcert", "ssl.ca", "rootCerts");
  if (setting?.option === "sslrootcert") {
    if (setting.value !== "system") return these(Object.freeze([pemOrFile(setting)]));
    if (libpqMode !== undefined && libpqMode !== "verify-full") {
      const advice = `sslmode=${libpqMode} is too weak for sslrootcert=system; use verify-full`;
      throw failure("CONFIG_SSLMODE", advice);
    }
    return { rootCerts: undefined, systemRoots: true };
  }
  if (setting !== undefined) return these(pemList(setting));
  const verifies = libpqMode !== undefined && libpqMode !== "no-verify";
  const file = verifies ? libpqRootFile() : undefined;
  return file === undefined ? UNSAID_ROOTS : these(Object.freeze([file]));
}

type Identity = Partial<Pick<TlsRequest, "clientCertificate" | "nodeOptions">>;

/** The client's certificate, and what is left of the `ssl` object for Node. */
function clientIdentity(settings: Settings): Identity {
  const cert = settings.find("sslcert", "ssl.cert");
  const key = settings.find("sslkey", "ssl.key");
  const passphrase = settings.read(text, "sslpassword", "ssl.passphrase");
  const rest = nodeOptions(settings);
  if (cert === undefined || key === undefined) {
    if (cert !== undefined) throw wrong(cert, "is given without its key (sslkey)");
    if (key !== undefined) throw wrong(key, "is given without the certificate (sslcert)");
    return { nodeOptions: nonEmpty({ ...rest, passphrase }) };
  }
  if (isList(cert.value) || isList(key.value)) { // Several certificates, or keys with a passphrase each: only Node can.
    return { nodeOptions: nonEmpty({ ...rest, cert: cert.value, key: key.value, passphrase }) };
  }
  const clientCertificate = Object.freeze({ cert: pemOrFile(cert), key: pemOrFile(key), passphrase });
  return { clientCertificate, nodeOptions: nonEmpty(rest) };
}

/** What an `ssl` object may hold that means the same everywhere. */
const PORTABLE = new Set([
  ...["rejectUnauthorized", "ca", "cert", "key", "passphrase", "servername", "minVersion", "maxVersion"],
  "require", // Sequelize's; node-postgres does not look at it either, and requires TLS for any object
]);

function nodeOptions(settings: Settings): Record<string, unknown> {
  const ssl = settings.sources.map((source) => source.get("ssl")).find((value) => typeof value === "object" && value);
  return Object.fromEntries(Object.entries(ssl ?? {}).filter(([name, value]) => !PORTABLE.has(name) && isSaid(value)));
}

function nonEmpty(options: Record<string, unknown>): TlsRequest["nodeOptions"] {
  const said = Object.entries(options).filter(([, value]) => value !== undefined);
  return said.length === 0 ? undefined : Object.freeze(Object.fromEntries(said));
}

function isList(value: unknown): boolean {
  return Array.isArray(value) &&
    (value.length > 1 || !(typeof value[0] === "string" || value[0] instanceof Uint8Array));
}

/** PEM text, its bytes, or for libpq's `sslcert`, `sslkey` and `sslrootcert` the path of a file with it. */
function pemOrFile(setting: Setting): string {
  const { value, option } = setting;
  if (typeof value !== "string" || value.includes(PEM_BEGIN) || option.startsWith("ssl.")) return pem(setting);
  return pem({ ...setting, value: readNamedFile(value, setting) });
}

function pemList(setting: Setting): readonly string[] {
  const values: readonly unknown[] = Array.isArray(setting.value) ? setting.value : [setting.value];
  return Object.freeze(
    values.filter(isSaid).map((value) => isDer(value) ? pemOfDer(value) : pem({ ...setting, value })),
  );
}

const DER_SEQUENCE = 0x30; // "0" as text, with which no PEM begins

function isDer(value: unknown): value is Uint8Array {
  return value instanceof Uint8Array && value[0] === DER_SEQUENCE;
}

/** A certificate in RFC 7468's form. */
function pemOfDer(der: Uint8Array): string {
  const lines = encodeBase64(der).match(/.{1,64}/g) ?? [];
  return [`${PEM_BEGIN}CERTIFICATE-----`, ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

const PEM_BEGIN = "-----BEGIN ";

function pem(setting: Setting): string {
  const value = Array.isArray(setting.value) ? setting.value[0] : setting.value;
  const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value;
  if (typeof text === "string" && text.includes(PEM_BEGIN)) return text;
  throw wrong(setting, `is not PEM (text with "${PEM_BEGIN}...")`, "CONFIG_PEM");
}
