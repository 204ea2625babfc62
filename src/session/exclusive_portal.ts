/**
 * A portal outside of a transaction: it lives until the next Sync, so that nothing else may be asked before its end.
 *
 * @module
 */

import { deferred } from "../duplex/waiting.ts";
import type { DatabaseError } from "../errors.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import { bind, close, copyFail, describe, execute, flush, parse, sync } from "../protocol/frontend.ts";
import { Dialogue, type DialogueHandler } from "./dialogue.ts";
import type { Patience } from "./patience.ts";
import { type Portal, PortalAnswer, type PortalHandler, type PortalQuery } from "./portal.ts";
import type { Session } from "./session.ts";

/** Runs the query and asks for its first rows. The connection belongs to the portal until it has ended. */
export function openExclusivePortal(
  session: Session,
  query: PortalQuery,
  maxRows: number,
  handler: PortalHandler,
  patience: Patience,
): Portal {
  const portal = new ExclusivePortal(query, maxRows, handler);
  session.submit(new Dialogue(portal), patience);
  return portal;
}

/** `asking`: rows are to come. `idle`: the server waits for us. `ending`: the last messages are sent. */
type State = "waiting" | "asking" | "idle" | "ending" | "over";

class ExclusivePortal implements Portal, DialogueHandler {
  readonly #query: PortalQuery;
  readonly #firstRows: number;
  readonly #handler: PortalHandler;
  readonly #answer: PortalAnswer;
  readonly #closed = deferred<void>();
  #dialogue: Dialogue | undefined;
  #state: State = "waiting";
  #abandoned = false;

  constructor(query: PortalQuery, maxRows: number, handler: PortalHandler) {
    this.#query = query;
    this.#firstRows = maxRows;
    this.#handler = handler;
    this.#answer = new PortalAnswer(handler);
  }

  begin(dialogue: Dialogue): void {
    this.#dialogue = dialogue;
    if (this.#abandoned) return this.#end();
    const { text, values, binary } = this.#query;
    dialogue.write((writer) => {
      parse(writer, "", text);
      bind(writer, { values, resultFormat: binary ? "binary" : "text" });
      describe(writer, "P");
    });
    this.fetch(this.#firstRows);
  }

  fetch(maxRows: number): void {
    this.#state = "asking";
    this.#dialogue?.write((writer) => {
      execute(writer, "", maxRows);
      flush(writer);
    });
  }

  close(): Promise<void> {
    this.#abandoned = true;
    if (this.#state === "asking" || this.#state === "idle") this.#end();
    return this.#closed.promise;
  }

  message(type: number, frames: FrameReader): void {
    const progress = this.#answer.take(type, frames, !this.#abandoned);
    switch (progress) {
      case "suspended":
        if (this.#state !== "asking") return;
        this.#state = "idle";
        if (this.#answer.error !== undefined) this.#end();
        else this.#handler.batch(true);
        return;
      case "complete":
        return this.#end();
      case "copy in":
        // Nobody brings data. The server reads on to a Sync, and ignores those which come before the refusal.
        this.#dialogue?.writeCopy((writer) => {
          copyFail(writer, "No source stream defined");
          if (this.#state === "ending") sync(writer);
        });
    }
  }

  error(error: DatabaseError): void {
    this.#answer.refuse(error);
  }

  ready(): void {
    if (this.#abandoned) return;
    const { error } = this.#answer;
    this.#abandoned = true;
    if (error === undefined) this.#handler.batch(false);
    else this.#handler.failed(error);
  }

  over(): void {
    this.#state = "over";
    this.#dialogue = undefined;
    this.#closed.resolve();
  }

  failed(error: Error): void {
    if (!this.#abandoned) this.#handler.failed(this.#answer.error ?? error);
    this.#abandoned = true;
    this.#closed.resolve();
  }

  #end(): void {
    if (this.#state === "ending" || this.#state === "over") return;
    this.#state = "ending";
    this.#dialogue?.write((writer) => close(writer, "P"));
    this.#dialogue?.sync();
  }
}
