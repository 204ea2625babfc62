/**
 * Queries on a connection for replication, where START_REPLICATION opens a stream both ways. As in node-postgres, what the
 * server says is told on `client.connection`, too: a program hears the changes there (`copyData`), and acknowledges them
 * (`sendCopyFromChunk`).
 *
 * @see PostgreSQL documentation, "Streaming Replication Protocol"
 * @module
 */

import type { FieldDescription } from "../../protocol/row_description.ts";
import type { TypeParserSource } from "../../types/codec.ts";
import type { Connection } from "../connection/connection.ts";
import { assertQuery, type QueryConfig } from "./config.ts";
import { Result } from "./result.ts";
import type { QueryObserver } from "./run.ts";
import type { Submittable } from "./submittable.ts";

/** A simple query that is told message by message. */
export class ReplicationQuery implements Submittable {
  readonly #config: QueryConfig;
  readonly #types: TypeParserSource;
  readonly #observer: QueryObserver;
  /** One for each statement. */
  readonly #results: Result[] = [];

  constructor(config: QueryConfig, types: TypeParserSource, observer: QueryObserver) {
    this.#config = config;
    this.#types = config.types ?? types;
    this.#observer = observer;
  }

  submit(connection: Connection): void {
    assertQuery(this.#config);
    connection.query(this.#config.text);
  }

  handleRowDescription({ fields }: { readonly fields: FieldDescription[] }): void {
    this.#result().addFields(fields);
  }

  handleDataRow({ fields }: { readonly fields: readonly (string | null)[] }): void {
    const result = this.#result();
    const row = result.parseRow(fields);
    if (this.#observer.row === undefined) result.addRow(row);
    else this.#observer.row(row, result);
  }

  handleCommandComplete(message: { readonly text: string }): void {
    this.#result().addCommandComplete(message);
  }

  handleEmptyQuery(): void {
    this.#result();
  }

  handleReadyForQuery(): void {
    this.#observer.done(this.#results);
  }

  handleError(error: Error): void {
    this.#observer.failed(error);
  }

  /** That of the statement which has not ended yet. */
  #result(): Result {
    const last = this.#results.at(-1);
    if (last !== undefined && last.command === null) return last;
    const next = new Result(this.#config.rowMode, this.#types);
    this.#results.push(next);
    return next;
  }
}
