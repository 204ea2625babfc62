/**
 * TCP and Unix-domain sockets, and TLS, of Deno.
 *
 * @module
 */

import type { DriverError, TlsError } from "../errors.ts";
import type { TlsDuplex, TlsInfo, TlsOptions } from "../tls/engine.ts";
import type { Duplex, DuplexInfo } from "./duplex.ts";
import { aborted, busy, closedHere, lost, openFailed, wordsOf } from "./failures.ts";
import { refusalOf } from "./node_options.ts";
import type { Target } from "./target.ts";
import { remoteName, unixSocketPath } from "./target.ts";
import { certificateRefused, handshakeFailed, tlsOptionUnsupported } from "./tls_failures.ts";
import { deferred, DONE, unlessAborted } from "./waiting.ts";
import type { Deferred } from "./waiting.ts";

/** What is used of Deno's API, declared here since the library is also type-checked and published without Deno's types. */
interface DenoNamespace {
  connect(options: DenoConnectOptions): Promise<DenoConn>;
  startTls(conn: DenoConn, options: DenoStartTlsOptions): Promise<DenoTlsConn>;
}
type DenoConnectOptions =
  | { hostname: string; port: number; signal: AbortSignal | undefined }
  | { transport: "unix"; path: string };
interface DenoStartTlsOptions {
  hostname: string;
  caCerts?: string[];
  alpnProtocols?: string[];
}
interface DenoConn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
  ref(): void;
  unref(): void;
  setNoDelay?(noDelay: boolean): void;
  setKeepAlive?(keepAlive: boolean): void;
}
interface DenoTlsConn extends DenoConn {
  handshake(): Promise<{ alpnProtocol: string | null }>;
}

const SLAB = 64 * 1024; // the most that one read of Deno's brings
const MIN_READ = 8 * 1024; // below this a read starts a new slab
const WRITE_HIGH_WATER = 64 * 1024; // bytes queued here, beyond which a write waits

/**
 * Opens a TCP or Unix-domain socket with `Deno.connect`. Deno leaves the delay of keep-alive probes to the system.
 *
 * @example
 * ```ts
 * const duplex = await openDeno({ host: "127.0.0.1", port: 5432, signal: AbortSignal.timeout(5000) });
 * ```
 *
 * @throws {TransportError} `TRANSPORT_OPEN_FAILED`, `TRANSPORT_ABORTED`, or the signal's reason where it is a DriverError
 */
export async function openDeno(target: Target): Promise<Duplex> {
  const { host, port, signal } = target;
  const path = unixSocketPath(target);
  try {
    signal?.throwIfAborted();
    const conn = await unlessAborted(
      deno().connect(
        path === undefined ? { hostname: host, port, signal } : { transport: "unix", path: path.replace(/^@/, "\0") },
      ),
      signal,
      (late) => late.close(),
    );
    if (path === undefined) {
      conn.setNoDelay?.(true);
      if (target.keepAlive) conn.setKeepAlive?.(true);
    }
    const info = { transport: "deno", remote: remoteName(target), local: path !== undefined };
    return path === undefined ? new DenoTcpDuplex(conn, info, { host, port }) : new DenoDuplex(conn, info);
  } catch (cause) {
    throw openFailed("deno", target, cause);
  }
}

type Over = { readonly by: "us"; readonly reason: unknown } | { readonly by: "failure"; readonly cause: unknown };

class DenoDuplex implements Duplex {
  readonly info: DuplexInfo;
  readonly closed: Promise<void>;
  protected readonly conn: DenoConn;
  readonly #closing: Deferred<void> = deferred();
  #over: Over | undefined;

  #slab = new Uint8Array(SLAB);
  #used = 0;
  #reading = false;
  #ended = false;

  #outbox: Uint8Array[] = [];
  #unsent = 0;
  #pumping: Promise<void> | undefined;
  #drain: Deferred<void> | undefined;
  #ending: Promise<void> | undefined;
  #writeEnded = false;
  #released = false;

  constructor(conn: DenoConn, info: DuplexInfo) {
    this.info = info;
    this.conn = conn;
    this.closed = this.#closing.promise;
  }

  /** Whether no read waits and nothing is left to be sent. */
  protected get quiet(): boolean {
    return !this.#reading && this.#pumping === undefined;
  }

  async read(): Promise<Uint8Array | null> {
    if (this.#over?.by === "us") throw this.#failure("read");
    if (this.#ended) return null;
    if (this.#reading) throw busy(this.info, "a second read while one waits");
    this.#reading = true;
    try {
      return await this.#receive();
    } catch (cause) {
      throw this.#lose("read", cause);
    } finally {
      this.#reading = false;
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#failure("write"));
    if (this.#ending !== undefined) return Promise.reject(closedHere(this.info, "write", "closeWrite came before"));
    if (bytes.length === 0) return DONE;
    this.#outbox.push(bytes);
    this.#unsent += bytes.length;
    this.#pumping ??= this.#pump();
    if (this.#unsent < WRITE_HIGH_WATER) return DONE;
    this.#drain ??= deferred();
    return this.#drain.promise;
  }

  closeWrite(): Promise<void> {
    if (this.#ending !== undefined) return this.#ending;
    if (this.#over !== undefined) return Promise.reject(this.#failure("closeWrite"));
    this.#ending = this.#end();
    return this.#ending;
  }

  close(reason: unknown = "closed by the client"): void {
    if (this.#over?.by === "us") return;
    this.detach(reason);
    this.#release(); // this also wakes what waits in Deno
  }

  ref(): void {
    this.conn.ref();
  }

  unref(): void {
    this.conn.unref();
  }

  protected assertOpen(operation: string): void {
    if (this.#over !== undefined) throw this.#failure(operation);
  }

  /** Ends this Duplex without closing the connection. */
  protected detach(reason: unknown): void {
    this.#over = { by: "us", reason };
    this.#outbox = [];
    this.#drain?.reject(this.#failure("write"));
    this.#drain = undefined;
    this.#closing.resolve();
  }

  async #receive(): Promise<Uint8Array | null> {
    for (;;) {
      if (SLAB - this.#used < MIN_READ) {
        this.#slab = new Uint8Array(SLAB);
        this.#used = 0;
      }
      const from = this.#used;
      const count = await this.conn.read(this.#slab.subarray(from));
      if (this.#over?.by === "us") throw this.#over.reason;
      if (count === null) {
        this.#ended = true;
        this.#closeIfBothEnded();
        return null;
      }
      if (count === 0) continue; // Deno does not exclude it, and it does not mean the end
      this.#used = from + count;
      return this.#slab.subarray(from, from + count);
    }
  }

  /** Sends what is queued, one system call at a time. The first begins within the call of write(). */
  async #pump(): Promise<void> {
    try {
      for (let bytes = this.#outbox.shift(); bytes !== undefined; bytes = this.#outbox.shift()) {
        for (let sent = 0; sent < bytes.length;) {
          const count = await this.conn.write(sent === 0 ? bytes : bytes.subarray(sent));
          if (this.#over !== undefined) return;
          sent += count;
          this.#unsent -= count;
        }
        if (this.#unsent < WRITE_HIGH_WATER) {
          this.#drain?.resolve();
          this.#drain = undefined;
        }
      }
    } catch (cause) {
      this.#lose("write", cause);
    } finally {
      this.#pumping = undefined;
    }
  }

  async #end(): Promise<void> {
    await this.#pumping;
    if (this.#over !== undefined) throw this.#failure("closeWrite");
    try {
      await this.conn.closeWrite();
    } catch (cause) {
      throw this.#lose("closeWrite", cause);
    }
    this.#writeEnded = true;
    this.#closeIfBothEnded();
  }
  #closeIfBothEnded(): void {
    if (this.#ended && this.#writeEnded) this.#release();
  }

  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.conn.close();
    this.#closing.resolve();
  }

  /** Notes the failure that a read or write of Deno's met, and says what it means here. */
  #lose(operation: string, cause: unknown): DriverError {
    if (this.#over === undefined) {
      this.#over = { by: "failure", cause };
      this.#outbox = [];
      this.#drain?.reject(this.#failure("write"));
      this.#drain = undefined;
      this.#release();
    }
    return this.#failure(operation);
  }

  #failure(operation: string): DriverError {
    const over = this.#over;
    if (over?.by === "us") return closedHere(this.info, operation, over.reason);
    return lost(this.info, operation, over?.cause);
  }
}

/** Deno starts TLS over TCP alone. */
class DenoTcpDuplex extends DenoDuplex {
  readonly #place: { host: string; port: number };

  constructor(conn: DenoConn, info: DuplexInfo, place: { host: string; port: number }) {
    super(conn, info);
    this.#place = place;
  }

  async startTls(options: TlsOptions): Promise<TlsDuplex> {
    this.assertOpen("startTls");
    if (!this.quiet) throw busy(this.info, "startTls in the midst of a read or write");
    const place = { ...this.#place, transport: "deno", phase: "tls" as const };
    refuseUnsupported(options, place);
    const { signal } = options;
    this.detach("TLS took the connection over");
    let secured: DenoTlsConn | undefined;
    try {
      signal?.throwIfAborted();
      secured = await deno().startTls(this.conn, startTlsOptions(options));
      const { alpnProtocol } = await unlessAborted(secured.handshake(), signal, () => {});
      return new DenoTlsDuplex(secured, this.info, { alpn: alpnProtocol ?? undefined }, options);
    } catch (cause) {
      closeQuietly(secured ?? this.conn);
      if (signal?.aborted) throw aborted("the TLS handshake", signal.reason, place);
      throw /certificate/i.test(wordsOf(cause))
        ? certificateRefused({ serverName: options.serverName }, cause, place)
        : handshakeFailed(cause, place);
    }
  }
}

class DenoTlsDuplex extends DenoDuplex implements TlsDuplex {
  readonly tls: TlsInfo;

  constructor(conn: DenoTlsConn, info: DuplexInfo, tls: TlsInfo, { verify }: TlsOptions) {
    super(conn, { ...info, secure: verify.chain && verify.name, alpn: tls.alpn });
    this.tls = tls;
  }
}

function startTlsOptions({ serverName, roots, alpn }: TlsOptions): DenoStartTlsOptions {
  return {
    hostname: serverName,
    // Deno trusts these besides the system's or Mozilla's roots, not instead of them.
    ...(roots && { caCerts: [...roots] }),
    ...(alpn && { alpnProtocols: [...alpn] }),
  };
}

function refuseUnsupported(options: TlsOptions, place: { host: string; port: number; transport: string }): void {
  const refuse = (option: string, instead: string): TlsError =>
    tlsOptionUnsupported("Deno's TLS", option, instead, place);
  const install = "install @pgduplex/wolfssl, whose TLS can";
  if (!options.verify.chain) {
    throw refuse("skip the verification of the chain", `trust the server's CA by rootCerts, or ${install}`);
  }
  // It trusts public authorities besides the roots given, of which anybody can have a certificate for some name.
  if (!options.verify.name) throw refuse("verify the chain alone", `verify the name too (verify-full), or ${install}`);
  if (options.needsPeerCertificate) throw refuse("show the server's certificate for channel binding", install);
  if (options.clientCertificate) throw refuse("send a client certificate over an open connection", install);
  // It speaks just these, and cannot be told otherwise. An older bound permits more, and is kept.
  const { minVersion = "TLSv1.2", maxVersion = "TLSv1.3" } = options;
  if (minVersion === "TLSv1.3" || maxVersion !== "TLSv1.3") {
    throw refuse(`speak other versions than TLSv1.2 to TLSv1.3`, install);
  }
  const names = Object.keys(options.nodeOptions ?? {});
  if (names.length > 0) throw refuse(...refusalOf(names));
}

function closeQuietly(conn: DenoConn): void {
  try {
    conn.close();
  } catch {
    // consumed by startTls, or closed by what failed
  }
}

function deno(): DenoNamespace {
  return (globalThis as unknown as { Deno: DenoNamespace }).Deno;
}
