/**
 * COPY's text format.
 *
 * @see PostgreSQL documentation, "SQL Commands", "COPY", "Text Format"
 * @module
 */

import { ConfigError, ProtocolError } from "../errors.ts";
import type { CopyFormat, CopyRowDecoder } from "./copy_format.ts";
import { type EncodedParameter, encodeParameter } from "./parameters.ts";

/** How the text format is written, where not as by default; as the options of COPY say it. */
export interface CopyTextOptions {
  /** One character. Default: a tab. */
  readonly delimiter?: string | undefined;
  /**
   * What stands for NULL. Default: `\N`. Another one cannot be told from the same value where the server writes it, nor
   * an empty one from the empty string.
   */
  readonly null?: string | undefined;
}

/**
 * Rows of COPY's text format, which is what a COPY that names no format has. Values are written as parameters of queries
 * are; read, they are strings and nulls.
 *
 * @throws {ConfigError} `COPY_FORMAT`
 *
 * @example
 * ```ts
 * await client.copyFrom("copy people (id, name) from stdin", [[1, "Ada"], [2, null]]);
 * for await (const [id, name] of client.copyTo("copy people to stdout").rows()) console.log(id, name);
 * ```
 */
export function copyText(options: CopyTextOptions = {}): CopyFormat {
  const { delimiter = "\t", null: nullText = "\\N" } = options;
  // A server refuses these too: they would be read as part of an escape.
  if (delimiter.length !== 1 || /[\\.a-z0-9\r\n]/.test(delimiter)) {
    throw new ConfigError(
      "COPY_FORMAT",
      "a delimiter of COPY's text format is one character, no lower-case letter or digit",
    );
  }
  if (/[\r\n]/.test(nullText)) throw new ConfigError("COPY_FORMAT", "COPY's text for NULL has no line break");
  return {
    header: "",
    trailer: "",
    encodeRow: (row) =>
      // A hole in the array is NULL, which map() would pass over.
      Array.from(row, (value, index) => {
        const text = textOf(encodeParameter(value, {}, index + 1));
        if (text === null) return nullText;
        const escaped = escape(text, delimiter);
        return escaped === nullText ? apartFromNull(escaped) : escaped;
      }).join(delimiter) + "\n",
    decoder: () => new TextRowDecoder(delimiter, nullText),
  };
}

/** An encoded value as text; bytes as `bytea` is written. */
export function textOf(value: EncodedParameter): string | null {
  if (value === null || typeof value === "string") return value;
  let text = "\\x";
  for (const byte of value) text += byte.toString(16).padStart(2, "0");
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};
const ESCAPED: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escape(text: string, delimiter: string): string {
  const escaped = /[\\\n\r\t]/.test(text) ? text.replace(/[\\\n\r\t]/g, (character) => ESCAPED[character]) : text;
  return delimiter !== "\t" && escaped.includes(delimiter) ? escaped.replaceAll(delimiter, `\\${delimiter}`) : escaped;
}

/** The server looks for its text for NULL before it reads escapes. The empty text has none to be told apart by. */
function apartFromNull(text: string): string {
  if (text === "" || text.startsWith("\\")) return text;
  const code = text.charCodeAt(0);
  return code < 0x80 ? `\\x${code.toString(16).padStart(2, "0")}${text.slice(1)}` : `\\${text}`;
}

function unescape(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(?:([0-7]{1,3})|x([0-9A-Fa-f]{1,2})|([^]))/g, (_, octal, hex, other) => {
    if (octal !== undefined) return String.fromCharCode(parseInt(octal, 8) & 0xff);
    if (hex !== undefined) return String.fromCharCode(parseInt(hex, 16));
    return ESCAPES[other] ?? other;
  });
}

class TextRowDecoder implements CopyRowDecoder {
  readonly #delimiter: string;
  readonly #null: string;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #rest = "";

  constructor(delimiter: string, nullText: string) {
    this.#delimiter = delimiter;
    this.#null = nullText;
  }

  push(bytes: Uint8Array): unknown[][] {
    // A line break within a value is always escaped.
    const lines = (this.#rest + this.#utf8.decode(bytes, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    return this.#rows(lines);
  }

  end(): unknown[][] {
    this.#rest += this.#utf8.decode();
    if (this.#rest === "") return [];
    if (/(?:^|[^\\])(?:\\\\)*\\$/.test(this.#rest)) {
      throw new ProtocolError("VALUE_MALFORMED", "the data of a COPY ends within an escape");
    }
    return this.#rows([this.#rest]);
  }

  #rows(lines: readonly string[]): unknown[][] {
    // The end marker of protocol 2, which files still have.
    return lines.filter((line) => line !== "\\.").map((line) => this.#fields(line));
  }

  #fields(line: string): (string | null)[] {
    const fields = line.includes(`\\${this.#delimiter}`)
      ? splitEscaped(line, this.#delimiter)
      : line.split(this.#delimiter);
    return fields.map((field) => field === this.#null ? null : unescape(field));
  }
}

/** Splits at delimiters before which no backslash escapes. */
function splitEscaped(line: string, delimiter: string): string[] {
  const fields: string[] = [];
  let first = 0;
  for (let at = 0; at < line.length; at++) {
    if (line[at] === "\\") at++;
    else if (line[at] === delimiter) {
      fields.push(line.slice(first, at));
      first = at + 1;
    }
  }
  fields.push(line.slice(first));
  return fields;
}
