/**
 * What everything below the face is told: one resolved, frozen object. Nothing below `config/` looks at a connection
 * string, a default or the environment.
 *
 * @module
 */

import type { TlsEngine, TlsVersion } from "../tls/engine.ts";

/** libpq's six modes, and node-postgres's `no-verify`. What they mean is decided in `tls/sslmode.ts`. */
export type SslMode = "disable" | "allow" | "prefer" | "require" | "verify-ca" | "verify-full" | "no-verify";

/**
 * Which TLS is used. `auto`: the platform's own on its own sockets where it can do what is asked for, else the wolfSSL
 * engine where it is installed, else Node's TLS where the runtime has it. `platform` and `wolfssl`: that one alone.
 */
export type TlsEngineChoice = "auto" | "platform" | "wolfssl" | TlsEngine;

/** Who computes for the wolfSSL engine: the core in WebAssembly, the runtime's SubtleCrypto, or each what it does better. */
export type CryptoMode = "auto" | "wasm" | "subtle";

/** What was said about TLS, before the table in `tls/sslmode.ts` gives it a meaning. */
export interface TlsRequest {
  /** Undefined where nothing was said: the meaning then depends on the transport. */
  readonly mode: SslMode | undefined;
  /** True for libpq's exact meanings (`uselibpqcompat=true`), false for node-postgres's strict ones. */
  readonly libpqCompat: boolean;
  /** The roots to trust, as PEM (this client's, else the global `config.rootCerts`); undefined: the platform's own. */
  readonly rootCerts: readonly string[] | undefined;
  /** True where the platform's own roots were asked for (`sslrootcert=system`), which not every engine takes unasked. */
  readonly systemRoots: boolean;
  /** The name to send and to verify, where it is not the host. */
  readonly serverName: string | undefined;
  /** Not enumerable, as the password. */
  readonly clientCertificate:
    | { readonly cert: string; readonly key: string; readonly passphrase?: string | undefined }
    | undefined;
  /** The oldest and the newest version of TLS to agree on; undefined: the engine's own. */
  readonly minVersion: TlsVersion | undefined;
  readonly maxVersion: TlsVersion | undefined;
  /** `direct`: TLS at once, with ALPN `postgresql` (PostgreSQL 17+). `postgres`: after an SSLRequest. */
  readonly negotiation: "postgres" | "direct";
  /** What is left of an `ssl` object after the fields above: options for Node's TLS alone. Not enumerable, as the password. */
  readonly nodeOptions: Readonly<Record<string, unknown>> | undefined;
}

/** How a password may be given. A function is asked at each connect. */
export type PasswordSource = string | ((connection: PasswordRequest) => string | Promise<string>);

/** Which connection a password is for. */
export interface PasswordRequest {
  /** The user who logs in. */
  readonly user: string;
  /** The database. */
  readonly database: string;
  /** The host, as it is dialled. */
  readonly host: string;
  /** The port. */
  readonly port: number;
}

/** A password file, and what it may call the host besides `host`. */
export interface PasswordFile {
  /** The path that was named; undefined: the user's own, `~/.pgpass`. */
  readonly path: string | undefined;
  /** The host's name, where `host` is its address (`hostaddr`). */
  readonly hostName: string | undefined;
}

/** libpq's names for what a server may ask of the client. */
export type AuthMethod = "none" | "password" | "md5" | "scram-sha-256" | "scram-sha-256-plus" | "oauth";

/** The connection for which a bearer token is asked. */
export interface OAuthRequest {
  /** The database's host. */
  readonly host: string;
  /** The database's port. */
  readonly port: number;
  /** Who is to be logged in. */
  readonly user: string;
  /** The database. */
  readonly database: string;
  /** Aborts with the connect: at its deadline, or by its caller. */
  readonly signal: AbortSignal;
}

/** How a bearer token may be given. A function is asked at each connect, once the server asks. */
export type OAuthTokenSource = string | ((request: OAuthRequest) => string | Promise<string>);

/** `require_auth`: the methods that are accepted (or, negated, refused); undefined accepts all. */
export interface RequireAuth {
  readonly negated: boolean;
  readonly methods: readonly AuthMethod[];
}

/** Where the WebSocket proxy is: a URL or host, or a function that gives the whole URL for a database's host and port. */
export type WsProxy = string | ((host: string, port: number) => string);

/** What makes a WebSocket: the standard's constructor, npm `ws`'s, or another of that shape. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => object;

/** Tells which WebSocket to use; asked at each connect. Undefined: the runtime's own, or npm `ws` where it has none. */
export type WebSocketSource = () => WebSocketConstructor | undefined;

/** A host, as `ConnectionOptions.host` has it, and its port. */
export interface HostAddress {
  readonly host: string;
  readonly port: number;
}

/** libpq's wishes for the server to connect to. */
export type TargetSessionAttrs = "any" | "read-write" | "read-only" | "primary" | "standby" | "prefer-standby";

/** One connection's options, resolved and frozen. Durations are milliseconds; 0 means no deadline. */
export interface ConnectionOptions {
  /** A host name, an IP address, or the directory of a Unix-domain socket (begins with `/`, or `@` for an abstract one). */
  readonly host: string;
  readonly port: number;
  /** All hosts to try, in their order; the first is `host` and `port`. */
  readonly hosts: readonly HostAddress[];
  /** What a host must be. */
  readonly targetSessionAttrs: TargetSessionAttrs;
  /** Whether the hosts are tried in a random order. */
  readonly loadBalanceHosts: boolean;
  readonly user: string;
  /** Whether nobody named the user, which is the operating system's then; node-postgres would know none. */
  readonly userAssumed: boolean;
  readonly database: string;
  /** Not enumerable, so that nothing that prints or serializes the options shows it; a spread copy lacks it. */
  readonly password: PasswordSource | undefined;
  /** Not enumerable, as the password. */
  readonly oauthBearerToken: OAuthTokenSource | undefined;
  /** Where a password is looked for that nobody said. */
  readonly passfile: PasswordFile;
  readonly tls: TlsRequest;
  readonly tlsEngine: TlsEngineChoice;
  readonly crypto: CryptoMode;

  readonly wsProxy: WsProxy | undefined;
  /** Another WebSocket than the runtime's own. */
  readonly webSocket: WebSocketSource | undefined;
  /** A user's own way to open a Duplex, or a Duplex-like `{readable, writable}` pair; wins over everything else. */
  readonly openDuplex: ((target: { host: string; port: number; signal: AbortSignal }) => unknown) | undefined;
  readonly keepAlive: boolean;
  readonly keepAliveInitialDelayMillis: number;

  /** From `connect` to ReadyForQuery. */
  readonly connectionTimeoutMillis: number;
  /** From a query's submission to its end, on the client's side. */
  readonly queryTimeoutMillis: number;
  /** How long a connection may stand idle before it ends itself. */
  readonly idleTimeoutMillis: number;

  /** Run-time parameters of the StartupMessage besides user and database: `application_name`, `options`, ... */
  readonly startupParameters: Readonly<Record<string, string>>;
  /** The highest protocol version to ask for. */
  readonly maxProtocolVersion: "3.0" | "3.2";
  /** The lowest protocol version to accept. */
  readonly minProtocolVersion: "3.0" | "3.2";
  readonly requireAuth: RequireAuth | undefined;
  readonly channelBinding: "disable" | "prefer" | "require";
  /** SCRAM iterations above this are refused; undefined: the limit of `auth/`. */
  readonly scramMaxIterations?: number | undefined;
  /** True: a cleartext password may be sent over a connection that is not verified TLS. */
  readonly allowCleartextPassword: boolean;
  /** False: the polite order of messages, without speaking first (see session/startup.ts). */
  readonly speakFirst: boolean;

  /** Ask for binary result columns where the type has a binary decoder. */
  readonly binary: boolean;
  /** How many statements are kept prepared without being named; 0: none. */
  readonly statementCache: number;
}
