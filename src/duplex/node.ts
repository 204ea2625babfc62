/**
 * TCP and Unix-domain sockets of Node.js (20.16 or later), and of the runtimes that have `node:net`, such as Bun.
 *
 * @module
 */

import type { NetConnectOpts, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { builtinModule } from "../builtin_module.ts";
import type { DriverError } from "../errors.ts";
import { ConfigError, TlsError } from "../errors.ts";
import type { TlsDuplex, TlsInfo, TlsOptions } from "../tls/engine.ts";
import type { Duplex, DuplexInfo } from "./duplex.ts";
import { aborted, busy, closedHere, lost, openFailed } from "./failures.ts";
import { Inbox } from "./inbox.ts";
import { handshake, tlsInfo } from "./node_tls.ts";
import type { Target } from "./target.ts";
import { remoteName, unixSocketPath } from "./target.ts";
import { deferred, DONE } from "./waiting.ts";
import type { Deferred } from "./waiting.ts";

const PAUSE_AT = 1024 * 1024; // bytes nobody has read yet; then the socket, and so the peer, has to wait
const RESUME_AT = 256 * 1024;
const WRITE_HIGH_WATER = 64 * 1024; // Node 20's own is 16 KiB, later ones' 64

/**
 * Opens a TCP or Unix-domain socket with Node's `net`.
 *
 * @example
 * ```ts
 * const duplex = await openNode({ host: "127.0.0.1", port: 5432, signal: AbortSignal.timeout(5000) });
 * ```
 *
 * @throws {TransportError} `TRANSPORT_OPEN_FAILED`, `TRANSPORT_ABORTED`, or the signal's reason where it is a DriverError
 */
export function openNode(target: Target): Promise<Duplex> {
  const { host, port, signal } = target;
  return new Promise((resolve, reject) => {
    const refuse = (cause: unknown) => reject(openFailed("node", target, cause));
    if (signal?.aborted) return refuse(signal.reason);
    const path = unixSocketPath(target);
    let socket: Socket;
    try {
      socket = net().connect(
        {
          // On Linux an abstract socket's name begins with NUL, which libpq writes as @.
          ...(path === undefined ? { host, port } : { path: path.replace(/^@/, "\0") }),
          allowHalfOpen: true,
          noDelay: true,
          keepAlive: target.keepAlive ?? false,
          keepAliveInitialDelay: target.keepAliveInitialDelayMillis ?? 0,
          highWaterMark: WRITE_HIGH_WATER,
        } as NetConnectOpts & { highWaterMark: number },
      );
    } catch (cause) {
      return refuse(cause);
    }
    const release = () => {
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      socket.off("connect", onConnect);
    };
    const onError = (cause: Error) => {
      release();
      refuse(cause);
    };
    const onConnect = () => {
      release();
      const info = { transport: "node", remote: remoteName(target), local: path !== undefined };
      resolve(fromNodeSocket(socket, info, { host, port }));
    };
    const onAbort = () => {
      release();
      socket.on("error", () => {}); // a failure of what was given up is nobody's
      socket.destroy();
      refuse(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    socket.once("connect", onConnect);
  });
}

/**
 * Connects a stream that somebody else made, by its own `connect(port, host)`, as node-postgres does with its option
 * `stream`: any stream with Node's socket's events will do. One without `connect` counts as connected.
 */
export function openNodeStream(stream: unknown, target: Target): Promise<Duplex> {
  const { host, port, signal } = target;
  const socket = stream as Socket;
  const transport = "stream";
  if (typeof socket?.write !== "function" || typeof socket.on !== "function") {
    const message = "the option stream must give a Node stream, such as a net.Socket";
    return Promise.reject(new ConfigError("CONFIG_STREAM", message, { host, port, phase: "open" }));
  }
  return new Promise((resolve, reject) => {
    const settle = (work: () => void) => {
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      socket.off("connect", onConnect);
      work();
    };
    const refuse = (cause: unknown) => {
      socket.on("error", () => {}); // a failure of what was given up is nobody's
      socket.destroy();
      reject(openFailed(transport, target, cause));
    };
    const onError = (cause: Error) => settle(() => refuse(cause));
    const onAbort = () => settle(() => refuse(signal?.reason));
    const onConnect = () =>
      settle(() => resolve(fromNodeSocket(socket, { transport, remote: remoteName(target) }, { host, port })));
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    if (signal?.aborted) return onAbort();
    if (typeof socket.connect !== "function") return onConnect();
    socket.once("connect", onConnect);
    socket.setNoDelay?.(true);
    const path = unixSocketPath(target);
    if (path === undefined) socket.connect(port, host);
    else socket.connect(path);
  });
}

/**
 * Wraps a connected socket of `node:net` (with `allowHalfOpen`, where half-closing matters) as a {@linkcode Duplex},
 * which owns it from then on. `place` is the database it leads to, for error messages.
 */
export function fromNodeSocket(socket: Socket, info: DuplexInfo, place: { host?: string; port?: number } = {}): Duplex {
  return new NodeDuplex(socket, info, place);
}

/** Wraps a socket on which `node:tls` has finished its handshake. `info` is that of the connection under it. */
export function fromTlsSocket(
  socket: TLSSocket,
  info: DuplexInfo,
  place: { host?: string; port?: number },
  options: TlsOptions,
): TlsDuplex {
  return new NodeTlsDuplex(socket, info, place, options);
}

/** Why the socket is of no more use. */
type Over = { readonly by: "us"; readonly reason: unknown } | { readonly by: "failure"; readonly cause: unknown };

class NodeDuplex implements Duplex {
  readonly info: DuplexInfo;
  readonly closed: Promise<void>;
  protected readonly socket: Socket;
  readonly #place: { host?: string; port?: number };
  readonly #inbox: Inbox;
  #over: Over | undefined;
  #ending: Promise<void> | undefined;
  #drain: Deferred<void> | undefined;

  constructor(socket: Socket, info: DuplexInfo, place: { host?: string; port?: number }) {
    this.info = info;
    this.socket = socket;
    this.#place = place;
    this.#inbox = new Inbox({
      pauseAt: PAUSE_AT,
      resumeAt: RESUME_AT,
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    });
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    socket.on("data", this.#onData);
    socket.on("end", this.#onEnd);
    socket.on("drain", this.#onDrain);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  read(): Promise<Uint8Array | null> {
    if (this.#over?.by === "us") return Promise.reject(this.#failure("read", this.#over));
    return this.#inbox.read() ?? Promise.reject(busy(this.info, "a second read while one waits"));
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined || this.#ending !== undefined) return Promise.reject(this.#writeFailure());
    if (bytes.length === 0 || this.socket.write(bytes)) return DONE;
    this.#drain ??= deferred();
    return this.#drain.promise;
  }

  closeWrite(): Promise<void> {
    if (this.#ending !== undefined) return this.#ending;
    if (this.#over !== undefined) return Promise.reject(this.#failure("closeWrite", this.#over));
    this.#ending = new Promise((resolve, reject) => {
      // The callback's error is the very one of the "error" event, or one for a socket destroyed meanwhile.
      this.socket.end((cause?: Error | null) => {
        if (!cause) return resolve();
        reject(this.#failure("closeWrite", this.#over ?? { by: "failure", cause }));
      });
    });
    return this.#ending;
  }

  close(reason: unknown = "closed by the client"): void {
    if (this.#over?.by === "us") return;
    const over: Over = { by: "us", reason };
    this.#over = over;
    this.#inbox.abandon(() => this.#failure("read", over));
    this.#drain?.reject(this.#failure("write", over));
    this.#drain = undefined;
    this.socket.destroy();
  }

  ref(): void {
    this.socket.ref?.();
  }

  unref(): void {
    this.socket.unref?.();
  }

  async startTls(options: TlsOptions): Promise<TlsDuplex> {
    if (this.#over !== undefined) throw this.#failure("startTls", this.#over);
    if (this.#inbox.awaited) throw busy(this.info, "startTls while a read waits");
    const place = { ...this.#place, transport: this.info.transport, phase: "tls" as const };
    if (this.#inbox.unread > 0) {
      this.close("bytes before TLS");
      // Whoever sits between could have put them there (CVE-2021-23222): they must never count as encrypted.
      throw new TlsError("TLS_HANDSHAKE", "the server sent unencrypted bytes where TLS was to begin", place);
    }
    this.#release();
    const { signal } = options;
    const secured = await handshake(
      this.socket,
      options,
      place,
      () => aborted("the TLS handshake", signal?.reason, place),
    );
    return fromTlsSocket(secured, this.info, this.#place, options);
  }

  /** Lets go of the socket, for TLS to take it over. */
  #release(): void {
    const { socket } = this;
    this.#over = { by: "us", reason: "TLS took the connection over" };
    socket.off("data", this.#onData);
    socket.off("end", this.#onEnd);
    socket.off("drain", this.#onDrain);
    socket.off("error", this.#onError);
    socket.off("close", this.#onClose);
    socket.on("error", () => {}); // TLS reports it; without a listener it would end the process
  }

  readonly #onData = (chunk: Uint8Array): void => {
    // A Buffer's slice() is a view and its toString() decodes: nothing below the face should meet one.
    this.#inbox.push(new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength));
  };

  readonly #onEnd = (): void => this.#inbox.end();

  readonly #onDrain = (): void => {
    this.#drain?.resolve();
    this.#drain = undefined;
  };

  readonly #onError = (cause: Error): void => {
    const over: Over = { by: "failure", cause };
    this.#over ??= over;
    this.#inbox.fail(this.#failure("read", over));
    this.#drain?.reject(this.#failure("write", over));
    this.#drain = undefined;
  };

  readonly #onClose = (): void => {
    if (this.#over === undefined) this.#onError(new Error("the socket was closed"));
  };

  #writeFailure(): DriverError {
    const ended: Over = { by: "us", reason: "closeWrite came before" };
    return this.#failure("write", this.#ending === undefined && this.#over !== undefined ? this.#over : ended);
  }

  #failure(operation: string, over: Over): DriverError {
    return over.by === "us" ? closedHere(this.info, operation, over.reason) : lost(this.info, operation, over.cause);
  }
}

class NodeTlsDuplex extends NodeDuplex implements TlsDuplex {
  readonly tls: TlsInfo;

  constructor(socket: TLSSocket, info: DuplexInfo, place: { host?: string; port?: number }, options: TlsOptions) {
    const tls = tlsInfo(socket);
    super(socket, { ...info, secure: options.verify.chain && options.verify.name, alpn: tls.alpn }, place);
    this.tls = tls;
  }
}

function net(): typeof import("node:net") {
  return builtinModule("node:net") as typeof import("node:net");
}
