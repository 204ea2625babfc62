/**
 * TCP sockets of Cloudflare Workers (`cloudflare:sockets`), and their TLS.
 *
 * @module
 */

import type { TlsDuplex, TlsInfo, TlsOptions } from "../tls/engine.ts";
import type { Duplex, DuplexInfo } from "./duplex.ts";
import { aborted, openFailed, wordsOf } from "./failures.ts";
import { StreamsDuplex } from "./streams.ts";
import type { Target } from "./target.ts";
import { remoteName } from "./target.ts";
import { certificateRefused, handshakeFailed, tlsOptionUnsupported } from "./tls_failures.ts";
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
  startTls(options: { expectedServerHostname: string }): CloudflareSocket;
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

  async startTls(options: TlsOptions): Promise<TlsDuplex> {
    const { host, port } = this.#target;
    const place = { host, port, transport: this.info.transport, phase: "tls" as const };
    refuseUnsupported(options, place);
    const { signal, serverName } = options;
    this.release();
    let secured: CloudflareSocket | undefined;
    try {
      signal?.throwIfAborted();
      secured = this.#socket.startTls({ expectedServerHostname: serverName });
      secured.closed.catch(() => {});
      await unlessAborted(secured.opened, signal, () => {});
      return new CloudflareTlsDuplex(secured, this.info);
    } catch (cause) {
      (secured ?? this.#socket).close().catch(() => {});
      if (signal?.aborted) throw aborted("the TLS handshake", signal.reason, place);
      throw /certificate/i.test(wordsOf(cause))
        ? certificateRefused({ serverName }, cause, place)
        : handshakeFailed(cause, place);
    }
  }
}

class CloudflareTlsDuplex extends StreamsDuplex implements TlsDuplex {
  /** Workers tell nothing of what was agreed. */
  readonly tls: TlsInfo = {};

  constructor(socket: CloudflareSocket, info: DuplexInfo) {
    super(pairOf(socket), { ...info, secure: true });
  }
}

function pairOf(socket: CloudflareSocket) {
  return { readable: socket.readable, writable: socket.writable, close: () => socket.close() };
}

function refuseUnsupported(options: TlsOptions, place: { host: string; port: number; transport: string }): void {
  const refuse = (option: string, instead = "install @pgduplex/wolfssl, whose TLS can") =>
    tlsOptionUnsupported("the TLS of Workers' sockets", option, instead, place);
  if (!options.verify.chain || !options.verify.name) throw refuse("skip the verification of the chain or the name");
  if (options.roots) throw refuse("trust roots of your own");
  if (options.alpn) throw refuse("offer protocols by ALPN (nor negotiate TLS directly)");
  if (options.clientCertificate) throw refuse("send a client certificate");
  const names = Object.keys(options.nodeOptions ?? {});
  if (names.length > 0) {
    throw refuse(`honour ${names.join(", ")}`, "these are options of Node's TLS alone: leave them out");
  }
}
