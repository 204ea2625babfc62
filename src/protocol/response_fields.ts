/**
 * The fields of ErrorResponse and NoticeResponse.
 *
 * @see PostgreSQL documentation, "Error and Notice Message Fields"
 * @module
 */

import type { ServerReport } from "../errors.ts";
import { PayloadReader } from "./payload_reader.ts";

const NAMES: Readonly<Record<string, keyof ServerReport>> = {
  C: "code",
  M: "message",
  D: "detail",
  H: "hint",
  P: "position",
  p: "internalPosition",
  q: "internalQuery",
  W: "where",
  s: "schema",
  t: "table",
  c: "column",
  d: "dataType",
  n: "constraint",
  F: "file",
  L: "line",
  R: "routine",
};

/** @throws {ProtocolError} `PROTOCOL_MALFORMED` */
export function decodeResponseFields(bytes: Uint8Array, start: number, end: number): ServerReport {
  const reader = new PayloadReader("ErrorResponse or NoticeResponse", bytes, start, end);
  const fields: ServerReport = { severity: "", code: "", message: "" };
  let localisedSeverity = "";
  for (let type = reader.uint8(); type !== 0; type = reader.uint8()) {
    const letter = String.fromCharCode(type);
    const text = reader.cstring();
    if (letter === "S") localisedSeverity = text;
    else if (letter === "V") fields.severity = text;
    else {
      // The documentation asks to ignore fields of unknown type.
      const name = NAMES[letter];
      if (name !== undefined) fields[name] = text;
    }
  }
  reader.finish();
  // node-postgres reports the localised severity; programs compare with the stable one, which is what PostgreSQL added V for.
  if (fields.severity === "") fields.severity = localisedSeverity;
  return fields;
}
