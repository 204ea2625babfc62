import type { DatabaseError } from "../errors.ts";
import type { TransactionStatus } from "../protocol/codes.ts";
import { close } from "../protocol/frontend.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import type { ExchangeContext } from "./exchange.ts";
import { ExtendedQuery, type ExtendedQueryOptions, INVALID_STATEMENT_NAME } from "./extended_query.ts";
import type { QueryHandler } from "./query_exchange.ts";
import type { StatementCache } from "./statement_cache.ts";
import type { PreparedStatement } from "./statements.ts";

/** SQLSTATE feature_not_supported, and what raises it where a prepared statement would return other columns now. */
const RESULT_CHANGED = { code: "0A000", routine: "RevalidateCachedQuery" } as const;

/** A query whose statement is kept prepared where it has no name of the program's. */
export class KeptQuery extends ExtendedQuery {
  readonly #cache: StatementCache;
  readonly #statements: Map<string, PreparedStatement>;
  #context: ExchangeContext | undefined;
  #stale = false;

  constructor(
    cache: StatementCache,
    options: ExtendedQueryOptions,
    statements: Map<string, PreparedStatement>,
    handler: QueryHandler,
  ) {
    super(options, statements, handler);
    this.#cache = cache;
    this.#statements = statements;
  }

  override encode(writer: MessageWriter, context?: ExchangeContext): void {
    // By that another one may be dropped.
    const name = this.options.name || (this.#cache.nameFor(this.options.text) ?? "");
    for (const dropped of this.#cache.dropped) close(writer, "S", dropped);
    super.encode(writer, context, name);
    this.#context = context;
    if (name === "") return;
    for (const dropped of this.#cache.dropped) this.#statements.delete(dropped);
    this.#cache.dropsSent();
  }

  override error(error: DatabaseError): void {
    this.#noteStale(error);
    super.error(error);
  }

  /**
   * A kept statement that the server has lost, or that has become another, is prepared anew: nothing was done for it. Not
   * within a transaction, which has failed by it; nor with others behind, whose answers come first.
   */
  override continues(status: TransactionStatus): boolean {
    const context = this.#context;
    if (!this.#stale || status !== "I" || this.abandoned || !context?.alone()) return false;
    this.forgetStatement();
    this.#stale = false;
    this.forgive();
    this.encode(context.writer, context);
    context.flush();
    return true;
  }

  /** Whether it was a kept statement that failed, and not what it does. */
  #noteStale(error: DatabaseError): void {
    const { name, text } = this.options;
    if (name || this.bound || this.name === "" || !this.parsed) return;
    // It was sent behind one that the server would not parse.
    if (this.statement?.refusal !== undefined) return;
    const { code, routine } = error;
    if (code === INVALID_STATEMENT_NAME) this.#cache.lose(text, this.name);
    else if (code === RESULT_CHANGED.code && routine === RESULT_CHANGED.routine) this.#cache.drop(text, this.name);
    else return;
    this.#stale = true;
    // The server has done nothing but to refuse.
    error.safeToRetry = true;
  }
}
