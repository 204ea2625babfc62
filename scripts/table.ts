/**
 * A table in the terminal.
 *
 * @module
 */

/** A column: its title, what it shows of a row, and whether it stands to the right. */
export interface Column<Row> {
  readonly title: string;
  readonly show: (row: Row) => string;
  readonly right?: boolean;
}

/** Lays rows out under their titles. */
export function renderTable<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string {
  const cells = [columns.map(({ title }) => title), ...rows.map((row) => columns.map(({ show }) => show(row)))];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => displayWidth(line[index] ?? ""))));
  const lay = (line: readonly string[]) =>
    line.map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.right ?? false)).join("  ").trimEnd();
  const [titles = [], ...body] = cells;
  return [lay(titles), widths.map((width) => "─".repeat(width)).join("  "), ...body.map(lay)].join("\n");
}

/** Pads to a width in columns of the terminal. */
export function pad(text: string, width: number, right = false): string {
  const space = " ".repeat(Math.max(0, width - displayWidth(text)));
  return right ? space + text : text + space;
}

/** Characters as a person counts them; wide ones of East Asia, which names here do not have, would count as one. */
function displayWidth(text: string): number {
  return Array.from(new Intl.Segmenter().segment(text)).length;
}
