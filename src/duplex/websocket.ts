/**
 * A WebSocket as a byte stream: the runtime's own, or npm `ws` on Node.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import type { DriverError } from "../errors.ts";
import type { Duplex, DuplexInfo } from "./duplex.ts";
import { aborted, busy, closedHere, lost, TARGET_RESET, wordsOf } from "./failures.ts";
import { Inbox } from "./inbox.ts";
import { platformWebSocket } from "./platform_websocket.ts";
import { describeUrl } from "./proxy_url.ts";
import type { Target } from "./target.ts";
import { systemFailure } from "./system_failure.ts";
import { remoteName } from "./target.ts";
import { deferred, DONE, unlessAborted } from "./waiting.ts";
import type { Deferred } from "./waiting.ts";

/** What is used of a WebSocket: the standard's, and of npm `ws` what the standard lacks. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  /** Missing in workerd, where writes therefore never wait. */
  readonly bufferedAmount?: number;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: "open" | "message" | "error" | "close", listener: (event: WebSocketEvent) => void): void;
  terminate?(): void;
  pause?(): void;
  resume?(): void;
  ref?(): void;
  unref?(): void;
}

/** Of the four events of a WebSocket, each has some of these. */
export interface WebSocketEvent {
  readonly data?: unknown;
  readonly message?: string;
  readonly error?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

/** Makes a WebSocket, which is then opening. */
export type WebSocketFactory = (url: string, protocols: string[]) => WebSocketLike;

/** How to open a WebSocket. */
export interface WebSocketOptions {
  /** Subprotocols to offer (RFC 6455 section 1.9), the preferred first; default none. */
  readonly protocols?: readonly string[] | undefined;
  /** Another WebSocket than the runtime's own. */
  readonly webSocket?: WebSocketFactory | undefined;
  /**
   * How many bytes may lie unread where the WebSocket cannot be paused (every one but npm `ws`), before the connection
   * is given up; default 256 MiB.
   */
  readonly maxUnread?: number | undefined;
}

/** A {@linkcode Duplex} over a WebSocket. */
export interface WebSocketDuplex extends Duplex {
  /** The subprotocol that the peer chose; empty for none. */
  readonly protocol: string;
}

const MAX_UNREAD = 256 * 1024 * 1024; // bytes, the default of maxUnread
const PAUSE_AT = 1024 * 1024; // unread bytes, where the socket can be paused
const RESUME_AT = 256 * 1024;
const MAX_FRAME = 32 * 1024; // some relays accept no larger message unless told to
const WRITE_HIGH_WATER = 1024 * 1024; // bytes that the WebSocket holds back, beyond which a write waits...
const WRITE_LOW_WATER = 256 * 1024; // ...for no more than this to be left
const MAX_POLL_MILLIS = 32;

/**
 * Opens a WebSocket to a proxy, and through it the target.
 *
 * A WebSocket differs from a socket in three ways. It has **no half-close**: `closeWrite` begins the closing handshake
 * (1000) after what was written, and what arrives after that is only read where the WebSocket still delivers it (npm
 * `ws` does, the standard does not). It tells by **no event that more may be written**, so that a write that has to
 * wait polls `bufferedAmount`. And the standard one **cannot be paused**: when `maxUnread` bytes lie unread,
 * the connection is given up (`TRANSPORT_OVERFLOW`).
 *
 * The peer's closing with 1000, or without a code, is the end of its bytes; any other closing is `TRANSPORT_LOST`, with
 * its code and reason in words.
 *
 * @example
 * ```ts
 * const target = { host: "db.example.com", port: 5432 };
 * const duplex = await openWebSocket("wss://proxy.example.com/v1?address=db.example.com:5432", target);
 * ```
 *
 * @throws {TransportError} `TRANSPORT_OPEN_FAILED`, `TRANSPORT_ABORTED`, `TRANSPORT_UNAVAILABLE` where there is no
 * WebSocket, or the signal's reason where it is a DriverError
 */
export async function openWebSocket(
  url: string,
  target: Target,
  options: WebSocketOptions = {},
): Promise<WebSocketDuplex> {
  const { host, port, signal } = target;
  const place = { host, port, transport: "websocket", phase: "open" as const };
  const info = { transport: "websocket", remote: `${remoteName(target)} through ${describeUrl(url)}` };
  const failed = (detail: string, cause?: unknown) =>
    new TransportError(
      "TRANSPORT_OPEN_FAILED",
      `the WebSocket to the proxy ${describeUrl(url)} for ${remoteName(target)} could not be opened: ` +
        `${withoutSecrets(detail, url)} (check that the proxy runs and allows this target)`,
      // An error that shows the URL may show a token.
      {
        ...place,
        cause: wordsOf(cause) === withoutSecrets(wordsOf(cause), url) ? cause : undefined,
        system: systemFailure(cause),
        safeToRetry: true,
      },
    );
  const create = options.webSocket ?? givenWebSocket(target) ?? await platformWebSocket();
  if (signal?.aborted) throw aborted("opening the WebSocket", signal.reason, place);
  let socket: WebSocketLike;
  try {
    socket = create(url, [...options.protocols ?? []]);
  } catch (cause) {
    throw failed(wordsOf(cause), cause);
  }
  socket.binaryType = "arraybuffer";
  const { promise, resolve, reject } = deferred<WebSocketDuplex>();
  socket.addEventListener("open", () => resolve(new OpenWebSocket(socket, info, options.maxUnread ?? MAX_UNREAD)));
  socket.addEventListener("error", (event) => reject(failed(errorWords(event), event.error)));
  socket.addEventListener("close", (event) => reject(failed(closeWords(event))));
  try {
    return await unlessAborted(promise, signal, (late) => late.close());
  } catch (error) {
    release(socket);
    throw signal?.aborted ? aborted("opening the WebSocket", signal.reason, place) : error;
  }
}

/** Why the WebSocket is of no more use. */
type Over =
  | { readonly by: "us"; readonly reason: unknown }
  | { readonly by: "peer"; readonly clean: boolean; readonly words: string };

class OpenWebSocket implements WebSocketDuplex {
  readonly info: DuplexInfo;
  readonly protocol: string;
  readonly closed: Promise<void>;
  readonly #socket: WebSocketLike;
  readonly #inbox: Inbox;
  readonly #closing: Deferred<void> = deferred();
  #over: Over | undefined;
  #writing: Promise<void> | undefined;
  #ending: Promise<void> | undefined;
  #sleepers = new Set<() => void>();

  constructor(socket: WebSocketLike, info: DuplexInfo, maxUnread: number) {
    this.info = info;
    this.protocol = socket.protocol;
    this.closed = this.#closing.promise;
    this.#socket = socket;
    const pausable = socket.pause !== undefined && socket.resume !== undefined;
    this.#inbox = new Inbox(
      pausable
        ? { pauseAt: PAUSE_AT, resumeAt: RESUME_AT, pause: () => socket.pause?.(), resume: () => socket.resume?.() }
        : { pauseAt: maxUnread, resumeAt: 0, pause: () => this.#overflow(maxUnread), resume: () => {} },
    );
    socket.addEventListener("message", ({ data }) => this.#onMessage(data));
    // workerd reports an error where a peer, asked by closeWrite to close, just does.
    socket.addEventListener("error", (event) => {
      this.#finish({ by: "peer", clean: this.#ending !== undefined, words: errorWords(event) });
    });
    // 1005 stands for a close without a code.
    socket.addEventListener("close", (event) => {
      this.#finish({ by: "peer", clean: event.code === 1000 || event.code === 1005, words: closeWords(event) });
    });
  }

  read(): Promise<Uint8Array | null> {
    if (this.#over?.by === "us") return Promise.reject(this.#failure("read", this.#over));
    return this.#inbox.read() ?? Promise.reject(busy(this.info, "a second read while one waits"));
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#failure("write", this.#over));
    if (this.#ending !== undefined) return Promise.reject(closedHere(this.info, "write", "closeWrite came before"));
    for (let from = 0; from < bytes.length; from += MAX_FRAME) {
      this.#socket.send(bytes.length <= MAX_FRAME ? bytes : bytes.subarray(from, from + MAX_FRAME));
    }
    if ((this.#socket.bufferedAmount ?? 0) <= WRITE_HIGH_WATER) return DONE;
    this.#writing ??= this.#waitToWrite();
    return this.#writing;
  }

  closeWrite(): Promise<void> {
    if (this.#ending !== undefined) return this.#ending;
    if (this.#over !== undefined) return Promise.reject(this.#failure("closeWrite", this.#over));
    this.#ending = this.#end();
    return this.#ending;
  }

  close(reason: unknown = "closed by the client"): void {
    this.#finish({ by: "us", reason });
  }

  ref(): void {
    this.#socket.ref?.();
  }

  unref(): void {
    this.#socket.unref?.();
  }

  async #waitToWrite(): Promise<void> {
    await this.#drained(WRITE_LOW_WATER);
    this.#writing = undefined;
    if (this.#over !== undefined) throw this.#failure("write", this.#over);
  }

  async #end(): Promise<void> {
    this.#socket.close(1000);
    await this.#drained(0);
    const over = this.#over;
    if (over?.by === "us" || over?.clean === false) throw this.#failure("closeWrite", over);
  }

  /** Waits until the WebSocket holds back no more than so many bytes, or is over. */
  async #drained(lowWater: number): Promise<void> {
    for (let millis = 1; this.#over === undefined; millis = Math.min(2 * millis, MAX_POLL_MILLIS)) {
      if ((this.#socket.bufferedAmount ?? 0) <= lowWater) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          clearTimeout(timer);
          this.#sleepers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, millis);
        this.#sleepers.add(wake);
      });
    }
  }

  #onMessage(data: unknown): void {
    if (data instanceof ArrayBuffer) return this.#inbox.push(new Uint8Array(data));
    const words = `it sent a ${typeof data === "string" ? "text" : "Blob"} message where bytes were expected`;
    this.#finish({ by: "peer", clean: false, words });
    release(this.#socket);
  }

  #overflow(maxUnread: number): void {
    const place = { transport: this.info.transport };
    const words =
      `${maxUnread} bytes from ${this.info.remote} lie unread, and a WebSocket cannot be paused: read faster`;
    this.#finish({ by: "peer", clean: false, words }, new TransportError("TRANSPORT_OVERFLOW", words, place));
    release(this.#socket);
  }

  /** The one way into being over: our own close comes through even after the peer's, everything else only once. */
  #finish(over: Over, error?: TransportError): void {
    if (this.#over?.by === "us" || (this.#over !== undefined && over.by === "peer")) return;
    this.#over = over;
    if (over.by === "us") {
      this.#inbox.abandon(() => this.#failure("read", over));
      release(this.#socket);
    } else if (over.clean) {
      this.#inbox.end();
    } else {
      this.#inbox.fail(error ?? this.#failure("read", over));
    }
    for (const wake of this.#sleepers) wake();
    this.#closing.resolve();
  }

  #failure(operation: string, over: Over): DriverError {
    if (over.by === "us") return closedHere(this.info, operation, over.reason);
    const cause = new Error(over.words);
    return lost(
      this.info,
      operation,
      over.words.endsWith(TARGET_RESET) ? Object.assign(cause, { code: "ECONNRESET" }) : cause,
    );
  }
}

/** Closes and, where the WebSocket can, does not wait for the peer to agree. */
function release(socket: WebSocketLike): void {
  try {
    socket.close(1000);
    socket.terminate?.();
  } catch {
    // closed already
  }
}

/** The WebSocket that the options bring; it is the caller's to see that it is one. */
function givenWebSocket({ webSocket }: Target): WebSocketFactory | undefined {
  const Given = webSocket?.() as (new (url: string, protocols: string[]) => WebSocketLike) | undefined;
  return Given && ((url, protocols) => new Given(url, protocols));
}

function errorWords({ message, error }: WebSocketEvent): string {
  if (message) return message;
  return error === undefined ? "the platform tells no reason" : wordsOf(error);
}

// RFC 6455 section 7.4.1, and the registry that it founded.
const CLOSE_CODES: Readonly<Record<number, string>> = {
  1000: "done",
  1001: "going away",
  1002: "protocol error",
  1003: "this kind of data is not accepted",
  1006: "cut off without a closing handshake",
  1007: "invalid data",
  1008: "against its policy",
  1009: "message too big",
  1010: "an extension is missing",
  1011: "internal error",
  1012: "restarting",
  1013: "try again later",
  1014: "bad gateway",
  1015: "TLS failed",
};

/** `closed with 1008 (against its policy): not on the list`. */
function closeWords({ code = 1006, reason = "" }: WebSocketEvent): string {
  const meaning = CLOSE_CODES[code];
  return `closed with ${code}${meaning === undefined ? "" : ` (${meaning})`}${reason === "" ? "" : `: ${reason}`}`;
}

/** Replaces a URL by what of it may be shown; some platforms quote it. */
function withoutSecrets(words: string, url: string): string {
  const query = new URL(url).search;
  const shown = words.replaceAll(url, describeUrl(url));
  return query === "" ? shown : shown.replaceAll(query, "");
}
