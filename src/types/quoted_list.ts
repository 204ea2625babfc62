/**
 * The elements of composite and range literals, which quote alike (PostgreSQL's documentation, "Composite Types",
 * "Composite Type Input and Output Syntax", and "Range Types", "Range Input/Output").
 *
 * @module
 */

import { encodeUtf8 } from "../utf8.ts";
import { decodeText } from "./text.ts";
import { malformedValue } from "./codec.ts";

/** A literal's elements; null where nothing stands, quotes included. */
export interface QuotedList {
  readonly open: string;
  readonly elements: readonly (string | null)[];
  readonly close: string;
}

/** Reads `bytes[start, end)`, such as `(1,"a ""b""",)` or `[2,5)`. */
export function readQuotedList(type: string, bytes: Uint8Array, start: number, end: number): QuotedList {
  const text = decodeText(bytes, start, end);
  const last = text.length - 1;
  if (last < 1) throw malformedValue(type, "it is too short");
  return { open: text[0], elements: elementsOf(type, text.slice(1, last)), close: text[last] };
}

/** The bytes of an element, for its own decoder. */
export function elementBytes(element: string): Uint8Array {
  return encodeUtf8(element);
}

function elementsOf(type: string, inner: string): (string | null)[] {
  const elements: (string | null)[] = [];
  for (let at = 0;;) {
    const { element, end } = elementAt(type, inner, at);
    elements.push(element);
    if (end >= inner.length) return elements;
    at = end + 1;
  }
}

/** One element, and where the comma behind it stands. Within quotes, a quote or backslash stands twice or is escaped. */
function elementAt(type: string, inner: string, start: number): { element: string | null; end: number } {
  let element = "";
  let quoted = false;
  let anything = false;
  let at = start;
  for (; at < inner.length && (quoted || inner[at] !== ","); at++) {
    anything = true;
    const character = inner[at];
    if (character === "\\") element += inner[++at] ?? "";
    else if (character !== '"') element += character;
    else if (quoted && inner[at + 1] === '"') element += inner[++at];
    else quoted = !quoted;
  }
  if (quoted) throw malformedValue(type, "it ends within quotes");
  return { element: anything ? element : null, end: at };
}
