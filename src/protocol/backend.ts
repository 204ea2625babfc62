/**
 * Decodes the backend's messages: one pure function per message, and {@linkcode decodeBackendMessage} for all of them.
 * A session calls the single functions for the messages it awaits, so that the frequent ones cost no object.
 *
 * @see PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats"
 * @module
 */

import type { ServerReport } from "../errors.ts";
import * as Backend from "./backend_types.ts";
import type { TransactionStatus } from "./codes.ts";
import { type AuthenticationRequest, decodeAuthentication } from "./authentication.ts";
import { PayloadReader } from "./payload_reader.ts";
import { decodeRowDescription, type FieldDescription } from "./row_description.ts";
import { decodeResponseFields } from "./response_fields.ts";

/** The key with which a request may be cancelled: 4 bytes in protocol 3.0, up to 256 from 3.2 on. */
export interface BackendKeyData {
  readonly processId: number;
  readonly secretKey: Uint8Array;
}

/** The server speaks an older minor version, or does not know some protocol options (names beginning `_pq_.`). */
export interface NegotiateProtocolVersion {
  /** The newest version the server supports, as a StartupMessage carries it. */
  readonly version: number;
  readonly unknownOptions: readonly string[];
}

/** A NOTIFY. */
export interface NotificationResponse {
  readonly processId: number;
  readonly channel: string;
  readonly payload: string;
}

/** How COPY data is about to flow. */
export interface CopyResponse {
  readonly format: "text" | "binary";
  readonly columnFormats: readonly number[];
}

/** Any backend message, decoded. `name` is the name in the documentation. */
export type BackendMessage =
  | AuthenticationRequest
  | ({ readonly name: "BackendKeyData" } & BackendKeyData)
  | { readonly name: "CommandComplete"; readonly tag: string }
  | ({ readonly name: "CopyBothResponse" | "CopyInResponse" | "CopyOutResponse" } & CopyResponse)
  | { readonly name: "CopyData"; readonly data: Uint8Array }
  | { readonly name: "DataRow"; readonly values: readonly (Uint8Array | null)[] }
  | { readonly name: "ErrorResponse" | "NoticeResponse"; readonly fields: ServerReport }
  | { readonly name: "FunctionCallResponse"; readonly value: Uint8Array | null }
  | ({ readonly name: "NegotiateProtocolVersion" } & NegotiateProtocolVersion)
  | ({ readonly name: "NotificationResponse" } & NotificationResponse)
  | { readonly name: "ParameterDescription"; readonly typeIds: readonly number[] }
  | { readonly name: "ParameterStatus"; readonly parameter: string; readonly value: string }
  | { readonly name: "ReadyForQuery"; readonly status: TransactionStatus }
  | { readonly name: "RowDescription"; readonly fields: readonly FieldDescription[] }
  | { readonly name: BareMessage };

type BareMessage =
  | "BindComplete"
  | "CloseComplete"
  | "CopyDone"
  | "EmptyQueryResponse"
  | "NoData"
  | "ParseComplete"
  | "PortalSuspended";

/**
 * Decodes the payload `bytes[start, end)` of a message of the given type.
 *
 * @throws {ProtocolError} `PROTOCOL_MALFORMED`
 *
 * @example
 * ```ts
 * const message = decodeBackendMessage("Z".charCodeAt(0), Uint8Array.of(0x49), 0, 1);
 * console.log(message); // { name: "ReadyForQuery", status: "I" }
 * ```
 */
export function decodeBackendMessage(type: number, bytes: Uint8Array, start: number, end: number): BackendMessage {
  // No table of functions: a bundler could not leave one out where only the functions below are used.
  switch (type) {
    case Backend.Authentication:
      return decodeAuthentication(bytes, start, end);
    case Backend.BackendKeyData:
      return { name: "BackendKeyData", ...decodeBackendKeyData(bytes, start, end) };
    case Backend.BindComplete:
      return bare("BindComplete", bytes, start, end);
    case Backend.CloseComplete:
      return bare("CloseComplete", bytes, start, end);
    case Backend.CommandComplete:
      return { name: "CommandComplete", tag: decodeCommandComplete(bytes, start, end) };
    case Backend.CopyBothResponse:
      return { name: "CopyBothResponse", ...decodeCopyResponse(bytes, start, end) };
    case Backend.CopyData:
      return { name: "CopyData", data: bytes.slice(start, end) };
    case Backend.CopyDone:
      return bare("CopyDone", bytes, start, end);
    case Backend.CopyInResponse:
      return { name: "CopyInResponse", ...decodeCopyResponse(bytes, start, end) };
    case Backend.CopyOutResponse:
      return { name: "CopyOutResponse", ...decodeCopyResponse(bytes, start, end) };
    case Backend.DataRow:
      return { name: "DataRow", values: decodeDataRow(bytes, start, end) };
    case Backend.EmptyQueryResponse:
      return bare("EmptyQueryResponse", bytes, start, end);
    case Backend.ErrorResponse:
      return { name: "ErrorResponse", fields: decodeResponseFields(bytes, start, end) };
    case Backend.FunctionCallResponse:
      return decodeFunctionCallResponse(bytes, start, end);
    case Backend.NegotiateProtocolVersion:
      return { name: "NegotiateProtocolVersion", ...decodeNegotiateProtocolVersion(bytes, start, end) };
    case Backend.NoData:
      return bare("NoData", bytes, start, end);
    case Backend.NoticeResponse:
      return { name: "NoticeResponse", fields: decodeResponseFields(bytes, start, end) };
    case Backend.NotificationResponse:
      return { name: "NotificationResponse", ...decodeNotification(bytes, start, end) };
    case Backend.ParameterDescription:
      return { name: "ParameterDescription", typeIds: decodeParameterDescription(bytes, start, end) };
    case Backend.ParameterStatus:
      return { name: "ParameterStatus", ...decodeParameterStatus(bytes, start, end) };
    case Backend.ParseComplete:
      return bare("ParseComplete", bytes, start, end);
    case Backend.PortalSuspended:
      return bare("PortalSuspended", bytes, start, end);
    case Backend.ReadyForQuery:
      return { name: "ReadyForQuery", status: decodeReadyForQuery(bytes, start, end) };
    case Backend.RowDescription:
      return { name: "RowDescription", fields: decodeRowDescription(bytes, start, end) };
  }
  throw new PayloadReader(`message of type ${type}`, bytes, start, end).malformed("no such type");
}

export function decodeBackendKeyData(bytes: Uint8Array, start: number, end: number): BackendKeyData {
  const reader = new PayloadReader("BackendKeyData", bytes, start, end);
  const processId = reader.int32();
  const length = reader.remaining;
  if (length < 4 || length > 256) throw reader.malformed(`a secret key of ${length} bytes (4 to 256 are allowed)`);
  return { processId, secretKey: reader.rest() };
}

export function decodeCommandComplete(bytes: Uint8Array, start: number, end: number): string {
  const reader = new PayloadReader("CommandComplete", bytes, start, end);
  const tag = reader.cstring();
  reader.finish();
  return tag;
}

export function decodeCopyResponse(bytes: Uint8Array, start: number, end: number): CopyResponse {
  const reader = new PayloadReader("CopyResponse", bytes, start, end);
  const format = reader.uint8();
  if (format > 1) throw reader.malformed(`format ${format}`);
  const columnFormats = Array.from({ length: checkedCount(reader, 2) }, () => reader.int16());
  reader.finish();
  return { format: format === 0 ? "text" : "binary", columnFormats };
}

/** Copies every column's bytes; a session decodes rows in place instead (session/row_decoder.ts). */
export function decodeDataRow(bytes: Uint8Array, start: number, end: number): (Uint8Array | null)[] {
  const reader = new PayloadReader("DataRow", bytes, start, end);
  const values = Array.from({ length: checkedCount(reader, 4) }, () => nullableBytes(reader));
  reader.finish();
  return values;
}

export function decodeNegotiateProtocolVersion(
  bytes: Uint8Array,
  start: number,
  end: number,
): NegotiateProtocolVersion {
  const reader = new PayloadReader("NegotiateProtocolVersion", bytes, start, end);
  const version = reader.uint32();
  const count = reader.uint32();
  if (count > reader.remaining) throw reader.malformed(`${count} options`);
  const unknownOptions = Array.from({ length: count }, () => reader.cstring());
  reader.finish();
  return { version, unknownOptions };
}

export function decodeNotification(bytes: Uint8Array, start: number, end: number): NotificationResponse {
  const reader = new PayloadReader("NotificationResponse", bytes, start, end);
  const processId = reader.int32();
  const channel = reader.cstring();
  const payload = reader.cstring();
  reader.finish();
  return { processId, channel, payload };
}

export function decodeParameterDescription(bytes: Uint8Array, start: number, end: number): number[] {
  const reader = new PayloadReader("ParameterDescription", bytes, start, end);
  const typeIds = Array.from({ length: checkedCount(reader, 4) }, () => reader.uint32());
  reader.finish();
  return typeIds;
}

export function decodeParameterStatus(
  bytes: Uint8Array,
  start: number,
  end: number,
): { parameter: string; value: string } {
  const reader = new PayloadReader("ParameterStatus", bytes, start, end);
  const parameter = reader.cstring();
  const value = reader.cstring();
  reader.finish();
  return { parameter, value };
}

export function decodeReadyForQuery(bytes: Uint8Array, start: number, end: number): TransactionStatus {
  if (end - start === 1) {
    switch (bytes[start]) {
      case 0x49:
        return "I";
      case 0x54:
        return "T";
      case 0x45:
        return "E";
    }
  }
  throw new PayloadReader("ReadyForQuery", bytes, start, end).malformed("not one of the statuses I, T and E");
}

function decodeFunctionCallResponse(bytes: Uint8Array, start: number, end: number): BackendMessage {
  const reader = new PayloadReader("FunctionCallResponse", bytes, start, end);
  const value = nullableBytes(reader);
  reader.finish();
  return { name: "FunctionCallResponse", value };
}

function nullableBytes(reader: PayloadReader): Uint8Array | null {
  const length = reader.int32();
  return length === -1 ? null : reader.copy(length);
}

/** A 16-bit count of items, refused at once where the payload cannot hold that many. */
function checkedCount(reader: PayloadReader, itemLength: number): number {
  const count = reader.uint16();
  if (count * itemLength > reader.remaining) throw reader.malformed(`a count of ${count}`);
  return count;
}

function bare(name: BareMessage, bytes: Uint8Array, start: number, end: number): BackendMessage {
  new PayloadReader(name, bytes, start, end).finish();
  return { name };
}
