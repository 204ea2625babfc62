import { ClientError, type DatabaseError } from "../errors.ts";
import * as Backend from "../protocol/backend_types.ts";
import type { TransactionStatus } from "../protocol/codes.ts";
import { bind, describe, execute, type ParameterValue, parse, sync } from "../protocol/frontend.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import type { FieldDescription } from "../protocol/row_description.ts";
import { beginsWithCopy } from "./copy_text.ts";
import type { ExchangeContext } from "./exchange.ts";
import { QueryExchange, type QueryHandler } from "./query_exchange.ts";
import type { Description, PreparedStatement } from "./statements.ts";

/** SQLSTATE of a statement that does not exist. */
export const INVALID_STATEMENT_NAME = "26000";

/** What to run by the extended protocol. */
export interface ExtendedQueryOptions {
  readonly text: string;
  readonly values: readonly ParameterValue[];
  /** Keeps the statement prepared under this name; undefined or empty: the unnamed statement. */
  readonly name?: string | undefined;
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
  protected readonly options: ExtendedQueryOptions;
  /** The statement's name on the server; empty for the unnamed one. */
  protected name = "";
  /** Whether the server has the statement, as far as is known. */
  protected parsed = true;
  protected bound = false;
  protected statement: PreparedStatement | undefined;
  readonly #statements: Map<string, PreparedStatement>;
  #described: Description | undefined;

  constructor(options: ExtendedQueryOptions, statements: Map<string, PreparedStatement>, handler: QueryHandler) {
    super(handler);
    this.options = options;
    this.exclusive = beginsWithCopy(options.text);
    this.#statements = statements;
  }

  /** @throws {ClientError} `STATEMENT_NAME_TAKEN` */
  override encode(writer: MessageWriter, _context?: ExchangeContext, name = this.options.name ?? ""): void {
    const { text, values, binary = false, maxRows = 0 } = this.options;
    const known = name === "" ? undefined : this.#statements.get(name);
    if (known !== undefined && known.text !== text) throw nameTaken(name);
    if (known === undefined) parse(writer, name, text);
    bind(writer, { statement: name, values, resultFormat: binary ? "binary" : "text" });
    this.#described = known?.description?.binary === binary ? known.description : undefined;
    if (this.#described === undefined) describe(writer, "P");
    execute(writer, "", maxRows);
    sync(writer);
    if (name === "") return;
    this.name = name;
    this.parsed = known !== undefined;
    this.statement = known ?? { text, description: undefined };
    if (known === undefined) this.#statements.set(name, this.statement);
  }

  override handle(type: number, frames: FrameReader, context: ExchangeContext): Promise<void> | void {
    switch (type) {
      case Backend.ParseComplete:
        this.parsed = true;
        return;
      case Backend.BindComplete:
        this.bound = true;
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
    if (!this.parsed && this.statement !== undefined) this.statement.refusal = error;
    // After Bind the code is what the statement itself raised.
    if (error.code !== INVALID_STATEMENT_NAME || this.bound) return super.error(error);
    this.parsed = false;
    super.error(this.statement?.refusal ?? error);
  }

  override ready(status: TransactionStatus): void {
    if (!this.parsed) this.forgetStatement();
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
    if (this.statement !== undefined) {
      this.statement.description = { binary: this.options.binary ?? false, fields };
    }
  }

  /** A statement whose Parse failed, or that was deallocated by hand, does not exist. */
  protected forgetStatement(): void {
    if (this.#statements.get(this.name) === this.statement) this.#statements.delete(this.name);
  }
}

function nameTaken(name: string): ClientError {
  return new ClientError(
    "STATEMENT_NAME_TAKEN",
    `Prepared statements must be unique - '${name}' was used for a different statement`,
    { safeToRetry: true, phase: "query", verbatim: true },
  );
}
