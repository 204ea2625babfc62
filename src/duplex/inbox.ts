import type { Deferred } from "./waiting.ts";
import { deferred } from "./waiting.ts";

/** How an {@linkcode Inbox} tells its source to stop and to go on. Amounts are bytes. */
export interface Flow {
  /** `pause` is called when this much is unread... */
  readonly pauseAt: number;
  /** ...and `resume` when no more than this is left. */
  readonly resumeAt: number;
  pause(): void;
  resume(): void;
}

type End = { readonly error?: unknown };

const CHUNK_COST = 64; // what a chunk costs besides its bytes: a million chunks of one byte are not a megabyte

/**
 * Between a source that pushes (a socket's events) and a reader that pulls. A chunk that arrives while a read waits
 * goes straight to it.
 */
export class Inbox {
  readonly #flow: Flow;
  #chunks: Uint8Array[] = [];
  #next = 0;
  #unread = 0;
  #paused = false;
  #reader: Deferred<Uint8Array | null> | undefined;
  #end: End | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  /** Bytes that arrived and were not read, each chunk with a little for itself. */
  get unread(): number {
    return this.#unread;
  }

  /** Whether a read is waiting. */
  get awaited(): boolean {
    return this.#reader !== undefined;
  }

  /** Takes what arrived. Empty chunks, and whatever comes after the end, are dropped. */
  push(bytes: Uint8Array): void {
    if (bytes.length === 0 || this.#end !== undefined) return;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve(bytes);
      return;
    }
    this.#chunks.push(bytes);
    this.#unread += bytes.length + CHUNK_COST;
    if (!this.#paused && this.#unread >= this.#flow.pauseAt) {
      this.#paused = true;
      this.#flow.pause();
    }
  }

  /** The peer has ended: reads give null once everything is read. */
  end(): void {
    this.#finish({});
  }

  /** The connection broke: reads throw the error once everything is read. */
  fail(error: unknown): void {
    this.#finish({ error });
  }

  /** Wakes a read that waits and drops what is unread. `error` is only asked for when somebody waits. */
  abandon(error: () => unknown): void {
    this.#chunks = [];
    this.#next = 0;
    this.#unread = 0;
    this.#end ??= {};
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.reject(error());
  }

  /** The next chunk, null at the end; undefined where another read waits already. */
  read(): Promise<Uint8Array | null> | undefined {
    if (this.#next < this.#chunks.length) return Promise.resolve(this.#shift());
    if (this.#end !== undefined) {
      return "error" in this.#end ? Promise.reject(this.#end.error) : Promise.resolve(null);
    }
    if (this.#reader !== undefined) return undefined;
    this.#reader = deferred();
    return this.#reader.promise;
  }

  #shift(): Uint8Array {
    const bytes = this.#chunks[this.#next] as Uint8Array;
    this.#next++;
    this.#unread -= bytes.length + CHUNK_COST;
    // Dropping read chunks only now and then keeps a long queue from being moved at every read.
    if (this.#next === this.#chunks.length || this.#next === 1024) {
      this.#chunks = this.#chunks.slice(this.#next);
      this.#next = 0;
    }
    if (this.#paused && this.#unread <= this.#flow.resumeAt) {
      this.#paused = false;
      this.#flow.resume();
    }
    return bytes;
  }

  #finish(end: End): void {
    if (this.#end !== undefined) return;
    this.#end = end;
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader === undefined) return;
    if ("error" in end) reader.reject(end.error);
    else reader.resolve(null);
  }
}
