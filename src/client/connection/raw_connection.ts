/**
 * What drives a {@linkcode Connection} that was made by hand: it opens the transport, writes messages as they come, and
 * tells of whatever the server says. Few need it.
 *
 * @module
 */

import { config as globalConfig } from "../../config/global.ts";
import type { Duplex } from "../../duplex/duplex.ts";
import { openDuplex } from "../../duplex/open.ts";
import { ConfigError, DatabaseError } from "../../errors.ts";
import { loadPart } from "../../part.ts";
import { decodeAuthentication } from "../../protocol/authentication.ts";
import {
  decodeBackendKeyData,
  decodeDataRow,
  decodeNotification,
  decodeParameterStatus,
  decodeReadyForQuery,
} from "../../protocol/backend.ts";
import * as Backend from "../../protocol/backend_types.ts";
import { ProtocolVersion } from "../../protocol/codes.ts";
import { FrameReader, MAX_MESSAGE_LENGTH } from "../../protocol/frame_reader.ts";
import { cancelRequest, passwordMessage, query, startupMessage, sync, terminate } from "../../protocol/frontend.ts";
import { MessageWriter } from "../../protocol/message_writer.ts";
import { decodeResponseFields } from "../../protocol/response_fields.ts";
import { decodeText } from "../../types/text.ts";
import { callOut } from "../call_out.ts";
import type { Connection, ConnectionConfig } from "./connection.ts";
import { FrontendMessages, type MessageSink } from "./frontend_messages.ts";
import { type Message, MessageDecoder } from "./message_decoder.ts";

const OPEN_DEADLINE_MILLIS = 60_000;

/**
 * Opens the transport of a connection.
 *
 * @throws {ConfigError} `CONNECTION_BY_HAND_TLS` where it would have to be TLS
 */
export async function openRaw(
  connection: Connection,
  { stream, ssl, keepAlive, keepAliveInitialDelayMillis }: ConnectionConfig,
  portOrPath: number | string,
  host: string,
): Promise<RawConnection> {
  if (ssl) throw withoutTls("it was asked for by ssl");
  const signal = AbortSignal.timeout(OPEN_DEADLINE_MILLIS);
  const target = { ...addressOf(portOrPath, host), keepAlive, keepAliveInitialDelayMillis, signal };
  if (stream === undefined || stream === null) {
    if (globalConfig.wsProxy !== undefined && ssl !== false) {
      throw withoutTls("bytes that cross a proxy are in TLS unless ssl: false says otherwise");
    }
    return new RawConnection(connection, await openDuplex({ ...target, wsProxy: globalConfig.wsProxy }));
  }
  const { openNodeStream } = await loadPart(async () => await import("../../duplex/node.ts"));
  const given = typeof stream === "function" ? stream({}) : stream;
  return new RawConnection(connection, await openNodeStream(given, target));
}

function withoutTls(why: string): ConfigError {
  const message = `a Connection by hand knows no TLS, and ${why}: use a Client`;
  return new ConfigError("CONNECTION_BY_HAND_TLS", message, { phase: "config", safeToRetry: true });
}

/** node-postgres gives the whole path of a Unix-domain socket as the port. */
function addressOf(portOrPath: number | string, host: string): { host: string; port: number } {
  const path = /^(\/.*)\/\.s\.PGSQL\.(\d+)$/.exec(String(portOrPath));
  return path === null ? { host, port: Number(portOrPath) } : { host: path[1], port: Number(path[2]) };
}

/** An open connection by hand. */
export class RawConnection implements MessageSink {
  readonly #connection: Connection;
  readonly #duplex: Duplex;
  readonly #frames = new FrameReader();
  readonly #writer = new MessageWriter();
  readonly #decoder = new MessageDecoder();
  /** What was written last, once the transport has taken it. */
  #taken: Promise<void> = Promise.resolve();
  #flushScheduled = false;
  #ending = false;

  constructor(connection: Connection, duplex: Duplex) {
    this.#connection = connection;
    this.#duplex = duplex;
  }

  get waiting(): number {
    return this.#writer.length;
  }

  /** Tells that it is open, and then all that comes. */
  start(): void {
    this.#connection.give(new FrontendMessages(this));
    callOut(() => this.#connection.emit("connect"));
    void this.#read();
  }

  startup(parameters: Readonly<Record<string, string>>): void {
    this.write((writer) =>
      startupMessage(writer, ProtocolVersion["3.0"], Object.entries({ ...parameters, client_encoding: "UTF8" }))
    );
  }

  password(password: string): void {
    this.write((writer) => passwordMessage(writer, password));
  }

  cancel(processID: number, secretKey: number | Uint8Array): void {
    const key = typeof secretKey === "number" ? bytesOf(secretKey) : secretKey;
    this.write((writer) => cancelRequest(writer, processID, key));
  }

  query(text: string): void {
    this.write((writer) => query(writer, text));
  }

  sync(): void {
    this.write(sync);
  }

  write(encode: (writer: MessageWriter) => void): void {
    const before = this.#writer.length;
    try {
      encode(this.#writer);
    } catch (error) {
      this.#writer.rollBack(before);
      throw error;
    }
    if (this.#flushScheduled) return;
    this.#flushScheduled = true;
    queueMicrotask(() => this.#flush());
  }

  writeCopy(encode: (writer: MessageWriter) => void): void {
    this.write(encode);
  }

  async drained(): Promise<void> {
    await this.#taken;
  }

  end(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.write(terminate);
    this.#flush();
    void this.#taken.then(() => this.#duplex.closeWrite()).catch(() => this.#duplex.close());
  }

  destroy(reason: Error | undefined): void {
    this.#ending = true;
    this.#duplex.close(reason);
    if (reason !== undefined) callOut(() => this.#connection.emit("error", reason));
  }

  ref(): void {
    this.#duplex.ref?.();
  }

  unref(): void {
    this.#duplex.unref?.();
  }

  #flush(): void {
    this.#flushScheduled = false;
    if (this.#writer.length === 0) return;
    // What breaks here is told by the reading side.
    this.#taken = this.#duplex.write(this.#writer.take()).catch(() => {});
  }

  async #read(): Promise<void> {
    const connection = this.#connection;
    try {
      for (;;) {
        for (let type = this.#frames.next(); type !== 0; type = this.#frames.next()) this.#tell(this.#decode(type));
        await connection.stream.resumed;
        const chunk = await this.#duplex.read();
        if (chunk === null) break;
        this.#frames.push(chunk);
      }
    } catch (error) {
      if (!this.#ending) callOut(() => connection.emit("error", error));
    }
    this.#duplex.close("the connection has ended");
    callOut(() => connection.stream.closed());
    callOut(() => connection.emit("end"));
  }

  #tell(message: Message | DatabaseError): void {
    const event = message.name === "error" ? "errorMessage" : message.name;
    callOut(() => this.#connection.emit("message", message));
    callOut(() => this.#connection.emit(event, message));
  }

  #decode(type: number): Message | DatabaseError {
    const { bytes, start, end } = this.#frames;
    const length = end - start + 4;
    switch (type) {
      case Backend.DataRow: {
        const row = this.#decoder.row(this.#frames);
        if (row["fields"] !== undefined) return row;
        // Who did not ask for a description gets texts.
        const fields = decodeDataRow(bytes, start, end).map((value) => value && decodeText(value, 0, value.length));
        return { ...row, fieldCount: fields.length, fields };
      }
      case Backend.Authentication: {
        const { name, ...rest } = decodeAuthentication(bytes, start, end);
        if (name === "AuthenticationOk") this.#frames.maxLength = MAX_MESSAGE_LENGTH;
        return { name: `a${name.slice(1)}`, length, ...rest };
      }
      case Backend.BackendKeyData: {
        const { processId, secretKey } = decodeBackendKeyData(bytes, start, end);
        const number = new DataView(secretKey.buffer, secretKey.byteOffset).getInt32(0);
        return { name: "backendKeyData", length, processID: processId, secretKey: number };
      }
      case Backend.ParameterStatus: {
        const { parameter, value } = decodeParameterStatus(bytes, start, end);
        return { name: "parameterStatus", length, parameterName: parameter, parameterValue: value };
      }
      case Backend.ReadyForQuery:
        return { name: "readyForQuery", length, status: decodeReadyForQuery(bytes, start, end) };
      case Backend.NotificationResponse:
        return { name: "notification", length, ...decodeNotification(bytes, start, end) };
      case Backend.NoticeResponse:
        return { name: "notice", length, ...decodeResponseFields(bytes, start, end) };
      case Backend.ErrorResponse:
        return new DatabaseError(decodeResponseFields(bytes, start, end), { length });
    }
    return this.#decoder.message(type, this.#frames);
  }
}

function bytesOf(key: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setInt32(0, key);
  return bytes;
}
