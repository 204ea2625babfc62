/**
 * The session of our client without the client: what its face is measured against.
 *
 * @module
 */

import { resolveOptions } from "../src/config/resolve.ts";
import type { FieldDescription } from "../src/protocol/row_description.ts";
import { connect } from "../src/session/connect.ts";
import type { Exchange } from "../src/session/exchange.ts";
import { ExtendedQuery } from "../src/session/extended_query.ts";
import type { QueryHandler, ResultSink } from "../src/session/query_exchange.ts";
import { RowDecoder } from "../src/session/row_decoder.ts";
import { SimpleQuery } from "../src/session/simple_query.ts";
import { decoderOf, types } from "../src/types/registry.ts";
import { type BenchDriver, PARAMETERISED } from "./drivers.ts";

/** What a session delivers of one statement, and so what its user would keep. */
class Answer implements QueryHandler, ResultSink {
  readonly rows: unknown[] = [];
  columns: readonly FieldDescription[] = [];
  tag: string | null = null;
  readonly #resolve: (answer: Answer) => void;
  readonly failed: (error: Error) => void;
  #decoder: RowDecoder | undefined;

  constructor(resolve: (answer: Answer) => void, reject: (error: Error) => void) {
    this.#resolve = resolve;
    this.failed = reject;
  }

  result(): ResultSink {
    return this;
  }

  fields(fields: readonly FieldDescription[]): void {
    const decoders = fields.map(({ dataTypeID, format }) => decoderOf(types, dataTypeID, format === "text" ? 0 : 1));
    this.columns = fields;
    this.#decoder = new RowDecoder(fields, decoders, "object");
  }

  row(bytes: Uint8Array, start: number, end: number): void {
    this.rows.push(this.#decoder?.decode(bytes, start, end));
  }

  complete(tag: string | null): void {
    this.tag = tag;
  }

  done(): void {
    this.#resolve(this);
  }
}

/** Without TLS. */
export const sessionDriver: BenchDriver = async ({ ca: _, ...server }) => {
  const { session } = await connect({ options: resolveOptions({ ...server, ssl: false }), events: {} });
  const run = (exchange: (handler: QueryHandler) => Exchange): Promise<Answer> =>
    new Promise((resolve, reject) => session.submit(exchange(new Answer(resolve, reject))));
  const simple = (text: string) => run((handler) => new SimpleQuery(text, handler));
  return {
    simple,
    parameterised: (number, text) =>
      run((handler) =>
        new ExtendedQuery({ text: PARAMETERISED, values: [String(number), text] }, session.statements, handler)
      ),
    rows: async (text) => (await simple(text)).rows.length,
    stream: async (text) => (await simple(text)).rows.length,
    end: () => session.end(),
  };
};
