/**
 * What a TLS implementation is to the rest of the driver: a function from a Duplex to a Duplex that also knows its
 * peer's certificate. Small on purpose, so that anyone can bring another.
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";

/** A certificate and private key with which the client proves itself. */
export interface ClientCertificate {
  /** The certificate, and any intermediates after it, as PEM. */
  readonly cert: string;
  /** The private key as PEM. */
  readonly key: string;
  /** What the key is encrypted with, where it is. */
  readonly passphrase?: string | undefined;
}

/** A version of TLS, by its name in Node and in libpq. */
export type TlsVersion = "TLSv1" | "TLSv1.1" | "TLSv1.2" | "TLSv1.3";

/** What to ask of TLS for one connection. An engine that cannot honour a field that is set refuses it. */
export interface TlsOptions {
  /** The name sent as SNI (unless an IP address) and compared with the certificate. */
  readonly serverName: string;
  /** Whether the chain must lead to a root, and whether the certificate must be for `serverName`. */
  readonly verify: { readonly chain: boolean; readonly name: boolean };
  /** The roots to trust, as PEM certificates (one or more in each string); undefined: the platform's own. */
  readonly roots?: readonly string[] | undefined;
  /** Whether to trust the public authorities that the engine brings ({@linkcode TlsEngine.bringsPublicRoots}). */
  readonly publicRoots?: boolean | undefined;
  /** Protocols to offer by ALPN, the preferred first; PostgreSQL's own is `postgresql`. */
  readonly alpn?: readonly string[] | undefined;
  /** What to show where the server asks for a certificate. */
  readonly clientCertificate?: ClientCertificate | undefined;
  /** Whether the server's certificate must be shown ({@linkcode TlsInfo.peerCertificate}), as channel binding needs it. */
  readonly needsPeerCertificate?: boolean | undefined;
  /** The oldest version to agree on. Default: the engine's. */
  readonly minVersion?: TlsVersion | undefined;
  /** The newest version to agree on. Default: the engine's. */
  readonly maxVersion?: TlsVersion | undefined;
  /** Node's own further options (`checkServerIdentity`, `ciphers`, ...), honoured by Node's TLS alone. */
  readonly nodeOptions?: Readonly<Record<string, unknown>> | undefined;
  /** Aborts the handshake. */
  readonly signal?: AbortSignal | undefined;
}

/** What was agreed. Fields are undefined where the platform does not tell. */
export interface TlsInfo {
  /** The {@linkcode TlsEngine.name} of who agreed on it; the driver knows it where the engine does not say. */
  readonly engine?: string | undefined;
  /** Such as `TLSv1.3`. */
  readonly protocol?: string | undefined;
  /** Such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher?: string | undefined;
  /** The key-exchange group, such as `X25519`. */
  readonly group?: string | undefined;
  /** The protocol agreed by ALPN. */
  readonly alpn?: string | undefined;
  /** The server's end-entity certificate, DER; what channel binding (RFC 5929) hashes. */
  readonly peerCertificate?: Uint8Array | undefined;
}

/** A Duplex inside TLS. */
export interface TlsDuplex extends Duplex {
  /** What was agreed. */
  readonly tls: TlsInfo;
}

/** An implementation of TLS. */
export interface TlsEngine {
  /** Such as `platform` or `wolfssl`. */
  readonly name: string;
  /** Whether it has a list of public authorities of its own, for runtimes that show none. Default: false. */
  readonly bringsPublicRoots?: boolean | undefined;
  /** Loads what the engine needs; where it has no such method it needs nothing. Rejects where it cannot be had. */
  prepare?(): Promise<void>;
  /**
   * Negotiates TLS over a quiet Duplex and takes it over: whatever happens, the caller has no more use for it.
   *
   * @throws {TlsError} `TLS_OPTION_UNSUPPORTED`, `TLS_CERTIFICATE`, `TLS_HANDSHAKE`, `TLS_ROOTS_UNAVAILABLE`
   */
  connect(duplex: Duplex, options: TlsOptions): Promise<TlsDuplex>;
}
