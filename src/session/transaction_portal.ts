/**
 * A portal within a transaction: it has a name and outlives each Sync, so that other requests may run between its rows.
 *
 * @module
 */

import type { DatabaseError } from "../errors.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import { bind, close, copyFail, describe, execute, parse, sync } from "../protocol/frontend.ts";
import type { MessageWriter } from "../protocol/message_writer.ts";
import type { FieldDescription } from "../protocol/row_description.ts";
import { beginsWithCopy } from "./copy_text.ts";
import { Exchange, type ExchangeContext } from "./exchange.ts";
import type { Patience } from "./patience.ts";
import { type Portal, PortalAnswer, type PortalHandler, type PortalQuery } from "./portal.ts";
import type { Session } from "./session.ts";

/** Runs the query and asks for its first rows. `name` is one that no other open portal of the session has. */
export function openTransactionPortal(
  session: Session,
  name: string,
  query: PortalQuery,
  maxRows: number,
  handler: PortalHandler,
  patience: Patience,
): Portal {
  const portal = new TransactionPortal(session, name, handler, patience);
  portal.open(query, maxRows);
  return portal;
}

class TransactionPortal implements Portal, PortalHandler {
  readonly #session: Session;
  readonly #name: string;
  readonly #handler: PortalHandler;
  readonly #patience: Patience;
  #open = true;

  constructor(session: Session, name: string, handler: PortalHandler, patience: Patience) {
    this.#session = session;
    this.#name = name;
    this.#handler = handler;
    this.#patience = patience;
  }

  open({ text, values, binary }: PortalQuery, maxRows: number): void {
    const request = (writer: MessageWriter) => {
      parse(writer, "", text);
      bind(writer, { portal: this.#name, values, resultFormat: binary ? "binary" : "text" });
      describe(writer, "P", this.#name);
      execute(writer, this.#name, maxRows);
    };
    this.#session.submit(new PortalBatch(request, this, beginsWithCopy(text)), this.#patience);
  }

  fetch(maxRows: number): void {
    const request = (writer: MessageWriter) => execute(writer, this.#name, maxRows);
    this.#session.submit(new PortalBatch(request, this), this.#patience);
  }

  close(): Promise<void> {
    if (!this.#open) return Promise.resolve();
    this.#open = false;
    return new Promise((resolve) => {
      const ended = () => resolve();
      const deaf = { fields() {}, row() {}, batch: ended, failed: ended };
      this.#session.submit(new PortalBatch((writer) => close(writer, "P", this.#name), deaf));
    });
  }

  fields(fields: readonly FieldDescription[]): void {
    if (this.#open) this.#handler.fields(fields);
  }

  row(bytes: Uint8Array, start: number, end: number): void {
    if (this.#open) this.#handler.row(bytes, start, end);
  }

  batch(more: boolean): void {
    if (!this.#open) return;
    if (!more) this.#open = false;
    this.#handler.batch(more);
  }

  failed(error: Error): void {
    if (!this.#open) return;
    // The portal may be well, and what failed the program's own.
    void this.close();
    this.#handler.failed(error);
  }
}

/** One request for rows, or for the portal's end. */
class PortalBatch extends Exchange {
  override readonly exclusive: boolean;
  readonly #request: (writer: MessageWriter) => void;
  readonly #handler: PortalHandler;
  readonly #answer: PortalAnswer;
  #more = false;

  constructor(request: (writer: MessageWriter) => void, handler: PortalHandler, exclusive = false) {
    super();
    this.exclusive = exclusive;
    this.#request = request;
    this.#handler = handler;
    this.#answer = new PortalAnswer(handler);
  }

  override encode(writer: MessageWriter): void {
    this.#request(writer);
    sync(writer);
  }

  override handle(type: number, frames: FrameReader, context: ExchangeContext): void {
    const progress = this.#answer.take(type, frames, !this.abandoned);
    if (progress === "suspended") this.#more = true;
    if (progress !== "copy in") return;
    // The server ignores a Sync while it waits for data, and reads on to the next one after it was refused them.
    copyFail(context.writer, "No source stream defined");
    sync(context.writer);
    context.flush();
  }

  override error(error: DatabaseError): void {
    this.#answer.refuse(error);
  }

  override ready(): void {
    if (this.abandoned) return;
    const { error } = this.#answer;
    if (error === undefined) this.#handler.batch(this.#more);
    else this.#handler.failed(error);
  }

  override fail(error: Error): void {
    this.#handler.failed(this.#answer.error ?? error);
  }
}
