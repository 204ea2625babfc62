import { query } from "../protocol/frontend.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import { beginsWithCopy } from "./copy_text.ts";
import { QueryExchange, type QueryHandler } from "./query_exchange.ts";

/** Query: one round of the simple protocol, with one result for each statement of its text. */
export class SimpleQuery extends QueryExchange {
  readonly #text: string;
  override readonly exclusive: boolean;

  constructor(text: string, handler: QueryHandler) {
    super(handler);
    this.#text = text;
    this.exclusive = beginsWithCopy(text);
  }

  override encode(writer: MessageWriter): void {
    query(writer, this.#text);
  }
}
