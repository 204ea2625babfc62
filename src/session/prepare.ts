/**
 * Statements apart from running them: prepare, describe and close.
 *
 * @module
 */

import type { DatabaseError } from "../errors.ts";
import { decodeParameterDescription } from "../protocol/backend.ts";
import * as Backend from "../protocol/backend_types.ts";
import { close, describe, parse, sync } from "../protocol/frontend.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import { decodeRowDescription, type FieldDescription } from "../protocol/row_description.ts";
import { Exchange } from "./exchange.ts";
import { unexpectedMessage } from "./failures.ts";
import type { PreparedStatement } from "./statements.ts";

/** What the server says of a prepared statement. */
export interface StatementDescription {
  readonly parameterTypeIds: readonly number[];
  /** Null where the statement returns no rows. */
  readonly fields: readonly FieldDescription[] | null;
}

interface Settle<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/** An exchange that ends in one value. */
abstract class StatementExchange<T> extends Exchange {
  readonly #settle: Settle<T>;
  #error: DatabaseError | undefined;

  constructor(settle: Settle<T>) {
    super();
    this.#settle = settle;
  }

  protected abstract result(): T;

  override error(error: DatabaseError): void {
    this.#error = error;
  }

  override ready(): void {
    if (this.abandoned) return;
    if (this.#error === undefined) this.#settle.resolve(this.result());
    else this.#settle.reject(this.#error);
  }

  override fail(error: Error): void {
    this.#settle.reject(this.#error ?? error);
  }
}

/** Describe (statement) and Sync. */
export class DescribeStatement extends StatementExchange<StatementDescription> {
  readonly name: string;
  #parameterTypeIds: readonly number[] = [];
  #fields: readonly FieldDescription[] | null = null;

  constructor(name: string, settle: Settle<StatementDescription>) {
    super(settle);
    this.name = name;
  }

  override encode(writer: MessageWriter): void {
    describe(writer, "S", this.name);
    sync(writer);
  }

  override handle(type: number, frames: FrameReader): void {
    const { bytes, start, end } = frames;
    switch (type) {
      case Backend.ParameterDescription:
        this.#parameterTypeIds = decodeParameterDescription(bytes, start, end);
        return;
      case Backend.RowDescription:
        this.#fields = decodeRowDescription(bytes, start, end);
        return;
      case Backend.NoData:
        return;
    }
    throw unexpectedMessage(type);
  }

  protected override result(): StatementDescription {
    return { parameterTypeIds: this.#parameterTypeIds, fields: this.#fields };
  }
}

/** Parse, Describe (statement) and Sync in one flight. */
export class Prepare extends DescribeStatement {
  readonly #text: string;
  readonly #statements: Map<string, PreparedStatement>;
  readonly #statement: PreparedStatement;
  #parsed = false;

  constructor(
    name: string,
    text: string,
    statements: Map<string, PreparedStatement>,
    settle: Settle<StatementDescription>,
  ) {
    super(name, settle);
    this.#text = text;
    this.#statements = statements;
    this.#statement = { text, description: undefined };
  }

  override encode(writer: MessageWriter): void {
    parse(writer, this.name, this.#text);
    super.encode(writer);
    if (this.name !== "") this.#statements.set(this.name, this.#statement);
  }

  override handle(type: number, frames: FrameReader): void {
    if (type === Backend.ParseComplete) this.#parsed = true;
    else super.handle(type, frames);
  }

  override ready(): void {
    if (!this.#parsed && this.#statements.get(this.name) === this.#statement) this.#statements.delete(this.name);
    super.ready();
  }
}

/** Close (statement) and Sync. */
export class CloseStatement extends StatementExchange<void> {
  readonly #name: string;
  readonly #statements: Map<string, PreparedStatement>;

  constructor(name: string, statements: Map<string, PreparedStatement>, settle: Settle<void>) {
    super(settle);
    this.#name = name;
    this.#statements = statements;
  }

  override encode(writer: MessageWriter): void {
    close(writer, "S", this.#name);
    sync(writer);
    this.#statements.delete(this.#name);
  }

  override handle(type: number): void {
    if (type !== Backend.CloseComplete) throw unexpectedMessage(type);
  }

  protected override result(): void {}
}
