/**
 * Rows of a query in parts, decoded: what streams and cursors read from.
 *
 * @module
 */

import { type Deferred, deferred } from "../../duplex/waiting.ts";
import { DriverError, ProtocolError } from "../../errors.ts";
import type { FieldDescription } from "../../protocol/row_description.ts";
import { openExclusivePortal } from "../../session/exclusive_portal.ts";
import { encodingFailed } from "../../session/failures.ts";
import type { Portal, PortalHandler, PortalQuery } from "../../session/portal.ts";
import { RowDecoder } from "../../session/row_decoder.ts";
import type { Session } from "../../session/session.ts";
import { openTransactionPortal } from "../../session/transaction_portal.ts";
import { encodeParameters } from "../../types/parameters.ts";
import { decoderOf } from "../../types/registry.ts";
import { type Batch, type BatchSource, NOTHING } from "./batches.ts";
import { assertQuery, type QueryConfig } from "../query/config.ts";
import type { QueryDefaults } from "../query/run.ts";

/** What a portal needs of its client. */
export interface PortalHost {
  readonly defaults: QueryDefaults;
  /** A name that no other portal of the client has. */
  portalName(): string;
}

/** What a reader is told besides its query. */
export interface PortalReaderInput {
  readonly config: QueryConfig;
  /** Whether a transaction is open; undefined: as the server's last answer said. */
  readonly inTransaction: boolean | undefined;
  /** The client that runs it. */
  readonly host: PortalHost;
}

/** Reads from a portal, which it opens with the first read. */
export class PortalReader implements BatchSource {
  /** What the first read brings. */
  readonly first: Promise<Batch>;
  readonly #input: PortalReaderInput;
  readonly #handler: PortalHandler;
  readonly #ended = deferred<void>();
  #reading: Deferred<Batch> | undefined;
  #portal: Portal | undefined;
  #over = false;
  #fields: readonly FieldDescription[] | undefined;
  #decoder: RowDecoder | undefined;
  #rows: unknown[] = [];
  #bytes = 0;

  constructor(session: Session, input: PortalReaderInput, maxRows: number) {
    this.#input = input;
    this.#handler = {
      fields: (fields) => this.#describe(fields),
      row: (bytes, start, end) => this.#row(bytes, start, end),
      batch: (more) => this.#batch(more),
      failed: (error) => this.#failed(error),
    };
    const first = deferred<Batch>();
    this.#reading = first;
    this.first = first.promise;
    this.#open(session, maxRows);
  }

  /** Resolves once the connection is free of it. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  get fields(): readonly FieldDescription[] | undefined {
    return this.#fields;
  }

  read(maxRows: number): Promise<Batch> {
    if (this.#over) return Promise.resolve(NOTHING);
    const reading = deferred<Batch>();
    this.#reading = reading;
    this.#portal?.fetch(maxRows);
    return reading.promise;
  }

  async close(): Promise<void> {
    if (!this.#over) this.#finish()?.resolve(NOTHING);
    await this.#portal?.close();
    this.#ended.resolve();
  }

  #open(session: Session, maxRows: number): void {
    try {
      const query = this.#query();
      const patience = { signal: this.#input.config.signal };
      this.#portal = this.#inTransaction(session)
        ? openTransactionPortal(session, this.#input.host.portalName(), query, maxRows, this.#handler, patience)
        : openExclusivePortal(session, query, maxRows, this.#handler, patience);
    } catch (error) {
      const failure = encodingFailed(error);
      if (failure instanceof DriverError) failure.addPlace({ ...session.place, phase: "query" }).safeToRetry = true;
      this.#failed(failure);
    }
  }

  #failed(error: Error): void {
    this.#finish()?.reject(error);
    this.#ended.resolve();
  }

  #inTransaction({ outstanding, transactionStatus }: Session): boolean {
    return this.#input.inTransaction ?? (outstanding === 0 && transactionStatus === "T");
  }

  #query(): PortalQuery {
    const { config } = this.#input;
    const defaults = this.#input.host.defaults;
    assertQuery(config);
    const values = encodeParameters(config.values, defaults);
    return { text: config.text, values, binary: config.binary ?? defaults.binary };
  }

  #describe(fields: readonly FieldDescription[]): void {
    const { config } = this.#input;
    const types = config.types ?? this.#input.host.defaults.types;
    const decoders = fields.map(({ dataTypeID, format }) => decoderOf(types, dataTypeID, format === "text" ? 0 : 1));
    this.#fields = fields;
    this.#decoder = new RowDecoder(fields, decoders, config.rowMode === "array" ? "array" : "object");
  }

  #row(bytes: Uint8Array, start: number, end: number): void {
    if (this.#decoder === undefined) {
      throw new ProtocolError(
        "PROTOCOL_UNEXPECTED_MESSAGE",
        "the server sent a row without having described its columns",
      );
    }
    this.#rows.push(this.#decoder.decode(bytes, start, end));
    this.#bytes += end - start;
  }

  #batch(more: boolean): void {
    const batch = { rows: this.#rows, bytes: this.#bytes, more };
    this.#rows = [];
    this.#bytes = 0;
    const reading = more ? this.#reading : this.#finish();
    reading?.resolve(batch);
    if (!more) this.#ended.resolve();
  }

  /** Nothing is read any more. Returns whoever still waits. */
  #finish(): Deferred<Batch> | undefined {
    const reading = this.#reading;
    this.#over = true;
    this.#reading = undefined;
    this.#rows = [];
    return reading;
  }
}
