/**
 * COPY's csv format.
 *
 * @see PostgreSQL documentation, "SQL Commands", "COPY", "CSV Format"
 * @module
 */

import { ConfigError, ProtocolError } from "../errors.ts";
import type { CopyFormat, CopyRowDecoder } from "./copy_format.ts";
import { textOf } from "./copy_text.ts";
import { encodeParameter } from "./parameters.ts";

/** How csv is written, where not as by default; as the options of COPY say it. */
export interface CopyCsvOptions {
  /** One character. Default: a comma. */
  readonly delimiter?: string | undefined;
  /** One character. Default: `"`. */
  readonly quote?: string | undefined;
  /** What stands, unquoted, for NULL. Default: nothing. */
  readonly null?: string | undefined;
  /** The names to write as the first line, for a COPY that has `header`. Default: no such line. */
  readonly header?: readonly string[] | undefined;
}

/**
 * Rows of COPY's csv format. Values are written as parameters of queries are; read, they are strings and nulls. The
 * first line that `header` makes the server write is read as a row.
 *
 * @throws {ConfigError} `COPY_FORMAT`
 *
 * @example
 * ```ts
 * const format = copyCsv({ delimiter: ";" });
 * await client.copyFrom("copy people from stdin (format csv, delimiter ';')", [[1, 'the "first"']], { format });
 * ```
 */
export function copyCsv(options: CopyCsvOptions = {}): CopyFormat {
  const { delimiter = ",", quote = '"', null: nullText = "", header } = options;
  for (const one of [delimiter, quote]) {
    if (one.length !== 1 || /[\r\n]/.test(one)) throw unusable("delimiter and quote of csv are one character each");
  }
  if (delimiter === quote) throw unusable("delimiter and quote of csv must be different");
  if (/[\r\n]/.test(nullText) || nullText.includes(delimiter) || nullText.includes(quote)) {
    throw unusable("csv's text for NULL has no line break, delimiter or quote");
  }
  const write = (text: string | null) => {
    if (text === null) return nullText;
    const plain = text !== nullText && text !== "\\." && !text.includes(delimiter) && !text.includes(quote) &&
      !text.includes("\n") && !text.includes("\r");
    return plain ? text : quote + text.replaceAll(quote, quote + quote) + quote;
  };
  return {
    header: header === undefined ? "" : header.map(write).join(delimiter) + "\n",
    trailer: "",
    encodeRow: (row) =>
      Array.from(row, (value, index) => write(textOf(encodeParameter(value, {}, index + 1)))).join(delimiter) + "\n",
    decoder: () => new CsvRowDecoder(delimiter, quote, nullText),
  };
}

function unusable(message: string): ConfigError {
  return new ConfigError("COPY_FORMAT", message);
}

/** Where in a field the decoder is. */
type Place = "field start" | "unquoted" | "quoted" | "quote in quoted";

class CsvRowDecoder implements CopyRowDecoder {
  readonly #delimiter: string;
  readonly #quote: string;
  readonly #null: string;
  readonly #utf8 = new TextDecoder("utf-8", { ignoreBOM: true });
  #place: Place = "field start";
  #row: (string | null)[] = [];
  #field = "";
  #wasQuoted = false;
  #carriageReturn = false;

  constructor(delimiter: string, quote: string, nullText: string) {
    this.#delimiter = delimiter;
    this.#quote = quote;
    this.#null = nullText;
  }

  push(bytes: Uint8Array): unknown[][] {
    return this.#take(this.#utf8.decode(bytes, { stream: true }));
  }

  end(): unknown[][] {
    const rows = this.#take(this.#utf8.decode());
    if (this.#place === "quoted") {
      throw new ProtocolError("VALUE_MALFORMED", "the csv data of a COPY ends within quotes");
    }
    if (this.#place !== "field start" || this.#row.length > 0) rows.push(this.#endRow());
    return rows;
  }

  #take(text: string): unknown[][] {
    const rows: unknown[][] = [];
    for (let at = 0; at < text.length;) {
      // What has no meaning here is taken as a whole.
      const end = this.#endOfPlain(text, at);
      if (end > at) {
        this.#field += text.slice(at, end);
        if (this.#place !== "quoted") this.#place = "unquoted";
        this.#carriageReturn = false;
        at = end;
      } else if (this.#character(text[at++])) rows.push(this.#endRow());
    }
    return rows;
  }

  #endOfPlain(text: string, start: number): number {
    let at = start;
    if (this.#place === "quoted") {
      at = text.indexOf(this.#quote, start);
      return at < 0 ? text.length : at;
    }
    for (; at < text.length; at++) {
      const character = text[at];
      if (character === this.#delimiter || character === this.#quote || character === "\n" || character === "\r") break;
    }
    return at;
  }

  /** Takes one character that may mean something; true where it ends the row. */
  #character(character: string): boolean {
    const afterReturn = this.#carriageReturn;
    this.#carriageReturn = false;
    switch (character) {
      case this.#quote:
        // Twice within quotes it stands for itself.
        if (this.#place === "quote in quoted") this.#field += character;
        this.#place = this.#place === "quoted" ? "quote in quoted" : "quoted";
        this.#wasQuoted = true;
        return false;
      case this.#delimiter:
        this.#endField();
        this.#place = "field start";
        return false;
      case "\r":
        this.#carriageReturn = true;
        return true;
      default:
        return !afterReturn;
    }
  }

  #endField(): void {
    this.#row.push(!this.#wasQuoted && this.#field === this.#null ? null : this.#field);
    this.#field = "";
    this.#wasQuoted = false;
  }

  #endRow(): (string | null)[] {
    this.#endField();
    const row = this.#row;
    this.#row = [];
    this.#place = "field start";
    return row;
  }
}
