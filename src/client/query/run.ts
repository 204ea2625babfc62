/**
 * One query on its way: what the session reports becomes node-postgres's Result.
 *
 * @module
 */

import { assertSignal } from "../../duplex/abort_signal.ts";
import { ProtocolError } from "../../errors.ts";
import type { FieldDescription } from "../../protocol/row_description.ts";
import { ExtendedQuery } from "../../session/extended_query.ts";
import type { Exchange } from "../../session/exchange.ts";
import { encodingFailed } from "../../session/failures.ts";
import type { QueryHandler, ResultSink } from "../../session/query_exchange.ts";
import { RowDecoder } from "../../session/row_decoder.ts";
import type { Session } from "../../session/session.ts";
import { SimpleQuery } from "../../session/simple_query.ts";
import { Unsendable } from "../../session/unsendable.ts";
import type { TypeParserSource } from "../../types/codec.ts";
import { encodeParameters } from "../../types/parameters.ts";
import { decodersLoading } from "../../types/builtin_decoders.ts";
import { decoderOf } from "../../types/registry.ts";
import { assertQuery, needsExtended, noText, type QueryConfig } from "./config.ts";
import type { Request } from "../request.ts";
import type { Query } from "./query.ts";
import { Result } from "./result.ts";

/** Whoever waits for a query. */
export interface QueryObserver {
  /** The query itself, where it was given as one that reports by events. */
  readonly query?: Query;
  /** All results; one, unless a simple query had several statements. */
  done(results: Result[]): void;
  failed(error: Error): void;
  /** Takes each row instead of the result's `rows`. A promise holds further rows back. */
  row?(row: unknown, result: Result): Promise<void> | void;
}

/** What a client settles for all its queries. */
export interface QueryDefaults {
  readonly types: TypeParserSource;
  readonly binary: boolean;
  readonly datesAsUTC: boolean;
}

/** Collects the answer to one query. */
export class QueryRun implements QueryHandler, ResultSink {
  readonly config: QueryConfig;
  /** Who waits for it; another may take its place. */
  observer: QueryObserver;
  readonly #types: TypeParserSource;
  readonly #results: Result[] = [];
  #result: Result = NO_RESULT;
  #decoder: RowDecoder | undefined;

  constructor(config: QueryConfig, defaults: QueryDefaults, observer: QueryObserver) {
    this.config = config;
    this.observer = observer;
    this.#types = config.types ?? defaults.types;
  }

  result(): ResultSink {
    this.#result = new Result(this.config.rowMode);
    this.#results.push(this.#result);
    this.#decoder = undefined;
    return this;
  }

  fields(fields: readonly FieldDescription[]): Promise<void> | void {
    const result = this.#result;
    result.fields = fields as FieldDescription[];
    const decoders = fields.map(({ dataTypeID, format }) =>
      decoderOf(this.#types, dataTypeID, format === "text" ? 0 : 1)
    );
    this.#decoder = new RowDecoder(fields, decoders, result.rowAsArray ? "array" : "object");
    return decodersLoading(decoders);
  }

  row(bytes: Uint8Array, start: number, end: number): Promise<void> | void {
    if (this.#decoder === undefined) throw rowWithoutColumns();
    const row = this.#decoder.decode(bytes, start, end);
    if (this.observer.row !== undefined) return this.observer.row(row, this.#result);
    this.#result.rows.push(row as Record<string, unknown>);
  }

  complete(tag: string | null): void {
    if (tag !== null) this.#result.setTag(tag);
  }

  done(): void {
    this.observer.done(this.#results);
  }

  failed(error: Error): void {
    this.observer.failed(error);
  }
}

const NO_RESULT = new Result();

function rowWithoutColumns(): ProtocolError {
  return new ProtocolError("PROTOCOL_UNEXPECTED_MESSAGE", "the server sent a row without having described its columns");
}

/** One query of a client. */
export class QueryRequest implements Request {
  readonly timeoutMillis: number;
  readonly #config: QueryConfig;
  readonly #defaults: QueryDefaults;
  readonly handler: QueryRun;

  constructor(config: QueryConfig, defaults: QueryDefaults, timeoutMillis: number, observer: QueryObserver) {
    assertSignal(config.signal);
    this.timeoutMillis = config.query_timeout ?? timeoutMillis;
    this.#config = config;
    this.#defaults = defaults;
    this.handler = new QueryRun(config, defaults, observer);
  }

  get signal(): AbortSignal | undefined {
    return this.#config.signal;
  }

  start(session: Session, timeoutMillis: number): void {
    const { signal } = this.#config;
    const patience = timeoutMillis > 0 || signal !== undefined ? { timeoutMillis, signal } : undefined;
    session.submit(this.#exchange(session), patience);
  }

  #exchange(session: Session): Exchange {
    const config = this.#config;
    try {
      assertQuery(config);
      return exchangeFor(session, config, this.#defaults, this.handler);
    } catch (error) {
      // Not thrown on: it is this query's alone, and others may wait behind it.
      return new Unsendable(encodingFailed(error), (failure) => this.handler.failed(failure));
    }
  }

  failed(error: Error): void {
    this.handler.failed(error);
  }
}

function exchangeFor(session: Session, config: QueryConfig, defaults: QueryDefaults, run: QueryRun): Exchange {
  if (!needsExtended(config)) return new SimpleQuery(config.text, run);
  const binary = config.binary ?? defaults.binary;
  const text = config.text ?? statementText(session, config);
  const values = encodeParameters(config.values, defaults);
  const options = { text, name: config.name, values, binary };
  return session.kept?.query(options, session.statements, run) ?? new ExtendedQuery(options, session.statements, run);
}

/** A statement that was prepared before may be named without its text. As in node-postgres, null is an empty one. */
function statementText(session: Session, { name, text }: QueryConfig): string {
  const statement = name === undefined ? undefined : session.statements.get(name);
  if (statement !== undefined) return statement.text;
  if (text === null) return "";
  throw noText(`there is none, and no statement was prepared as ${JSON.stringify(name)}`);
}
