/**
 * TCP sockets of Cloudflare Workers (`cloudflare:sockets`), and their TLS.
 *
 * @module
 */

import type { DriverError, ErrorPlace } from "../errors.ts";
import type { TlsDuplex, TlsInfo, TlsOptions } from "../tls/engine.ts";
import type { Duplex, DuplexInfo } from "./duplex.ts";
import { aborted, openFailed, wordsOf } from "./failures.ts";
import { StreamsDuplex } from "./streams.ts";
import { refusalOf } from "./node_options.ts";
import type { Target } from "./target.ts";
import { remoteName } from "./target.ts";
import { handshakeFailed, tlsOptionUnsupported } from "./tls_failures.ts";
import { unlessAborted } from "./waiting.ts";

/** What is used of `cloudflare:sockets`. */
interface CloudflareSockets {
  connect(
    address: { hostname: string; port: number },
    options: { secureTransport: "off" | "on" | "starttls"; allowHalfOpen: boolean },
  ): CloudflareSocket;
}
interface CloudflareSocket {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  readonly opened: Promise<unknown>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
  startTls(): CloudflareSocket;
}

/**
 * Opens a TCP socket of a Worker. Keep-alive is the platform's own affair.
 *
 * @example
 * ```ts
 * const duplex = await openCloudflare({ host: "db.example.com", port: 5432, signal: request.signal });
 * ```
 *
 * @throws {TransportError} `TRANSPORT_OPEN_FAILED`, `TRANSPORT_ABORTED`, or the signal's reason where it is a DriverError
 */
export async function openCloudflare(target: Target): Promise<Duplex> {
  const { host, port, signal } = target;
  let socket: CloudflareSocket | undefined;
  try {
    signal?.throwIfAborted();
    // Only workerd knows this module: a specifier that is not a literal is left alone by bundlers.
    const specifier = "cloudflare:sockets";
    const { connect } = await import(/* @vite-ignore */ /* webpackIgnore: true */ specifier) as CloudflareSockets;
    socket = connect({ hostname: host, port }, { secureTransport: "starttls", allowHalfOpen: true });
    socket.closed.catch(() => {}); // rejects when the connection breaks, which reads and writes report
    await unlessAborted(socket.opened, signal, () => {});
    return new CloudflareDuplex(socket, { transport: "cloudflare", remote: remoteName(target) }, target);
  } catch (cause) {
    socket?.close().catch(() => {});
    throw openFailed("cloudflare", target, cause);
  }
}

class CloudflareDuplex extends StreamsDuplex {
  readonly #socket: CloudflareSocket;
  readonly #target: Target;

  constructor(socket: CloudflareSocket, info: DuplexInfo, target: Target) {
    super(pairOf(socket), info);
    this.#socket = socket;
    this.#target = target;
  }

  /** Asynchronous as the interface has it: the handshake itself comes with the first write. */
  // deno-lint-ignore require-await
  async startTls(options: TlsOptions): Promise<TlsDuplex> {
    const { host, port } = this.#target;
    const place = { host, port, transport: this.info.transport, phase: "tls" as const };
    refuseUnsupported(options, place);
    this.release();
    if (options.signal?.aborted) {
      this.#socket.close().catch(() => {});
      throw aborted("the TLS handshake", options.signal.reason, place);
    }
    const secured = this.#socket.startTls();
    secured.closed.catch(() => {}); // as above
    return new CloudflareTlsDuplex(secured, this.info, place);
  }
}

/**
 * TLS of a Worker's socket. The platform does the handshake with the first write and does not tell when it is done: a
 * failure shows in that write and in the first read, which then throw the `TlsError`.
 */
class CloudflareTlsDuplex extends StreamsDuplex implements TlsDuplex {
  /** Workers tell nothing of what was agreed. */
  readonly tls: TlsInfo = {};
  readonly #place: ErrorPlace;

  constructor(socket: CloudflareSocket, info: DuplexInfo, place: ErrorPlace) {
    super(pairOf(socket), { ...info, secure: true });
    this.#place = place;
  }

  override async read(): Promise<Uint8Array | null> {
    const bytes = await super.read();
    // A handshake that failed looks to a reader like a peer that ended.
    if (bytes === null && !this.worked) throw this.broke("read", new Error("the connection ended at once"));
    return bytes;
  }

  protected override broke(operation: string, cause: unknown): DriverError {
    if (this.worked) return super.broke(operation, cause);
    const words = `${wordsOf(cause)} (Workers do not tell why: as a rule the server's certificate is not for ` +
      `"${this.#place.host}", or not by a public authority; for a private one install @pgduplex/wolfssl)`;
    return handshakeFailed(new Error(words, { cause }), this.#place);
  }
}

function pairOf(socket: CloudflareSocket) {
  return { readable: socket.readable, writable: socket.writable, close: () => socket.close() };
}

function refuseUnsupported(options: TlsOptions, place: { host: string; port: number; transport: string }): void {
  const refuse = (option: string, instead = "install @pgduplex/wolfssl, whose TLS can") =>
    tlsOptionUnsupported("the TLS of Workers' sockets", option, instead, place);
  if (!options.verify.chain || !options.verify.name) throw refuse("skip the verification of the chain or the name");
  if (options.serverName !== place.host) {
    // startTls has an option for it, which workerd reports as unsupported.
    throw refuse(`verify the name "${options.serverName}" where it dials ${place.host}`);
  }
  if (options.roots) throw refuse("trust roots of your own");
  if (options.alpn) throw refuse("offer protocols by ALPN (nor negotiate TLS directly)");
  if (options.clientCertificate) throw refuse("send a client certificate");
  if (options.needsPeerCertificate) throw refuse("show the server's certificate for channel binding");
  if (options.minVersion ?? options.maxVersion) throw refuse("choose the version of TLS");
  const names = Object.keys(options.nodeOptions ?? {});
  if (names.length > 0) throw refuse(...refusalOf(names));
}
