/**
 * COPY out of the server, as a ReadableStream of bytes or as rows.
 *
 * @module
 */

import type { CopyFormat } from "../../types/copy_format.ts";
import type { CopyReader, copyRows } from "./reader.ts";
import { Place } from "../place.ts";
import type { Request } from "../request.ts";

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
  /** Resolves once it is over, however it ended. Never rejects. */
  readonly ended: Promise<void>;
  readonly #abort = new AbortController();
  readonly #format: CopyFormat | undefined;
  /** What {@linkcode CopyOut.rows} reads by, once it is loaded. */
  readonly #copyRows: Promise<typeof copyRows>;

  /** Made by `copyTo` of a client, pool or transaction, which runs the request. */
  constructor(text: string, run: (request: Request) => void, { format, signal: own }: CopyToOptions = {}) {
    let reader: CopyReader | undefined;
    let stream: ReadableStreamDefaultController<Uint8Array> | undefined;
    super(
      {
        start: (controller) => void (stream = controller),
        pull: () => reader?.pull(),
        cancel: () => this.giveUp(),
      },
      // What ByteLengthQueuingStrategy would be, which Vercel's edge functions lack.
      { highWaterMark: HIGH_WATER, size: ({ byteLength }) => byteLength },
    );
    this.#format = format;
    const signal = own === undefined ? this.#abort.signal : AbortSignal.any([own, this.#abort.signal]);
    const controller = stream as unknown as ReadableStreamDefaultController<Uint8Array>;
    const place = new Place(({ CopyReader, copyRows }, session) => {
      const { over } = reader = new CopyReader(session, text, signal, controller);
      return { over, copyRows };
    }, { signal });
    this.ended = place.taken.then(({ over }) => over, (error) => controller.error(error));
    this.#copyRows = place.taken.then(({ copyRows }) => copyRows);
    this.#copyRows.catch(() => {}); // told to whoever reads
    run(place);
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
    const copyRows = await this.#copyRows;
    yield* copyRows<Row>(this, this.#format);
  }

  /** Gives the rest up, whoever has locked the stream. Never rejects; resolves once the connection is free for others. */
  async giveUp(): Promise<void> {
    this.#abort.abort(new Error("the reader has cancelled"));
    await this.ended;
  }
}
