/**
 * COPY into the server, as a WritableStream or from any source of data.
 *
 * @module
 */

import { deferred } from "../duplex/waiting.ts";
import { ConfigError } from "../errors.ts";
import { CopyInTransfer } from "../session/copy_in.ts";
import type { Session } from "../session/session.ts";
import { copyText } from "../types/copy_text.ts";
import type { CopyFormat } from "../types/copy_format.ts";
import { encodeUtf8 } from "../utf8.ts";
import type { Request } from "./request.ts";

/** Data for a COPY: bytes or text as it stands, cut anywhere, or a row as an array of its values. */
export type CopyChunk = Uint8Array | string | readonly unknown[];

/** Where the data of a COPY may come from. */
export type CopySource =
  | string
  | Uint8Array
  | Iterable<CopyChunk>
  | AsyncIterable<CopyChunk>
  | ReadableStream<CopyChunk>;

/** How data is copied into the server. */
export interface CopyFromOptions {
  /** What rows are written as; it must be what the command says. Default: `copyText()`. */
  readonly format?: CopyFormat | undefined;
  /** Gives the COPY up: nothing of it is stored. */
  readonly signal?: AbortSignal | undefined;
}

/** Small pieces are gathered to this many bytes. */
const GATHERED_LENGTH = 65_536;

/** Whether this is data rather than options. */
export function isCopySource(given: CopySource | CopyFromOptions | undefined): given is CopySource {
  if (typeof given === "string") return true;
  return typeof given === "object" && given !== null &&
    (Symbol.iterator in given || Symbol.asyncIterator in given || "getReader" in given);
}

/** Gives a COPY to a client, as soon as it is connected. */
export type RunRequest = (request: Request) => void;

/**
 * A COPY into the server as a WritableStream of bytes, text and rows. Closing it stores what was written, aborting it
 * stores nothing. The connection is its own until then.
 *
 * @example
 * ```ts
 * const copy = client.copyFrom("copy people from stdin (format csv)");
 * await (await fetch("https://example.com/people.csv")).body?.pipeTo(copy);
 * console.log(await copy.rowCount);
 * ```
 */
export class CopyIn extends WritableStream<CopyChunk> {
  /** Resolves with the number of rows once all is stored. */
  readonly rowCount: Promise<number>;
  readonly #writer: CopyWriter;

  /** Made by `copyFrom` of a client, pool or transaction. */
  constructor(writer: CopyWriter) {
    super({
      start(controller) {
        // What the server refuses is told at once, not by the next write.
        writer.ended.catch((error) => controller.error(error));
        return writer.started.then(() => {});
      },
      write: (chunk) => writer.write(chunk),
      async close() {
        await writer.finish();
      },
      abort: (reason) => writer.giveUp(reason instanceof Error ? reason.message : String(reason ?? "aborted")),
    });
    this.#writer = writer;
    this.rowCount = writer.ended;
  }

  /** Stores nothing, whoever has locked the stream. Never rejects; resolves once the connection is free for others. */
  async giveUp(): Promise<void> {
    await this.#writer.giveUp("the COPY was given up");
  }
}

/**
 * Copies all that a source brings; resolves with the number of rows.
 *
 * What fails it is told at once, although the source may be waited for in vain.
 */
export function copyAll(writer: CopyWriter, source: CopySource): Promise<number> {
  return new Promise((resolve, reject) => {
    let cause: unknown;
    // What the server says of a COPY that was given up is that it was.
    writer.ended.then(resolve, (error) => reject(cause ?? error));
    pump(writer, source).catch((error) => {
      cause = writer.failure ?? error;
      writer.giveUp(error instanceof Error ? error.message : String(error)).then(() => reject(cause));
    });
  });
}

async function pump(writer: CopyWriter, source: CopySource): Promise<void> {
  await writer.started;
  const chunks = chunksOf(source);
  if (Symbol.asyncIterator in chunks) {
    for await (const chunk of chunks) await writer.write(chunk);
  } else {
    for (const chunk of chunks) {
      const held = writer.write(chunk);
      if (held !== undefined) await held;
    }
  }
  await writer.finish();
}

function chunksOf(source: CopySource): Iterable<CopyChunk> | AsyncIterable<CopyChunk> {
  if (typeof source === "string" || source instanceof Uint8Array) return [source];
  // A stream without iteration, as some browsers have it.
  if (!(Symbol.asyncIterator in source) && "getReader" in source) {
    return readAll(source as unknown as ReadableStream<CopyChunk>);
  }
  return source as Iterable<CopyChunk> | AsyncIterable<CopyChunk>;
}

async function* readAll(stream: ReadableStream<CopyChunk>): AsyncGenerator<CopyChunk> {
  const reader = stream.getReader();
  let done = false;
  try {
    for (;;) {
      const next = await reader.read();
      done = next.done;
      if (next.done) return;
      yield next.value;
    }
  } finally {
    if (!done) await reader.cancel();
  }
}

/** Turns chunks into data, in pieces that are worth sending. */
export class CopyWriter implements Request {
  readonly timeoutMillis = 0;
  readonly signal: AbortSignal | undefined;
  readonly #transfer: CopyInTransfer;
  readonly #format: CopyFormat;
  readonly #over = deferred<void>();
  #wroteRows = false;
  #text = "";
  #bytes: Uint8Array = new Uint8Array(GATHERED_LENGTH);
  #length = 0;
  #failure: Error | undefined;

  constructor(text: string, { format = copyText(), signal }: CopyFromOptions = {}) {
    if (typeof text !== "string") throw new ConfigError("QUERY_TEXT", `A COPY must be a string, not ${typeof text}`);
    this.#transfer = new CopyInTransfer(text);
    this.#format = format;
    this.signal = signal;
    this.ended.then(() => this.#over.resolve(), (error) => {
      this.#failure = error;
      this.#over.resolve();
    });
  }

  get started(): Promise<unknown> {
    return this.#transfer.started;
  }

  get ended(): Promise<number> {
    return this.#transfer.ended;
  }

  /** Why it has failed, where it has. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  start(session: Session): void {
    this.#transfer.start(session, { signal: this.signal });
  }

  failed(error: Error): void {
    this.#transfer.refuse(error);
  }

  /** A promise resolves when more may be written; without one it may be at once. */
  write(chunk: CopyChunk): Promise<void> | void {
    if (typeof chunk === "string" || chunk instanceof Uint8Array) return this.#add(chunk);
    if (!Array.isArray(chunk)) {
      throw new ConfigError("COPY_CHUNK", `data for a COPY is text, bytes or an array of values, not ${typeof chunk}`);
    }
    const row = this.#format.encodeRow(chunk);
    if (this.#wroteRows) return this.#add(row);
    this.#wroteRows = true;
    return this.#add(joined(this.#format.header, row));
  }

  /** Resolves with the number of rows once the server has stored all. */
  async finish(): Promise<number> {
    if (this.#wroteRows) await this.#add(this.#format.trailer);
    await this.#flushText();
    await this.#flushBytes();
    this.#transfer.finish();
    return await this.ended;
  }

  /** Never rejects; resolves once the connection is free. */
  async giveUp(reason: string): Promise<void> {
    this.#transfer.giveUp(reason);
    await this.#over.promise;
  }

  #add(data: string | Uint8Array): Promise<void> | void {
    if (typeof data === "string") {
      this.#text += data;
      if (this.#text.length >= GATHERED_LENGTH / 2) return this.#flushText();
    } else return this.#addBytes(data);
  }

  async #flushText(): Promise<void> {
    if (this.#text === "") return;
    // Half of a surrogate pair waits for its other half.
    const last = this.#text.charCodeAt(this.#text.length - 1);
    const half = last >= 0xd800 && last <= 0xdbff ? 1 : 0;
    const text = this.#text.slice(0, this.#text.length - half);
    this.#text = this.#text.slice(text.length);
    await this.#flushBytes();
    await this.#transfer.write(encodeUtf8(text));
  }

  #addBytes(data: Uint8Array): Promise<void> | void {
    if (this.#text !== "" || this.#length + data.length > GATHERED_LENGTH) return this.#addAfterFlush(data);
    this.#bytes.set(data, this.#length);
    this.#length += data.length;
  }

  async #addAfterFlush(data: Uint8Array): Promise<void> {
    await this.#flushText();
    await this.#flushBytes();
    if (data.length > GATHERED_LENGTH) await this.#transfer.write(data);
    else this.#addBytes(data);
  }

  async #flushBytes(): Promise<void> {
    if (this.#length === 0) return;
    const bytes = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    await this.#transfer.write(bytes);
  }
}

function joined(first: string | Uint8Array, second: string | Uint8Array): string | Uint8Array {
  if (typeof first === "string" && typeof second === "string") return first + second;
  const [head, tail] = [first, second].map((part) => typeof part === "string" ? encodeUtf8(part) : part);
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
