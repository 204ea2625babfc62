/**
 * Messages of the backend in node-postgres's form, as submittables and connections by hand are told them.
 *
 * @module
 */

import { decodeCommandComplete, decodeCopyResponse, decodeParameterDescription } from "../../protocol/backend.ts";
import * as Backend from "../../protocol/backend_types.ts";
import type { FrameReader } from "../../protocol/frame_reader.ts";
import { decodeRowDescription, type FieldDescription } from "../../protocol/row_description.ts";
import { RowDecoder } from "../../session/row_decoder.ts";
import { copyByteArray } from "../../types/byte_array.ts";
import type { ByteDecoder } from "../../types/codec.ts";
import { decodeText } from "../../types/text.ts";

/** A message of the backend in node-postgres's form. */
export type Message = { readonly name: string; readonly length: number } & Readonly<Record<string, unknown>>;

/** Decodes what answers queries; it remembers the columns of the rows to come. */
export class MessageDecoder {
  #rows: RowDecoder | undefined;

  /** The row that the frames stand at. */
  row({ bytes, start, end }: FrameReader): Message {
    const fields = this.#rows?.decode(bytes, start, end) as unknown[] | undefined;
    return { name: "dataRow", length: end - start + 4, fieldCount: fields?.length, fields };
  }

  /** The message that the frames stand at, if it is no row. */
  message(type: number, { bytes, start, end }: FrameReader): Message {
    const length = end - start + 4;
    const name = NAMES.get(type) ?? "unknown";
    switch (type) {
      case Backend.RowDescription: {
        const fields = decodeRowDescription(bytes, start, end);
        this.#rows = new RowDecoder(fields, fields.map(rawDecoder), "array");
        return { name, length, fieldCount: fields.length, fields };
      }
      case Backend.CommandComplete:
        this.#rows = undefined;
        return { name, length, text: decodeCommandComplete(bytes, start, end) };
      case Backend.ParameterDescription: {
        const dataTypeIDs = decodeParameterDescription(bytes, start, end);
        return { name, length, parameterCount: dataTypeIDs.length, dataTypeIDs };
      }
      case Backend.CopyInResponse:
      case Backend.CopyOutResponse:
      case Backend.CopyBothResponse: {
        const { format, columnFormats } = decodeCopyResponse(bytes, start, end);
        return { name, length, binary: format === "binary", columnTypes: columnFormats };
      }
      case Backend.CopyData:
        return { name, length, chunk: copyByteArray(bytes, start, end) };
    }
    return { name, length };
  }
}

/** Values as node-postgres hands them to a submittable: text as strings, binary as bytes. */
function rawDecoder({ format }: FieldDescription): ByteDecoder {
  return format === "binary" ? copyByteArray : decodeText;
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [Backend.BindComplete, "bindComplete"],
  [Backend.CloseComplete, "closeComplete"],
  [Backend.CommandComplete, "commandComplete"],
  [Backend.CopyBothResponse, "replicationStart"],
  [Backend.CopyData, "copyData"],
  [Backend.CopyDone, "copyDone"],
  [Backend.CopyInResponse, "copyInResponse"],
  [Backend.CopyOutResponse, "copyOutResponse"],
  [Backend.DataRow, "dataRow"],
  [Backend.EmptyQueryResponse, "emptyQuery"],
  [Backend.NoData, "noData"],
  [Backend.ParameterDescription, "parameterDescription"],
  [Backend.ParseComplete, "parseComplete"],
  [Backend.PortalSuspended, "portalSuspended"],
  [Backend.RowDescription, "rowDescription"],
]);
