/**
 * What a user may say about a connection: node-postgres's options, under their names there, and ours.
 *
 * @module
 */

import type {
  AuthMethod,
  CryptoMode,
  OAuthTokenSource,
  PasswordSource,
  SslMode,
  TargetSessionAttrs,
  TlsEngineChoice,
  WebSocketSource,
  WsProxy,
} from "./options.ts";
import type { TlsVersion } from "../tls/engine.ts";

/** A certificate or key, as PEM text or the bytes of a PEM file; a certificate authority's also as DER. */
export type PemSource = string | Uint8Array;

/**
 * The `ssl` object of node-postgres, which is Node's `tls.ConnectionOptions`. What is named here works wherever some TLS
 * at hand can do it; every further field is for Node's TLS alone and is refused elsewhere, never ignored (docs/tls.md has
 * a table).
 */
export interface SslOptions {
  /** `false`: encrypt, but accept any certificate. Default true. */
  rejectUnauthorized?: boolean | undefined;
  /** The certificate authorities to trust. Default: `rootCerts`, else the platform's own. */
  ca?: PemSource | readonly PemSource[] | undefined;
  /** The client's certificate, and any intermediates after it. Needs `key`. */
  cert?: PemSource | readonly PemSource[] | undefined;
  /** The private key of `cert`. */
  key?: PemSource | readonly unknown[] | undefined;
  /** What `key` is encrypted with. */
  passphrase?: string | undefined;
  /** The name to send as SNI and to compare with the certificate. Default: the host. */
  servername?: string | undefined;
  /** Node only: compares the certificate with the name instead of the usual rules. */
  checkServerIdentity?: ((hostname: string, certificate: never) => Error | undefined) | undefined;
  /** The oldest version of TLS to agree on: `TLSv1`, `TLSv1.1` (Node and Bun alone), `TLSv1.2`, `TLSv1.3`. */
  minVersion?: string | undefined;
  /** The newest version of TLS to agree on. */
  maxVersion?: string | undefined;
}

/** Whatever knows how to parse a value: node-postgres's `types`. */
export interface TypesConfig {
  /** The parser for a type's object identifier and format. */
  getTypeParser(oid: never, format?: never): unknown;
}

/** {@linkcode TypesConfig} as @types/pg has it. */
export interface CustomTypesConfig {
  /** The parser for a type's object identifier and format. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg
  getTypeParser: (oid: number, format?: "text" | "binary") => any;
}

/**
 * The options of a client. All are optional.
 *
 * A setting that is undefined, null or empty counts as not said. What the connection string says wins over the other
 * fields here; then come the environment, the `defaults` of the module, and the default given with each field.
 * Durations are milliseconds; 0 and `false` mean no limit.
 *
 * @example
 * ```ts
 * import type { ClientConfig } from "@pgduplex/pgduplex";
 * const config: ClientConfig = { host: "db.example.com", user: "app", password: "secret", ssl: true };
 * ```
 */
export interface ClientConfig {
  /**
   * A URL (`postgres://user:password@host:port/database?option=value`), node-postgres's forms for a Unix-domain socket
   * (`/directory database`, `socket:/directory?db=database`), libpq's keywords (`host=... dbname=...`), or the mere
   * name of a database.
   */
  connectionString?: string | URL | undefined;

  /**
   * A host name, an IP address, or the directory of a Unix-domain socket (begins with `/`). Several, separated by commas,
   * are tried in their order, each with the whole time to connect. PGHOST; `localhost`.
   */
  host?: string | undefined;
  /** For several hosts one for all, or one for each, separated by commas. PGPORT; 5432. */
  port?: number | string | undefined;
  /** What the server must be; hosts that are something else are passed over. PGTARGETSESSIONATTRS; `any`. */
  target_session_attrs?: TargetSessionAttrs | undefined;
  /** `random`: several hosts are tried in a random order. PGLOADBALANCEHOSTS; `disable`. */
  load_balance_hosts?: "disable" | "random" | undefined;
  /** PGUSER; the name of the operating system's user. */
  user?: string | undefined;
  /** PGDATABASE; the name of the user. */
  database?: string | undefined;
  /** The password, or a function that is asked for it at each connect. PGPASSWORD; none. */
  password?: PasswordSource | null | undefined;
  /**
   * The bearer token for a server that authenticates by OAuth (PostgreSQL 18), or a function that is asked for it at each
   * connect and has the time to connect for its answer. Getting and keeping tokens is the program's own. It is sent over
   * verified TLS or a Unix-domain socket, never otherwise. None.
   */
  oauthBearerToken?: OAuthTokenSource | null | undefined;
  /**
   * The file where a password is looked for that nobody said, when the server asks for one: lines of
   * `host:port:database:user:password`. It is ignored where others may read it. PGPASSFILE; `~/.pgpass`.
   */
  passfile?: string | undefined;
  /** The service, in a service file, whose settings stand in for what is not said here. PGSERVICE; none. */
  service?: string | undefined;
  /** The service file. PGSERVICEFILE; `~/.pg_service.conf`, then `pg_service.conf` in PGSYSCONFDIR. */
  servicefile?: string | undefined;

  /**
   * Whether and how to use TLS: true for verified TLS, false for none, `"no-verify"` for TLS with any certificate, or
   * the details. Default: none over a socket, verified TLS through a WebSocket proxy. PGSSLMODE.
   */
  ssl?: boolean | "no-verify" | SslOptions | Readonly<Record<string, unknown>> | null | undefined;
  /** As `sslmode` in a connection string; wins over what `ssl` says. */
  sslmode?: SslMode | undefined;
  /** True: `sslmode` has libpq's exact meanings; false (default): node-postgres's, where all but two modes verify. */
  uselibpqcompat?: boolean | undefined;
  /** Trusted authorities: a PEM file's path, PEM text, or `system` for the platform's own. Turns TLS on. PGSSLROOTCERT. */
  sslrootcert?: string | undefined;
  /** The client's certificate: a PEM file's path, or PEM text. Turns TLS on. PGSSLCERT. */
  sslcert?: string | undefined;
  /** The private key of `sslcert`, likewise. PGSSLKEY. */
  sslkey?: string | undefined;
  /** What `sslkey` is encrypted with. */
  sslpassword?: string | undefined;
  /** The oldest version of TLS to agree on, as `ssl.minVersion`. PGSSLMINPROTOCOLVERSION; the engine's. */
  ssl_min_protocol_version?: TlsVersion | undefined;
  /** The newest version of TLS to agree on, as `ssl.maxVersion`. PGSSLMAXPROTOCOLVERSION; the engine's. */
  ssl_max_protocol_version?: TlsVersion | undefined;
  /** `direct`: TLS from the first byte, saving one turn (PostgreSQL 17+). PGSSLNEGOTIATION; `postgres`. */
  sslnegotiation?: "postgres" | "direct" | undefined;
  /**
   * Trusted authorities, as PEM text, the bytes of a PEM file, or DER. Turns TLS on. Default: `config.rootCerts`, else
   * the platform's own, or for the wolfSSL engine those of Let's Encrypt.
   */
  rootCerts?: PemSource | readonly PemSource[] | undefined;
  /** Which TLS to use. Default: `config.tlsEngine`, else `auto`. */
  tlsEngine?: TlsEngineChoice | undefined;
  /** Who computes for the wolfSSL engine. Default: `config.crypto`, else `auto`. */
  crypto?: CryptoMode | undefined;

  /** The WebSocket proxy to go through; `false` for none in spite of `config.wsProxy`, which is the default. */
  wsProxy?: WsProxy | false | undefined;
  /**
   * Gives the constructor of the WebSockets to the proxy; asked at each connect. Default: the runtime's own, or npm `ws`
   * where it has none.
   */
  webSocket?: WebSocketSource | undefined;
  /** Opens the connection in a way of your own: resolves with a Duplex or a pair of web streams. */
  openDuplex?: ((target: { host: string; port: number; signal: AbortSignal }) => unknown) | undefined;
  /** Whether the operating system probes an idle socket. Default true, as in libpq. */
  keepAlive?: boolean | undefined;
  /** How long a socket is idle before the first probe. Default 0: the operating system's. */
  keepAliveInitialDelayMillis?: number | undefined;

  /** The time to connect and log in. PGCONNECT_TIMEOUT (seconds); 60,000. */
  connectionTimeoutMillis?: number | undefined;
  /** libpq's name for the time to connect, in seconds. */
  connect_timeout?: number | string | undefined;
  /** The time for one query, on the client's side. Default 0. */
  query_timeout?: number | false | undefined;
  /** How long a connection may stand idle before it ends itself. Default 0. For a pool it is the pool's own option. */
  idleTimeoutMillis?: number | null | undefined;
  /** The server's limit for one statement. Default: the server's setting. */
  statement_timeout?: number | false | undefined;
  /** The server's limit for waiting for a lock. Default: the server's setting. */
  lock_timeout?: number | false | undefined;
  /** The server's limit for an open transaction that does nothing. Default: the server's setting. */
  idle_in_transaction_session_timeout?: number | false | undefined;

  /** Shown in `pg_stat_activity` and logs. PGAPPNAME. */
  application_name?: string | undefined;
  /** What `application_name` is if nobody says it. */
  fallback_application_name?: string | undefined;
  /** Command-line options for the server's process, such as `-c search_path=app`. PGOPTIONS. */
  options?: string | undefined;
  /** Accepted as in node-postgres and, as there, of no effect: on the wire it is UTF-8, in JavaScript strings. */
  client_encoding?: string | undefined;
  /** `database` or `true`: a replication connection. */
  replication?: string | boolean | undefined;

  /** Whether SCRAM is bound to the TLS connection. PGCHANNELBINDING; `prefer`, that is, where both sides can. */
  channelBinding?: "disable" | "prefer" | "require" | undefined;
  /** libpq's name for `channelBinding`. */
  channel_binding?: "disable" | "prefer" | "require" | undefined;
  /** node-postgres's name: true is `channelBinding: "prefer"`, false is `"disable"`. */
  enableChannelBinding?: boolean | undefined;
  /** The ways to authenticate that are accepted, or with `!` refused: `scram-sha-256`, `!password`. PGREQUIREAUTH; all. */
  requireAuth?: string | readonly (AuthMethod | `!${AuthMethod}`)[] | undefined;
  /** libpq's name for `requireAuth`. */
  require_auth?: string | undefined;
  /** True: a server may have the password in clear text without verified TLS. Default false. */
  allowCleartextPassword?: boolean | undefined;
  /** False: wait for the server to name its method before authenticating, one turn more. Default true. */
  speakFirst?: boolean | undefined;
  /** The highest protocol version to ask for. PGMAXPROTOCOLVERSION; `3.0`. */
  maxProtocolVersion?: "3.0" | "3.2" | undefined;
  /** The lowest protocol version to accept. PGMINPROTOCOLVERSION; `3.0`. */
  minProtocolVersion?: "3.0" | "3.2" | undefined;

  /** Ask for binary results where a type has a binary decoder. Default false. */
  binary?: boolean | undefined;
  /**
   * How many statements to keep prepared on the connection without their being named: queries with values that are run
   * again need not be parsed again. Where a table changes, or the server loses one, it is prepared anew. Default 0: a
   * proxy that pools transactions leads to other servers by turns, and cannot be told from a server.
   */
  statementCache?: number | undefined;
  /** Parsers of this client's own. */
  types?: TypesConfig | undefined;
  /** Accepted as in node-postgres; queries are always pipelined. */
  pipeline?: boolean | undefined;
  /** node-postgres's way to bring a socket; see `openDuplex`. */
  stream?: unknown;
  /** The constructor of the promises to return. */
  Promise?: PromiseConstructorLike | undefined;
  /** SCRAM iterations above this are refused. */
  scramMaxIterations?: number | undefined;
}
