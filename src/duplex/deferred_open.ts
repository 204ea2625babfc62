/**
 * A connection that is opened by what is first written to it, for protocols whose client speaks first and transports that
 * can take its first bytes along.
 *
 * @module
 */

import type { Duplex, DuplexInfo } from "./duplex.ts";
import { busy, closedHere } from "./failures.ts";
import { type Deferred, deferred, DONE, unlessAborted } from "./waiting.ts";

/** Opens a connection and sees to it that the first bytes are sent over it, in whatever way. */
export type OpenWith = (first: Uint8Array, signal: AbortSignal) => Promise<Duplex>;

/**
 * A {@linkcode Duplex} that is not open yet: the first write opens it. Reads and further writes wait for the opening; its
 * failure is theirs. What `open` resolves with after this was closed is closed, too.
 */
export function openWithFirstWrite(info: DuplexInfo, open: OpenWith): Duplex {
  return new DeferredDuplex(info, open);
}

class DeferredDuplex implements Duplex {
  readonly closed: Promise<void>;
  readonly #info: DuplexInfo;
  readonly #open: OpenWith;
  readonly #closing: Deferred<void> = deferred();
  /** Aborts when this is closed before it is open. */
  readonly #over = new AbortController();
  readonly #opening: Deferred<Duplex> = deferred();
  #begun = false;
  #opened: Duplex | undefined;
  /** Written while the connection is being opened. */
  #early: Uint8Array[] = [];
  #reading = false;

  constructor(info: DuplexInfo, open: OpenWith) {
    this.#info = info;
    this.#open = open;
    this.closed = this.#closing.promise;
    this.#opening.promise.catch(() => {}); // told to whoever reads or writes
  }

  get info(): DuplexInfo {
    return this.#opened?.info ?? this.#info;
  }

  read(): Promise<Uint8Array | null> {
    return this.#opened?.read() ?? this.#readLater();
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#opened !== undefined) return this.#opened.write(bytes);
    if (this.#over.signal.aborted) return Promise.reject(this.#over.signal.reason);
    if (bytes.length === 0) return DONE;
    if (!this.#begun) {
      this.#begun = true;
      void this.#begin(bytes);
    } else {
      this.#early.push(bytes);
    }
    return this.#opening.promise.then(() => {});
  }

  async closeWrite(): Promise<void> {
    const duplex = this.#opened ?? await this.#opening.promise;
    await duplex.closeWrite();
  }

  close(reason: unknown = "closed by the client"): void {
    if (this.#opened !== undefined) return this.#opened.close(reason);
    if (this.#over.signal.aborted) return;
    this.#over.abort(closedHere(this.#info, "open", reason));
    this.#opening.reject(this.#over.signal.reason);
    this.#closing.resolve();
  }

  ref(): void {
    this.#opened?.ref?.();
  }

  unref(): void {
    this.#opened?.unref?.();
  }

  async #begin(first: Uint8Array): Promise<void> {
    const { signal } = this.#over;
    try {
      const duplex = await unlessAborted(this.#open(first, signal), signal, (late) => late.close(signal.reason));
      // In one go, so that nothing overtakes what was written early.
      this.#opened = duplex;
      for (const bytes of this.#early) duplex.write(bytes).catch(() => {}); // the next write or read meets the failure
      this.#early = [];
      void duplex.closed.then(this.#closing.resolve);
      this.#opening.resolve(duplex);
    } catch (error) {
      this.#opening.reject(error);
      this.#closing.resolve();
    }
  }

  async #readLater(): Promise<Uint8Array | null> {
    if (this.#reading) throw busy(this.#info, "a second read while one waits");
    this.#reading = true;
    try {
      return await (await this.#opening.promise).read();
    } finally {
      this.#reading = false;
    }
  }
}
