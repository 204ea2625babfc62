/**
 * The data of a COPY out of the server, on its way into a ReadableStream, and as rows out of it.
 *
 * @module
 */

import { type Deferred, deferred } from "../../duplex/waiting.ts";
import type { CopyFormat } from "../../types/copy_format.ts";
import { copyText } from "../../types/copy_text.ts";
import { CopyOutTransfer } from "../../session/copy_out.ts";
import type { Session } from "../../session/session.ts";

/** Feeds a stream, and holds the server back while it is full. */
export class CopyReader {
  readonly #controller: ReadableStreamDefaultController<Uint8Array>;
  readonly #over = deferred<void>();
  #held: Deferred<void> | undefined;
  #ended = false;

  constructor(
    session: Session,
    text: string,
    signal: AbortSignal,
    controller: ReadableStreamDefaultController<Uint8Array>,
  ) {
    this.#controller = controller;
    const transfer = new CopyOutTransfer(text, {
      data: (bytes) => this.#data(bytes),
      done: () => this.#end(() => controller.close()),
      failed: (error) => this.#end(() => controller.error(error)),
    });
    transfer.start(session, { signal });
  }

  /** Resolves once it is over, however it ended. Never rejects. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** There is room in the stream. */
  pull(): void {
    this.#held?.resolve();
    this.#held = undefined;
  }

  #data(bytes: Uint8Array): Promise<void> | void {
    if (this.#ended) return;
    this.#controller.enqueue(bytes);
    if ((this.#controller.desiredSize ?? 0) > 0) return;
    this.#held = deferred<void>();
    return this.#held.promise;
  }

  #end(tell: () => void): void {
    this.pull();
    this.#over.resolve();
    if (this.#ended) return;
    this.#ended = true;
    try {
      tell();
    } catch {
      // It was cancelled: nobody listens.
    }
  }
}

/** The rows in a stream of a COPY's bytes, which is given up where not all of them are taken. */
export async function* copyRows<Row extends readonly unknown[]>(
  stream: ReadableStream<Uint8Array>,
  format: CopyFormat = copyText(),
): AsyncGenerator<Row, void, undefined> {
  const reader = stream.getReader();
  let ended = false;
  try {
    const decoder = format.decoder();
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
