import { ClientError, type DatabaseError } from "../errors.ts";
import * as Backend from "../protocol/backend_types.ts";
import type { TransactionStatus } from "../protocol/codes.ts";
import { bind, close, describe, execute, type ParameterValue, parse, sync } from "../protocol/frontend.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import type { FieldDescription } from "../protocol/row_description.ts";
import { beginsWithCopy } from "./copy_text.ts";
import type { ExchangeContext } from "./exchange.ts";
import { QueryExchange, type QueryHandler } from "./query_exchange.ts";
import type { StatementCache } from "./statement_cache.ts";
import type { Description, PreparedStatement } from "./statements.ts";

/** SQLSTATE of a statement that does not exist. */
const INVALID_STATEMENT_NAME = "26000";
/** SQLSTATE feature_not_supported, and what raises it where a prepared statement would return other columns now. */
const RESULT_CHANGED = { code: "0A000", routine: "RevalidateCachedQuery" } as const;

/** What to run by the extended protocol. */
export interface ExtendedQueryOptions {
  readonly text: string;
  readonly values: readonly ParameterValue[];
  /** Keeps the statement prepared under this name; undefined or empty: the unnamed statement. */
  readonly name?: string | undefined;
  /** Keeps the statement prepared where it has no name of the program's. */
  readonly cache?: StatementCache | undefined;
  readonly binary?: boolean | undefined;
  /** Rows to ask for at once; 0: all. */
  readonly maxRows?: number | undefined;
}

/**
 * Parse, Bind, Describe, Execute and Sync in one flight. A named statement that is known already needs no Parse, and no
 * Describe either: the server refuses to run a prepared statement whose result type has changed.
 */
export class ExtendedQuery extends QueryExchange {
  override readonly exclusive: boolean;
  readonly #options: ExtendedQueryOptions;
  readonly #statements: Map<string, PreparedStatement>;
  #context: ExchangeContext | undefined;
  #name = "";
  #statement: PreparedStatement | undefined;
  #parsed = true;
  #bound = false;
  #stale = false;
  #described: Description | undefined;

  constructor(options: ExtendedQueryOptions, statements: Map<string, PreparedStatement>, handler: QueryHandler) {
    super(handler);
    this.#options = options;
    this.exclusive = beginsWithCopy(options.text);
    this.#statements = statements;
  }

  /** @throws {ClientError} `STATEMENT_NAME_TAKEN` */
  override encode(writer: MessageWriter, context?: ExchangeContext): void {
    const { text, values, cache, binary = false, maxRows = 0 } = this.#options;
    const name = this.#options.name || cache?.nameFor(text) || "";
    const known = name === "" ? undefined : this.#statements.get(name);
    if (known !== undefined && known.text !== text) throw nameTaken(name);
    if (cache !== undefined) { for (const dropped of cache.dropped) close(writer, "S", dropped); }
    if (known === undefined) parse(writer, name, text);
    bind(writer, { statement: name, values, resultFormat: binary ? "binary" : "text" });
    if (known?.description?.binary === binary) this.#described = known.description;
    else describe(writer, "P");
    execute(writer, "", maxRows);
    sync(writer);
    this.#context = context;
    if (name === "") return;
    this.#name = name;
    this.#parsed = known !== undefined;
    this.#statement = known ?? { text, description: undefined };
    if (known === undefined) this.#statements.set(name, this.#statement);
    if (cache !== undefined) this.#forgetDropped(cache);
  }

  override handle(type: number, frames: FrameReader, context: ExchangeContext): Promise<void> | void {
    switch (type) {
      case Backend.ParseComplete:
        this.#parsed = true;
        return;
      case Backend.BindComplete:
        this.#bound = true;
        return this.#described?.fields ? this.describe(this.#described.fields) : undefined;
      case Backend.NoData:
        return this.#remember(null);
      case Backend.PortalSuspended:
        return this.complete(null);
      case Backend.CloseComplete:
        return;
    }
    return super.handle(type, frames, context);
  }

  override error(error: DatabaseError): void {
    if (!this.#parsed && this.#statement !== undefined) this.#statement.refusal = error;
    this.#noteStale(error);
    // After Bind the code is what the statement itself raised.
    if (error.code !== INVALID_STATEMENT_NAME || this.#bound) return super.error(error);
    this.#parsed = false;
    super.error(this.#statement?.refusal ?? error);
  }

  /**
   * A kept statement that the server has lost, or that has become another, is prepared anew: nothing was done for it. Not
   * within a transaction, which has failed by it; nor with others behind, whose answers come first.
   */
  override continues(status: TransactionStatus): boolean {
    const context = this.#context;
    if (!this.#stale || status !== "I" || this.abandoned || !context?.alone()) return false;
    this.#forgetStatement();
    this.#stale = false;
    this.#described = undefined;
    this.forgive();
    this.encode(context.writer, context);
    context.flush();
    return true;
  }

  override ready(status: TransactionStatus): void {
    if (!this.#parsed) this.#forgetStatement();
    super.ready(status);
  }

  protected override describe(fields: readonly FieldDescription[]): Promise<void> | void {
    this.#remember(fields);
    return super.describe(fields);
  }

  /** The server ignores a Sync while it waits for data, and reads on to the next one after it was refused them. */
  protected override refuseCopy(context: ExchangeContext): void {
    super.refuseCopy(context);
    sync(context.writer);
  }

  #remember(fields: readonly FieldDescription[] | null): void {
    if (this.#statement !== undefined) {
      this.#statement.description = { binary: this.#options.binary ?? false, fields };
    }
  }

  /** A statement whose Parse failed, or that was deallocated by hand, does not exist. */
  #forgetStatement(): void {
    if (this.#statements.get(this.#name) === this.#statement) this.#statements.delete(this.#name);
  }

  #forgetDropped(cache: StatementCache): void {
    for (const dropped of cache.dropped) this.#statements.delete(dropped);
    cache.dropsSent();
  }

  /** Whether it was a kept statement that failed, and not what it does. */
  #noteStale(error: DatabaseError): void {
    const { cache, text } = this.#options;
    if (cache === undefined || this.#options.name || this.#bound || this.#name === "") return;
    // It was sent behind one that the server would not parse.
    if (this.#statement?.refusal !== undefined) return;
    const { code, routine } = error;
    if (code === INVALID_STATEMENT_NAME && this.#parsed) cache.lose(text, this.#name);
    else if (code === RESULT_CHANGED.code && routine === RESULT_CHANGED.routine) cache.drop(text, this.#name);
    else return;
    this.#stale = true;
    // The server has done nothing but to refuse.
    error.safeToRetry = true;
  }
}

function nameTaken(name: string): ClientError {
  return new ClientError(
    "STATEMENT_NAME_TAKEN",
    `Prepared statements must be unique - '${name}' was used for a different statement`,
    { safeToRetry: true, phase: "query", verbatim: true },
  );
}
