/**
 * The frontend's messages under node-postgres's names, for whoever's turn it is on a {@linkcode Connection}: few programs
 * write any, and the others do without this file.
 *
 * @module
 */

import {
  bind,
  close,
  copyData,
  copyDone,
  copyFail,
  describe,
  execute,
  flush,
  type ParameterValue,
  parse,
} from "../../protocol/frontend.ts";
import type { MessageWriter } from "../../protocol/message_writer.ts";
import { encodeParameter } from "../../types/parameters.ts";
import type { BindConfig, ExecuteConfig, MessageConfig, ParseConfig } from "./connection.ts";
import type { ConnectionStream } from "./stream.ts";

/** From so many waiting bytes on, `write` asks to wait for `drain`; a Node stream's is 16 KiB, a session's slab too. */
const HIGH_WATER_MARK = 65_536;

/** What takes messages: the dialogue of a submittable, or a connection that was opened by hand. */
export interface MessageSink {
  /** Bytes that wait to be sent. */
  readonly waiting: number;
  query(text: string): void;
  sync(): void;
  /** Any other message. */
  write(encode: (writer: MessageWriter) => void): void;
  /** CopyData, CopyDone or CopyFail, or bytes that are already such messages. */
  writeCopy(encode: (writer: MessageWriter) => void): void;
  /** Resolves once the transport has taken all that was written. Never rejects. */
  drained(): Promise<void>;
}

/** Writes messages into a sink. Each method is that of {@linkcode Connection}. */
export class FrontendMessages {
  readonly #sink: MessageSink;
  #draining = false;

  constructor(sink: MessageSink) {
    this.#sink = sink;
  }

  query(text: string): void {
    this.#sink.query(text);
  }

  parse({ text, name = "", types = [] }: ParseConfig): void {
    this.#sink.write((writer) => parse(writer, name, text, types.map((type) => type ?? 0)));
  }

  bind({ portal = "", statement = "", values, binary = false, valueMapper }: BindConfig = {}): void {
    const mapped = Array.from(
      values ?? [],
      (value, index) => parameterValue(valueMapper === undefined ? value : valueMapper(value, index), index),
    );
    this.#sink.write((writer) =>
      bind(writer, { portal, statement, values: mapped, resultFormat: binary ? "binary" : "text" })
    );
  }

  describe({ type, name = "" }: MessageConfig): void {
    this.#sink.write((writer) => describe(writer, type, name));
  }

  execute({ portal = "", rows = 0 }: ExecuteConfig = {}): void {
    this.#sink.write((writer) => execute(writer, portal, Number(rows) || 0));
  }

  close({ type, name = "" }: MessageConfig): void {
    this.#sink.write((writer) => close(writer, type, name));
  }

  flush(): void {
    this.#sink.writeCopy(flush);
  }

  sync(): void {
    this.#sink.sync();
  }

  sendCopyFromChunk(chunk: Uint8Array): void {
    this.#sink.writeCopy((writer) => copyData(writer, chunk));
  }

  endCopyFrom(): void {
    this.#sink.writeCopy(copyDone);
  }

  sendCopyFail(reason: string): void {
    this.#sink.writeCopy((writer) => copyFail(writer, reason.replaceAll("\0", " ")));
  }

  /** Writes whole messages as they are. False: better wait for the stream's `drain`. */
  send(messages: Uint8Array, stream: ConnectionStream): boolean {
    this.#sink.writeCopy((writer) => writer.bytes(messages));
    if (this.#sink.waiting < HIGH_WATER_MARK) return true;
    if (!this.#draining) void this.#emitDrain(stream);
    return false;
  }

  async #emitDrain(stream: ConnectionStream): Promise<void> {
    this.#draining = true;
    await this.#sink.drained();
    this.#draining = false;
    stream.emit("drain");
  }
}

function parameterValue(value: unknown, index: number): ParameterValue {
  if (value === null || value === undefined) return null;
  return typeof value === "string" || value instanceof Uint8Array ? value : encodeParameter(value, {}, index + 1);
}
