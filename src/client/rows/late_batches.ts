/**
 * Rows of a query whose turn has not come, or whose reader is still being loaded.
 *
 * @module
 */

import { deferred } from "../../duplex/waiting.ts";
import type { FieldDescription } from "../../protocol/row_description.ts";
import { type Batch, type BatchSource, NOTHING } from "./batches.ts";
import { Place } from "../place.ts";
import type { PortalHost, PortalReader, PortalReaderInput } from "./portal_reader.ts";
import type { Request } from "../request.ts";

/** Runs a request on a client, as soon as that is connected, and tells which client it is before. */
type Run = (request: Request, lent: (host: PortalHost) => void) => void;

/** Asks for the query's turn at the first read. */
export class LateBatches implements BatchSource {
  readonly #input: Omit<PortalReaderInput, "host">;
  readonly #run: Run;
  readonly #closed = deferred<Batch>();
  #place: Place<PortalReader | undefined> | undefined;
  #reader: PortalReader | undefined;
  #host: PortalHost | undefined;
  #over = false;

  constructor(input: Omit<PortalReaderInput, "host">, run: Run) {
    this.#input = input;
    this.#run = run;
  }

  /** Resolves once the connection is free of it. Never rejects. */
  get ended(): Promise<void> {
    return Promise.resolve(this.#place?.taken.then((reader) => reader?.ended, () => {}));
  }

  get fields(): readonly FieldDescription[] | undefined {
    return this.#reader?.fields;
  }

  read(maxRows: number): Promise<Batch> {
    if (this.#over) return Promise.resolve(NOTHING);
    if (this.#reader !== undefined) return this.#reader.read(maxRows);
    this.#place = new Place(({ PortalReader }, session) => {
      const host = this.#host;
      if (this.#over || host === undefined) return;
      this.#reader = new PortalReader(session, { ...this.#input, host }, maxRows);
      return this.#reader;
    }, { signal: this.#input.config.signal });
    this.#run(this.#place, (host) => this.#host = host);
    const first = this.#place.taken.then((reader) => reader?.first ?? NOTHING);
    return Promise.race([first, this.#closed.promise]);
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#closed.resolve(NOTHING);
    await this.#reader?.close();
  }
}
