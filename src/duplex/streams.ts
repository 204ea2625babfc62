import type { DriverError } from "../errors.ts";
import type { Duplex, DuplexInfo } from "./duplex.ts";
import { busy, closedHere, lost } from "./failures.ts";
import { deferred, DONE } from "./waiting.ts";
import type { Deferred } from "./waiting.ts";

/** A pair of web streams, as Cloudflare sockets, Direct Sockets and WebSocketStream hand them out. */
export interface StreamPair {
  /** Chunks are Uint8Arrays; any other view, and an ArrayBuffer, is taken too. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Takes Uint8Arrays. */
  readonly writable: WritableStream<Uint8Array>;
  /** Gives the connection up, where it takes more than to cancel the one stream and to abort the other. */
  close?(): unknown;
}

const WRITE_HIGH_WATER = 1_048_576; // bytes the sink has not taken, beyond which a write waits in any case

/**
 * Wraps any pair of web streams as a {@linkcode Duplex}. How much may be written before `write` waits (no more than a
 * mebibyte), and how much is read ahead, is for the streams' own queuing strategies to say.
 *
 * @example
 * ```ts
 * const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(); // whatever is written comes back
 * const duplex = fromStreams({ readable, writable }, { transport: "streams", remote: "echo" });
 * ```
 */
export function fromStreams(pair: StreamPair, info: DuplexInfo): Duplex {
  return new StreamsDuplex(pair, info);
}

/** Why the streams are of no more use. */
type Over = { readonly by: "us"; readonly reason: unknown } | { readonly by: "failure"; readonly cause: unknown };

/** {@linkcode fromStreams}, for adapters that must give the streams back in order to start TLS. */
export class StreamsDuplex implements Duplex {
  readonly info: DuplexInfo;
  readonly closed: Promise<void>;
  /** Whether any bytes have gone through, either way. */
  protected worked = false;
  readonly #pair: StreamPair;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #closing: Deferred<void> = deferred();
  #over: Over | undefined;
  #reading = false;
  #unsent = 0;
  #ending: Promise<void> | undefined;

  constructor(pair: StreamPair, info: DuplexInfo) {
    this.info = info;
    this.closed = this.#closing.promise;
    this.#pair = pair;
    this.#reader = pair.readable.getReader();
    this.#writer = pair.writable.getWriter();
    // Either side breaking, or both sides ending, is the end. Reads and writes report the failure themselves.
    const finish = () => this.#closing.resolve();
    Promise.all([this.#reader.closed, this.#writer.closed]).then(finish, finish);
  }

  async read(): Promise<Uint8Array | null> {
    const closed = this.#closedHere();
    if (closed !== undefined) throw this.#failure("read", closed);
    if (this.#reading) throw busy(this.info, "a second read while one waits");
    this.#reading = true;
    try {
      for (;;) {
        const { value, done } = await this.#reader.read();
        if (this.#closedHere() !== undefined) throw undefined; // the catch knows why
        if (done) return null;
        const bytes = asBytes(value);
        if (bytes.length === 0) continue;
        this.worked = true;
        return bytes;
      }
    } catch (cause) {
      throw this.#failure("read", this.#closedHere() ?? { by: "failure", cause });
    } finally {
      this.#reading = false;
    }
  }

  write(bytes: Uint8Array): Promise<void> {
    if (this.#over !== undefined) return Promise.reject(this.#failure("write", this.#over));
    if (this.#ending !== undefined) return Promise.reject(closedHere(this.info, "write", "closeWrite came before"));
    if (bytes.length === 0) return DONE;
    const written = this.#writer.write(bytes);
    this.#unsent += bytes.length;
    written.then(() => this.#onWritten(bytes.length), this.#onWriteFailure);
    // Some strategies count chunks and not bytes (Node's Duplex.toWeb takes 16,384 chunks of any size): hence our own bound.
    if (this.#unsent >= WRITE_HIGH_WATER) return this.#afterWrite(written);
    // desiredSize is null when the sink has failed.
    return (this.#writer.desiredSize ?? 0) > 0 ? DONE : this.#afterWrite(this.#writer.ready);
  }

  closeWrite(): Promise<void> {
    if (this.#ending !== undefined) return this.#ending;
    if (this.#over !== undefined) return Promise.reject(this.#failure("closeWrite", this.#over));
    this.#ending = this.#writer.close().catch((cause) => {
      this.#onWriteFailure(cause);
      throw this.#failure("closeWrite", this.#over ?? { by: "failure", cause });
    });
    return this.#ending;
  }

  close(reason: unknown = "closed by the client"): void {
    if (this.#over?.by === "us") return;
    this.#over = { by: "us", reason };
    this.#release(reason).catch(() => {});
    this.#closing.resolve();
  }

  /** Gives the streams back, unlocked. Neither a read nor a write may be waiting. */
  release(): void {
    if (this.#over !== undefined) throw this.#failure("startTls", this.#over);
    if (this.#reading) throw busy(this.info, "startTls while a read waits");
    this.#over = { by: "us", reason: "TLS took the connection over" };
    this.#reader.releaseLock();
    this.#writer.releaseLock();
  }

  /** Our own close, where one came, which it may have while a read waited. */
  #closedHere(): Over | undefined {
    return this.#over?.by === "us" ? this.#over : undefined;
  }

  async #afterWrite(ready: Promise<void>): Promise<void> {
    try {
      await ready;
    } catch (cause) {
      throw this.#failure("write", this.#over ?? { by: "failure", cause });
    }
    if (this.#over !== undefined) throw this.#failure("write", this.#over);
  }

  #onWritten(length: number): void {
    this.#unsent -= length;
    this.worked = true;
  }

  readonly #onWriteFailure = (cause: unknown): void => {
    this.#over ??= { by: "failure", cause };
    this.#closing.resolve();
  };

  async #release(reason: unknown): Promise<void> {
    const giveUpStreams = () => {
      this.#reader.cancel(reason).catch(() => {});
      this.#writer.abort(reason).catch(() => {});
    };
    // Both orders are workerd's doing: its close() waits for what is unsent, which a peer that does not read holds up for
    // ever; and a connection whose streams were given up before close() stays open until the request ends.
    if (this.#unsent > 0) giveUpStreams();
    try {
      await this.#pair.close?.();
    } finally {
      giveUpStreams();
    }
  }

  /** What it means that the streams failed. */
  protected broke(operation: string, cause: unknown): DriverError {
    return lost(this.info, operation, cause);
  }

  #failure(operation: string, over: Over): DriverError {
    return over.by === "us" ? closedHere(this.info, operation, over.reason) : this.broke(operation, over.cause);
  }
}

function asBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array && chunk.constructor === Uint8Array) return chunk;
  if (ArrayBuffer.isView(chunk)) return new Uint8Array(chunk.buffer as ArrayBuffer, chunk.byteOffset, chunk.byteLength);
  if (chunk instanceof ArrayBuffer) return new Uint8Array(chunk);
  throw new TypeError(`a chunk was of type ${typeof chunk}, and not bytes`);
}
