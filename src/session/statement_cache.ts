/**
 * Which statements of one connection are kept prepared without the program's doing: those that were used last. Loaded
 * where any are.
 *
 * @module
 */

import type { ExtendedQueryOptions } from "./extended_query.ts";
import { KeptQuery } from "./kept_query.ts";
import type { QueryHandler } from "./query_exchange.ts";
import type { PreparedStatement } from "./statements.ts";

/** Longer texts are made for the occasion, and would hold much memory on both sides. */
const MAX_TEXT_LENGTH = 16_384;
/** So many statements that the server has lost, and nobody has: the connection leads to other servers by turns. */
const MAX_LOST = 3;

/**
 * The names of kept statements by their text. Names are never used again, so that a name means the same text for ever,
 * whoever else uses the server's connection.
 */
export class StatementCache {
  readonly #size: number;
  readonly #prefix: string;
  /** The one that was used last is the last one. */
  readonly #names = new Map<string, string>();
  #dropped: string[] = [];
  #count = 0;
  #lost = 0;

  /** @param size How many statements are kept at most. */
  constructor(size: number) {
    this.#size = size;
    this.#prefix = `pgduplex_${crypto.randomUUID().slice(0, 8)}_`;
  }

  /** A query that keeps its statement here. */
  query(options: ExtendedQueryOptions, statements: Map<string, PreparedStatement>, handler: QueryHandler): KeptQuery {
    return new KeptQuery(this, options, statements, handler);
  }

  /** Statements that are kept no more, and which the server has still to be told to close. */
  get dropped(): readonly string[] {
    return this.#dropped;
  }

  /** The name for a text, known or new; undefined where it is not to be kept. */
  nameFor(text: string): string | undefined {
    if (text.length > MAX_TEXT_LENGTH || this.#lost >= MAX_LOST) return undefined;
    const known = this.#names.get(text);
    const name = known ?? this.#prefix + ++this.#count;
    if (known !== undefined) this.#names.delete(text);
    this.#names.set(text, name);
    if (this.#names.size > this.#size) this.#dropOldest();
    return name;
  }

  /** The statement is of no use any more, and has to be closed: what it returns has changed. */
  drop(text: string, name: string): void {
    if (this.#names.get(text) !== name) return;
    this.#names.delete(text);
    this.#dropped.push(name);
  }

  /** The server does not have the statement any more. */
  lose(text: string, name: string): void {
    if (this.#names.get(text) !== name) return;
    this.#names.delete(text);
    this.#lost++;
  }

  /** The server was told to close those that were dropped. */
  dropsSent(): void {
    this.#dropped = [];
  }

  #dropOldest(): void {
    for (const [text, name] of this.#names) return this.drop(text, name);
  }
}
