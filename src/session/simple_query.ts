import { query } from "../protocol/frontend.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import { QueryExchange, type QueryHandler } from "./query_exchange.ts";

/** A query may say COPY after comments; then the server waits for data, and nothing may be sent behind it. */
const COPY = /^(?:\s|--[^\n]*(?:\n|$)|\/\*(?:[^*]|\*(?!\/))*\*\/)*copy\b/i;

/** Query: one round of the simple protocol, with one result for each statement of its text. */
export class SimpleQuery extends QueryExchange {
  readonly #text: string;
  override readonly exclusive: boolean;

  constructor(text: string, handler: QueryHandler) {
    super(handler);
    this.#text = text;
    this.exclusive = COPY.test(text);
  }

  override encode(writer: MessageWriter): void {
    query(writer, this.#text);
  }
}
