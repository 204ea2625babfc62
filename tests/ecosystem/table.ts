/**
 * The table of docs/ecosystem.md, from what ran.
 *
 * @module
 */

import { type Library, waysOf } from "./libraries.ts";
import { WAYS } from "./stage.ts";

/** What a library's programs came to. */
export interface Row {
  readonly library: Library;
  readonly version: string;
  /** Those in which all went well. */
  readonly ways: readonly string[];
}

const BEGIN = "<!-- The table is written by `PGDUPLEX_WRITE_DOCS=1 deno task test ecosystem`. -->";
const END = "<!-- The end of the table. -->";

/** Markdown. */
export function tableOf(rows: readonly Row[]): string {
  const columns = ["library", "version", ...WAYS.map(({ title }) => title), "what its program does", "remarks"];
  const lines = rows.map(({ library, version, ways }) => [
    library.title,
    version,
    ...WAYS.map(({ name }) =>
      !waysOf(library).some((way) => way.name === name) ? "–" : ways.includes(name) ? "✓" : "✗"
    ),
    library.steps.join(", "),
    library.remarks,
  ]);
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...lines.map(line)].join("\n");
}

/** The document with another table in its place. */
export function replaceTable(text: string, table: string): string {
  const [before, rest] = text.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error("docs/ecosystem.md has no place for the table");
  return `${before}${BEGIN}\n<!-- deno-fmt-ignore-start -->\n\n${table}\n\n<!-- deno-fmt-ignore-end -->\n${END}${after}`;
}
