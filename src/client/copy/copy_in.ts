/**
 * COPY into the server, as a WritableStream or from any source of data.
 *
 * @module
 */

import { ConfigError } from "../../errors.ts";
import type { CopyFormat } from "../../types/copy_format.ts";
import type { CopyWriter } from "./writer.ts";

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

/** Whether this is data rather than options. */
export function isCopySource(given: CopySource | CopyFromOptions | undefined): given is CopySource {
  if (typeof given === "string") return true;
  return typeof given === "object" && given !== null &&
    (Symbol.iterator in given || Symbol.asyncIterator in given || "getReader" in given);
}

/** @throws {ConfigError} `QUERY_TEXT` */
export function assertCopy(text: unknown): void {
  if (typeof text !== "string") throw new ConfigError("QUERY_TEXT", `A COPY must be a string, not ${typeof text}`);
}

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
  readonly #opening: Promise<CopyWriter>;

  /** Made by `copyFrom` of a client, pool or transaction. */
  constructor(opening: Promise<CopyWriter>) {
    let writer: CopyWriter | undefined;
    super({
      async start(controller) {
        writer = await opening;
        // What the server refuses is told at once, not by the next write.
        writer.ended.catch((error) => controller.error(error));
        await writer.started;
      },
      write: (chunk) => writer?.write(chunk),
      async close() {
        await writer?.finish();
      },
      abort: (reason) => writer?.giveUp(reason instanceof Error ? reason.message : String(reason ?? "aborted")),
    });
    this.#opening = opening;
    this.rowCount = opening.then(({ ended }) => ended);
    this.rowCount.catch(() => {});
  }

  /** Stores nothing, whoever has locked the stream. Never rejects; resolves once the connection is free for others. */
  async giveUp(): Promise<void> {
    const writer = await this.#opening.catch(() => undefined);
    await writer?.giveUp("the COPY was given up");
  }
}
