/**
 * Encodes the frontend's messages, one function each, into a {@linkcode MessageWriter}.
 *
 * A function that throws may have written half a message: a caller that goes on afterwards rolls the writer back.
 *
 * @see PostgreSQL documentation, chapter "Frontend/Backend Protocol", "Message Formats"
 * @module
 */

import { ConfigError } from "../errors.ts";
import * as Frontend from "./frontend_types.ts";
import { RequestCode } from "./codes.ts";
import type { MessageWriter } from "./message_writer.ts";

/** What Bind's 16-bit count can say. */
export const MAX_PARAMETERS = 65_535;

/** `MAX_STARTUP_PACKET_LENGTH`: the server hangs up without a word on a longer one. The length word does not count. */
export const MAX_STARTUP_LENGTH = 10_000;

/** A value for a parameter: text, binary, or NULL. */
export type ParameterValue = string | Uint8Array | null;

/** What to bind to a portal. Names default to the unnamed ones. */
export interface BindFields {
  readonly portal?: string;
  readonly statement?: string;
  /** Strings travel as text, bytes as binary. */
  readonly values: readonly ParameterValue[];
  /** The format of every result column. */
  readonly resultFormat?: "text" | "binary";
}

/**
 * StartupMessage. `version` is one of `ProtocolVersion`.
 *
 * @throws {ConfigError} `STARTUP_PARAMETER_NAME`, `MESSAGE_TOO_LONG`
 */
export function startupMessage(
  writer: MessageWriter,
  version: number,
  parameters: Iterable<readonly [name: string, value: string]>,
): void {
  const before = writer.length;
  writer.beginUntyped();
  writer.int32(version);
  for (const [name, value] of parameters) {
    // An empty name would end the list.
    if (name === "") throw new ConfigError("STARTUP_PARAMETER_NAME", "the name of a startup parameter is empty");
    writer.cstring(name, "the name of a startup parameter");
    writer.cstring(value, `the startup parameter ${JSON.stringify(name)}`);
  }
  writer.uint8(0);
  writer.end();
  const length = writer.length - before - 4;
  if (length > MAX_STARTUP_LENGTH) {
    throw new ConfigError(
      "MESSAGE_TOO_LONG",
      `startup parameters of ${length} bytes are more than PostgreSQL accepts (${MAX_STARTUP_LENGTH}): shorten the longest, or set it with SET once connected`,
    );
  }
}

/** SSLRequest: the server answers with one byte, `S` or `N`. */
export function sslRequest(writer: MessageWriter): void {
  request(writer, RequestCode.Ssl);
}

/** GSSENCRequest: the server answers with one byte, `G` or `N`. */
export function gssEncryptionRequest(writer: MessageWriter): void {
  request(writer, RequestCode.GssEncryption);
}

/** CancelRequest, on a connection of its own. The key is 4 bytes long in protocol 3.0, up to 256 in 3.2. */
export function cancelRequest(writer: MessageWriter, processId: number, secretKey: Uint8Array): void {
  writer.beginUntyped();
  writer.int32(RequestCode.Cancel);
  writer.int32(processId);
  writer.bytes(secretKey);
  writer.end();
}

/** PasswordMessage: the password itself, or its MD5 answer. */
export function passwordMessage(writer: MessageWriter, password: string): void {
  writer.begin(Frontend.Password);
  writer.cstring(password, "the password");
  writer.end();
}

export function saslInitialResponse(writer: MessageWriter, mechanism: string, response: Uint8Array | null): void {
  writer.begin(Frontend.Password);
  writer.cstring(mechanism, "the SASL mechanism");
  writer.value(response);
  writer.end();
}

export function saslResponse(writer: MessageWriter, response: Uint8Array): void {
  writer.begin(Frontend.Password);
  writer.bytes(response);
  writer.end();
}

/** GSSResponse: GSSAPI or SSPI data. */
export const gssResponse: (writer: MessageWriter, response: Uint8Array) => void = saslResponse;

/** Query: the simple protocol. */
export function query(writer: MessageWriter, text: string): void {
  writer.begin(Frontend.Query);
  writer.cstring(text, "the query");
  writer.end();
}

/** Parse. A type OID of 0 leaves the parameter's type to the server. */
export function parse(writer: MessageWriter, statement: string, text: string, typeIds: readonly number[] = []): void {
  writer.begin(Frontend.Parse);
  writer.cstring(statement, "the statement's name");
  writer.cstring(text, "the query");
  writer.int16(checkedCount(typeIds.length));
  for (const typeId of typeIds) writer.int32(typeId);
  writer.end();
}

/** @throws {ConfigError} `TOO_MANY_PARAMETERS` */
export function bind(writer: MessageWriter, { portal = "", statement = "", values, resultFormat }: BindFields): void {
  const count = checkedCount(values.length);
  writer.begin(Frontend.Bind);
  writer.cstring(portal, "the portal's name");
  writer.cstring(statement, "the statement's name");
  bindFormats(writer, values);
  writer.int16(count);
  for (const value of values) writer.value(value);
  if (resultFormat === "binary") {
    writer.int16(1);
    writer.int16(1);
  } else writer.int16(0);
  writer.end();
}

/** Describe a prepared statement (`S`) or a portal (`P`). */
export function describe(writer: MessageWriter, kind: "S" | "P", name = ""): void {
  kindAndName(writer, Frontend.Describe, kind, name);
}

/** Execute. `maxRows` 0 means all. */
export function execute(writer: MessageWriter, portal = "", maxRows = 0): void {
  writer.begin(Frontend.Execute);
  writer.cstring(portal, "the portal's name");
  writer.int32(maxRows);
  writer.end();
}

/** Close a prepared statement (`S`) or a portal (`P`). */
export function close(writer: MessageWriter, kind: "S" | "P", name = ""): void {
  kindAndName(writer, Frontend.Close, kind, name);
}

export function sync(writer: MessageWriter): void {
  bare(writer, Frontend.Sync);
}

export function flush(writer: MessageWriter): void {
  bare(writer, Frontend.Flush);
}

export function terminate(writer: MessageWriter): void {
  bare(writer, Frontend.Terminate);
}

export function copyData(writer: MessageWriter, data: Uint8Array): void {
  writer.begin(Frontend.CopyData);
  writer.bytes(data);
  writer.end();
}

export function copyDone(writer: MessageWriter): void {
  bare(writer, Frontend.CopyDone);
}

/** CopyFail: makes the server end the COPY with an error that quotes the reason. */
export function copyFail(writer: MessageWriter, reason: string): void {
  writer.begin(Frontend.CopyFail);
  writer.cstring(reason, "the reason for CopyFail");
  writer.end();
}

/** FunctionCall, the protocol's obsolete fast path. */
export function functionCall(
  writer: MessageWriter,
  functionId: number,
  values: readonly ParameterValue[],
  resultFormat: "text" | "binary" = "text",
): void {
  const count = checkedCount(values.length);
  writer.begin(Frontend.FunctionCall);
  writer.int32(functionId);
  bindFormats(writer, values);
  writer.int16(count);
  for (const value of values) writer.value(value);
  writer.int16(resultFormat === "binary" ? 1 : 0);
  writer.end();
}

/** One format for all where they agree, else one each. */
function bindFormats(writer: MessageWriter, values: readonly ParameterValue[]): void {
  if (!values.some(isBinary)) return writer.int16(0);
  writer.int16(values.length);
  for (const value of values) writer.int16(isBinary(value) ? 1 : 0);
}

function isBinary(value: ParameterValue): boolean {
  return value !== null && typeof value !== "string";
}

function checkedCount(count: number): number {
  if (count <= MAX_PARAMETERS) return count;
  throw new ConfigError(
    "TOO_MANY_PARAMETERS",
    `${count} parameters are more than one statement can take (${MAX_PARAMETERS}): pass an array and unnest it, or use COPY`,
  );
}

function request(writer: MessageWriter, code: number): void {
  writer.beginUntyped();
  writer.int32(code);
  writer.end();
}

function kindAndName(writer: MessageWriter, type: number, kind: "S" | "P", name: string): void {
  writer.begin(type);
  writer.uint8(kind.charCodeAt(0));
  writer.cstring(name, kind === "S" ? "the statement's name" : "the portal's name");
  writer.end();
}

function bare(writer: MessageWriter, type: number): void {
  writer.begin(type);
  writer.end();
}
