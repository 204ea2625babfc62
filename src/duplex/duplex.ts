/**
 * The one byte stream under everything: a transport, TLS around a transport, or whatever a user brings.
 *
 * @module
 */

import type { TlsDuplex, TlsOptions } from "../tls/engine.ts";

/** What a byte stream runs over. A transport of the user's own may have any name. */
export type TransportName =
  | "websocket"
  | "deno"
  | "node"
  | "cloudflare"
  | "direct-sockets"
  | "streams"
  | (string & Record<never, never>);

/** What is known of a connection, for error messages and for decisions such as whether a password may be sent. */
export interface DuplexInfo {
  /** What the bytes run over. */
  readonly transport: TransportName;
  /** The peer as a person would write it: `db.example.com:5432`, `/run/postgresql/.s.PGSQL.5432`. */
  readonly remote: string;
  /** True where the bytes are encrypted to the peer itself and its certificate was verified by chain and name. */
  readonly secure?: boolean;
  /** True where the bytes never leave this machine (a Unix-domain socket). */
  readonly local?: boolean;
  /** The protocol agreed by ALPN, where TLS agreed one. */
  readonly alpn?: string | undefined;
}

/**
 * A reliable, ordered, two-way stream of bytes, after the WinterTC sockets and libc.
 *
 * One reader and one writer at a time. Every failure is a `TransportError` (or `TlsError`) that names the peer:
 * `TRANSPORT_CLOSED` after {@linkcode Duplex.close}, `TRANSPORT_LOST` when the connection broke.
 */
export interface Duplex {
  /** What is known of the connection. */
  readonly info: DuplexInfo;
  /**
   * Resolves with the next bytes (at least one; the caller owns them), or with null once the peer has ended its side
   * and all its bytes were read, as often as it is asked.
   */
  read(): Promise<Uint8Array | null>;
  /** Queues the bytes at once, in order, and resolves when more may be written. The caller must not change them afterwards. */
  write(bytes: Uint8Array): Promise<void>;
  /** Ends our side after what was written; reading goes on where the transport can be half-closed. */
  closeWrite(): Promise<void>;
  /** Releases everything at once and wakes whoever waits. Idempotent. */
  close(reason?: unknown): void;
  /** Resolves when the connection is over, however it ended. Never rejects. */
  readonly closed: Promise<void>;
  /**
   * Turns the platform's own TLS on over this connection, which must be quiet in both directions; present where the
   * platform can. The old Duplex is not to be used afterwards, except where it throws `TlsError` `TLS_OPTION_UNSUPPORTED` for an
   * option that it cannot honour: nothing was done then.
   */
  startTls?(options: TlsOptions): Promise<TlsDuplex>;
  /** Keeps the process alive for this connection (the default); present where the platform knows the idea. */
  ref?(): void;
  /** Lets the process exit although this connection is open. */
  unref?(): void;
}
