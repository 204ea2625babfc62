/**
 * The socket that submittables believe to be under their connection. COPY streams write messages of their own making to
 * it, and take the messages of a COPY out of it before the connection has read them.
 *
 * @module
 */

import { EventEmitter } from "events";
import { type Deferred, deferred } from "../../duplex/waiting.ts";
import { encodeUtf8 } from "../../utf8.ts";
import type { FrontendMessages } from "./frontend_messages.ts";

/** What the stream asks of its connection. */
export interface ConnectionStreamControl {
  /** For whoever's turn it is. */
  messages(): FrontendMessages | undefined;
  destroy(reason: Error | undefined): void;
  ref(): void;
  unref(): void;
}

/**
 * As much of Node's socket as libraries on node-postgres use. Bytes come out of it only while nobody listens to `data`,
 * that is, after a COPY stream has taken the connection's own listener away.
 */
export class ConnectionStream extends EventEmitter {
  readonly #control: ConnectionStreamControl;
  #unread: Uint8Array | null = null;
  #wakeReader: (() => void) | undefined;
  #paused: Deferred<void> | undefined;
  #closed = false;
  #destroyed = false;

  /** @internal */
  constructor(control: ConnectionStreamControl) {
    super();
    this.#control = control;
    // As a socket of Node's, it is broken by whoever emits an error there.
    this.on("error", (error: Error) => this.destroy(error));
  }

  /** False once the connection is over. */
  get writable(): boolean {
    return !this.destroyed;
  }

  /** False once the connection is over. */
  get readable(): boolean {
    return !this.destroyed;
  }

  /** True once the connection is over. */
  get destroyed(): boolean {
    return this.#closed || this.#destroyed;
  }

  /** `closed` once the connection is over. */
  get readyState(): "open" | "closed" {
    return this.destroyed ? "closed" : "open";
  }

  /** Whether somebody takes the messages out before the connection reads them. */
  get tapped(): boolean {
    return this.listenerCount("data") === 0;
  }

  /** Sends whole messages as they are. False: better wait for `drain`. */
  write(chunk: Uint8Array | string, ...rest: unknown[]): boolean {
    const bytes = typeof chunk === "string" ? encodeUtf8(chunk) : chunk;
    const more = this.#control.messages()?.send(bytes, this) ?? true;
    const written = rest.find((argument) => typeof argument === "function");
    if (typeof written === "function") queueMicrotask(() => written());
    return more;
  }

  /** The bytes that wait to be read, or null. */
  read(): Uint8Array | null {
    const bytes = this.#unread;
    this.#unread = null;
    this.#wakeReader?.();
    this.#wakeReader = undefined;
    return bytes;
  }

  /**
   * Offers a message to whoever took the `data` listener away. A promise: it was not read yet, and nothing may follow
   * until it was.
   */
  offer(message: Uint8Array): Promise<void> | void {
    this.#unread = message;
    this.emit("readable");
    if (this.#unread === null) return;
    return new Promise((resolve) => this.#wakeReader = resolve);
  }

  /** The connection is over. */
  closed(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.resume().read();
    this.emit("end");
    this.emit("close");
  }

  /** Ends the connection under its client, for which that is a failure. */
  end(): this {
    return this.destroy();
  }

  /** Breaks the client's connection off, for this reason. */
  destroy(reason?: Error): this {
    if (this.#destroyed) return this;
    this.#destroyed = true;
    // As with a socket, whoever is told by this hears it once this has returned.
    queueMicrotask(() => this.#control.destroy(reason));
    return this;
  }

  /** As {@linkcode Connection.ref}. */
  ref(): this {
    this.#control.ref();
    return this;
  }

  /** As {@linkcode Connection.unref}. */
  unref(): this {
    this.#control.unref();
    return this;
  }

  /** Of no effect: what is written in one turn of the event loop leaves as one in any case. */
  cork(): void {}

  /** See {@linkcode ConnectionStream.cork}. */
  uncork(): void {}

  /** Holds back what follows the message that is told now, and with it the server, until {@linkcode resume}. */
  pause(): this {
    this.#paused ??= deferred<void>();
    return this;
  }

  /** Lets messages come again. */
  resume(): this {
    this.#paused?.resolve();
    this.#paused = undefined;
    return this;
  }

  /** Undefined unless it is paused: then resolves when it goes on. */
  get resumed(): Promise<void> | undefined {
    return this.#paused?.promise;
  }

  /** Of no effect: the transport's own options decide. */
  setNoDelay(): this {
    return this;
  }

  /** See {@linkcode ConnectionStream.setNoDelay}. */
  setKeepAlive(): this {
    return this;
  }
}
