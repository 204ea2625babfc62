/**
 * Rows of a query whose turn has not come, or whose reader is still being loaded.
 *
 * @module
 */

import { deferred } from "../../duplex/waiting.ts";
import type { FieldDescription } from "../../protocol/row_description.ts";
import { type Batch, type BatchSource, NOTHING } from "./batches.ts";
import { Place } from "../place.ts";
import type { PortalReader, PortalReaderInput } from "./portal_reader.ts";
import type { Request } from "../request.ts";

/** What a query's rows are read by, once a client has its turn. */
export interface LateBatchesInput extends Omit<PortalReaderInput, "host"> {
  /** The client; asked once the request has its session. */
  readonly host: () => PortalReaderInput["host"];
  /** Runs the request on the client, as soon as it is connected. */
  readonly run: (request: Request) => void;
}

/** Asks for the query's turn at the first read. */
export class LateBatches implements BatchSource {
  readonly #input: LateBatchesInput;
  readonly #closed = deferred<Batch>();
  #place: Place<PortalReader | undefined> | undefined;
  #reader: PortalReader | undefined;
  #over = false;

  constructor(input: LateBatchesInput) {
    this.#input = input;
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
    const { config, host, run } = this.#input;
    this.#place = new Place(({ PortalReader }, session) => {
      if (this.#over) return;
      this.#reader = new PortalReader(session, { ...this.#input, host: host() }, maxRows);
      return this.#reader;
    }, { signal: config.signal });
    run(this.#place);
    const first = this.#place.taken.then((reader) => reader?.first ?? NOTHING);
    return Promise.race([first, this.#closed.promise]);
  }

  async close(): Promise<void> {
    this.#over = true;
    this.#closed.resolve(NOTHING);
    await this.#reader?.close();
  }
}
