/**
 * The data of a COPY into the server, gathered to pieces that are worth sending.
 *
 * @module
 */

import { deferred } from "../../duplex/waiting.ts";
import { ConfigError } from "../../errors.ts";
import { CopyInTransfer } from "../../session/copy_in.ts";
import type { Session } from "../../session/session.ts";
import { copyText } from "../../types/copy_text.ts";
import type { CopyFormat } from "../../types/copy_format.ts";
import { encodeUtf8 } from "../../utf8.ts";
import type { CopyChunk, CopyFromOptions, CopySource } from "./copy_in.ts";

/** Small pieces are gathered to this many bytes. */
const GATHERED_LENGTH = 65_536;

/** Turns chunks into data, in pieces that are worth sending. */
export class CopyWriter {
  readonly #transfer: CopyInTransfer;
  readonly #format: CopyFormat;
  readonly #over = deferred<void>();
  #wroteRows = false;
  #text = "";
  #bytes: Uint8Array = new Uint8Array(GATHERED_LENGTH);
  #length = 0;
  #failure: Error | undefined;

  constructor(session: Session, text: string, { format = copyText(), signal }: CopyFromOptions = {}) {
    this.#transfer = new CopyInTransfer(text);
    this.#format = format;
    this.ended.then(() => this.#over.resolve(), (error) => {
      this.#failure = error;
      this.#over.resolve();
    });
    this.#transfer.start(session, { signal });
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

  /**
   * Writes all that a source brings; resolves with the number of rows.
   *
   * What fails it is told at once, although the source may be waited for in vain.
   */
  copyAll(source: CopySource): Promise<number> {
    return new Promise((resolve, reject) => {
      let cause: unknown;
      // What the server says of a COPY that was given up is that it was.
      this.ended.then(resolve, (error) => reject(cause ?? error));
      pump(this, source).catch((error) => {
        cause = this.failure ?? error;
        this.giveUp(error instanceof Error ? error.message : String(error)).then(() => reject(cause));
      });
    });
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

function joined(first: string | Uint8Array, second: string | Uint8Array): string | Uint8Array {
  if (typeof first === "string" && typeof second === "string") return first + second;
  const [head, tail] = [first, second].map((part) => typeof part === "string" ? encodeUtf8(part) : part);
  const bytes = new Uint8Array(head.length + tail.length);
  bytes.set(head);
  bytes.set(tail, head.length);
  return bytes;
}
