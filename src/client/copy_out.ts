/**
 * COPY out of the server, as a ReadableStream of bytes or as rows.
 *
 * @module
 */

import { type Deferred, deferred } from "../duplex/waiting.ts";
import { ConfigError } from "../errors.ts";
import { CopyOutTransfer } from "../session/copy_out.ts";
import type { Session } from "../session/session.ts";
import type { CopyFormat } from "../types/copy_format.ts";
import { copyText } from "../types/copy_text.ts";
import type { RunRequest } from "./copy_in.ts";
import type { Request } from "./request.ts";

/** How data is copied out of the server. */
export interface CopyToOptions {
  /** What {@linkcode CopyOut.rows} reads; it must be what the command says. Default: `copyText()`. */
  readonly format?: CopyFormat | undefined;
  /** Gives the COPY up; the server is asked to cancel it. */
  readonly signal?: AbortSignal | undefined;
}

/** While this many bytes wait to be read, the server is held back. */
const HIGH_WATER = 262_144;

/**
 * A COPY out of the server as a ReadableStream of bytes, cut anywhere. The connection is its own until it was read to
 * its end or cancelled. The command is sent at once.
 *
 * @example
 * ```ts
 * for await (const bytes of client.copyTo("copy people to stdout (format csv)")) await file.write(bytes);
 * ```
 */
export class CopyOut extends ReadableStream<Uint8Array> {
  readonly #source: CopyOutSource;
  readonly #format: CopyFormat;

  /** Made by `copyTo` of a client, pool or transaction. */
  constructor(text: string, run: RunRequest, { format = copyText(), signal }: CopyToOptions = {}) {
    if (typeof text !== "string") throw new ConfigError("QUERY_TEXT", `A COPY must be a string, not ${typeof text}`);
    const source = new CopyOutSource(text, signal);
    super(
      {
        start: (controller) => source.open(controller, run),
        pull: () => source.pull(),
        cancel: () => source.giveUp(),
      },
      // What ByteLengthQueuingStrategy would be, which Vercel's edge functions lack.
      { highWaterMark: HIGH_WATER, size: ({ byteLength }) => byteLength },
    );
    this.#source = source;
    this.#format = format;
  }

  /**
   * The rows one by one: strings and nulls, or for `copyBinary` the values of its types. Leaving a `for await` early
   * gives the rest up.
   *
   * @example
   * ```ts
   * for await (const [id, name] of client.copyTo("copy people to stdout").rows()) console.log(id, name);
   * ```
   */
  async *rows<Row extends readonly unknown[] = readonly (string | null)[]>(): AsyncGenerator<Row, void, undefined> {
    const decoder = this.#format.decoder();
    const reader = this.getReader();
    let ended = false;
    try {
      for (;;) {
        const { value, done } = await reader.read();
        ended = done;
        yield* (done ? decoder.end() : decoder.push(value)) as unknown as Row[];
        if (done) return;
      }
    } finally {
      if (!ended) await reader.cancel().catch(() => {});
      reader.releaseLock();
    }
  }

  /** Resolves once it is over, however it ended. Never rejects. */
  get ended(): Promise<void> {
    return this.#source.over;
  }

  /** Gives the rest up, whoever has locked the stream. Never rejects; resolves once the connection is free for others. */
  async giveUp(): Promise<void> {
    await this.#source.giveUp();
  }
}

class CopyOutSource implements Request {
  readonly timeoutMillis = 0;
  readonly signal: AbortSignal;
  readonly #abort = new AbortController();
  readonly #text: string;
  readonly #over = deferred<void>();
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #held: Deferred<void> | undefined;
  #ended = false;

  constructor(text: string, signal: AbortSignal | undefined) {
    this.#text = text;
    this.signal = signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
  }

  get over(): Promise<void> {
    return this.#over.promise;
  }

  open(controller: ReadableStreamDefaultController<Uint8Array>, run: RunRequest): void {
    this.#controller = controller;
    run(this);
  }

  pull(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  async giveUp(): Promise<void> {
    this.#abort.abort(new Error("the reader has cancelled"));
    await this.#over.promise;
  }

  start(session: Session): void {
    if (this.#ended) return;
    const transfer = new CopyOutTransfer(this.#text, {
      data: (bytes) => this.#data(bytes),
      done: () => this.#end((controller) => controller.close()),
      failed: (error) => this.failed(error),
    });
    transfer.start(session, { signal: this.signal });
  }

  failed(error: Error): void {
    this.#end((controller) => controller.error(error));
  }

  #data(bytes: Uint8Array): Promise<void> | void {
    const controller = this.#controller;
    if (controller === undefined || this.#ended) return;
    controller.enqueue(bytes);
    if ((controller.desiredSize ?? 0) > 0) return;
    this.#held = deferred<void>();
    return this.#held.promise;
  }

  #end(tell: (controller: ReadableStreamDefaultController<Uint8Array>) => void): void {
    this.pull();
    this.#over.resolve();
    if (this.#ended || this.#controller === undefined) return;
    this.#ended = true;
    try {
      tell(this.#controller);
    } catch {
      // It was cancelled: nobody listens.
    }
  }
}
