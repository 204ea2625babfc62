/**
 * What can be said to this engine, and what it makes of the options of one connection.
 *
 * @module
 */

import type { TlsError } from "../src/errors.ts";
import type { ClientCertificate, TlsOptions } from "../src/tls/engine.ts";
import type { CryptoMode } from "./crypto_choice.ts";
import { optionInvalid, optionUnsupported } from "./failures.ts";
import { givenRoots } from "./given_roots.ts";
import { isrgRoots, mozillaRoots } from "./public_roots.ts";
import type { SessionSettings } from "./session.ts";
import { CIPHER_SUITES, type CipherSuite, type Group, GROUPS, TLS_1_2, TLS_1_3 } from "./suites.ts";
import type { Certificate } from "./x509/certificate.ts";
import { parseIpAddress } from "./x509/host_name.ts";
import type { Policy } from "./x509/verify.ts";

/** How the engine is set up. Everything has a default. */
export interface WolfSslOptions {
  /**
   * Who computes: `wasm` the core alone, `subtle` the runtime's SubtleCrypto wherever it can, `auto` (the default) each
   * what it is better at on this runtime.
   */
  readonly crypto?: CryptoMode;
  /** The oldest version to speak; a connection may ask for a newer one. Default: `TLSv1.2`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
  /** The newest version to speak; a connection may ask for an older one. Default: `TLSv1.3`. */
  readonly maxVersion?: "TLSv1.2" | "TLSv1.3";
  /** What to offer, the preferred first. Default: all, AES-256 first. */
  readonly cipherSuites?: readonly CipherSuite[];
  /** Groups for the key agreement, the preferred first, to which the first message has the key. Default: {@linkcode DEFAULT_GROUPS}. */
  readonly groups?: readonly Group[];
  /** The roots where a connection names none, as PEM. Default: those of Let's Encrypt. */
  readonly roots?: readonly string[];
  /** Whether to resume earlier sessions where the server offers it. Default: true. */
  readonly resumption?: boolean;
  /**
   * The core. Default: the embedded one. Compiled, for runtimes that compile no WebAssembly at run time; or the URL of
   * `core.wasm`, which the package exports, for programs that would rather fetch it than carry it: fetched once, when it
   * is first needed.
   */
  readonly module?: WebAssembly.Module | URL | undefined;
}

/** X25519 is the fastest, and every server has P-256. The hybrid with ML-KEM is there for those who ask. */
export const DEFAULT_GROUPS: readonly Group[] = ["X25519", "P-256", "P-384"];

const VERSIONS = { "TLSv1.2": TLS_1_2, "TLSv1.3": TLS_1_3 } as const;

/** Roots and how strictly a chain to them is judged. */
export interface Trust {
  readonly roots: readonly Certificate[];
  readonly rootsAreVetted: boolean;
  readonly policy: Policy;
  /** Stands for all of it in what is remembered of a session. */
  readonly name: string;
}

/**
 * The roots to trust for a connection.
 *
 * @throws {TlsError} `TLS_OPTION_INVALID` where a root cannot be read, `TLS_ROOTS_UNAVAILABLE`
 */
export async function trustOf({ roots, publicRoots }: TlsOptions, engine: WolfSslOptions): Promise<Trust> {
  if (roots === undefined && publicRoots) {
    return { roots: await mozillaRoots(), rootsAreVetted: true, policy: "web", name: "public" };
  }
  const given = roots ?? engine.roots;
  const policy = given === undefined ? "web" : "private";
  const { certificates, name } = givenRoots(given ?? await isrgRoots());
  return { roots: certificates, rootsAreVetted: false, policy, name: `${policy} ${name}` };
}

/**
 * What to negotiate for a connection.
 *
 * @throws {TlsError} `TLS_OPTION_UNSUPPORTED`, `TLS_OPTION_INVALID`
 */
export async function settingsOf(options: TlsOptions, engine: WolfSslOptions): Promise<SessionSettings> {
  const { serverName, alpn = [], clientCertificate, nodeOptions } = options;
  const names = Object.keys(nodeOptions ?? {});
  if (names.length > 0) throw await refusal(names);
  const wrong = alpn.find((name) => !/^[\x21-\x2b\x2d-\x7e]{1,255}$/.test(name));
  if (wrong !== undefined) throw optionInvalid("alpn", `${JSON.stringify(wrong)} is no protocol name`);
  const isAddress = parseIpAddress(serverName) !== undefined;
  if (!isAddress && !/^[\x21-\x7e]{1,253}$/.test(serverName)) {
    throw optionInvalid("serverName", `${JSON.stringify(serverName)} is no host name (international ones as A-labels)`);
  }
  return {
    ...protocolsOf(options, engine),
    // RFC 6066 §3: no addresses, no final dot.
    serverName: isAddress ? undefined : serverName.replace(/\.$/, ""),
    alpn,
    cipherSuites: (engine.cipherSuites ?? Object.keys(CIPHER_SUITES) as CipherSuite[]).map((name) =>
      numberOf(CIPHER_SUITES, name, "cipherSuites")
    ),
    groups: (engine.groups ?? DEFAULT_GROUPS).map((name) => numberOf(GROUPS, name, "groups")),
    clientCertificate: clientCertificate && await readable(clientCertificate),
    keysPrepared: false,
    resume: undefined,
  };
}

/** What to do instead of options of Node's own TLS is loaded for those who name some. */
async function refusal(names: readonly string[]): Promise<TlsError> {
  const { refusalOf } = await import("../src/duplex/node_options.ts");
  return optionUnsupported(...refusalOf(names));
}

/** Loaded where it is needed: few clients have a certificate. */
async function readable({ cert, key, passphrase }: ClientCertificate): Promise<{ cert: string; key: string }> {
  const { decryptPrivateKey } = await import("./client_key.ts");
  return { cert, key: await decryptPrivateKey(key, passphrase) };
}

/** What both the connection and the engine are content with. */
function protocolsOf(
  options: TlsOptions,
  engine: WolfSslOptions,
): Pick<SessionSettings, "minimumProtocol" | "maximumProtocol"> {
  const { minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = options;
  if (maxVersion === "TLSv1" || maxVersion === "TLSv1.1") {
    throw optionUnsupported(`speak ${maxVersion}`, "TLSv1.2 is the oldest version that it knows");
  }
  // An older bound permits more than is spoken, and is kept by what is.
  const oldest = minVersion === "TLSv1.3" ? minVersion : "TLSv1.2";
  const minimumProtocol = Math.max(VERSIONS[oldest], VERSIONS[engine.minVersion ?? "TLSv1.2"]);
  const maximumProtocol = Math.min(VERSIONS[maxVersion], VERSIONS[engine.maxVersion ?? "TLSv1.3"]);
  if (minimumProtocol > maximumProtocol) throw optionInvalid("minVersion", "it is above maxVersion");
  return { minimumProtocol, maximumProtocol };
}

function numberOf<T extends string>(table: Readonly<Record<T, number>>, name: T, option: string): number {
  const number = Object.hasOwn(table, name) ? table[name] : undefined;
  if (number === undefined) {
    throw optionInvalid(option, `${JSON.stringify(name)} is none of ${Object.keys(table).join(", ")}`);
  }
  return number;
}
