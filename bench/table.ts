/** A row of a table: what it is about, and what is said of it. */
export interface Row {
  readonly driver: string;
  readonly cells: readonly string[];
}

/** Lays rows out in columns: the first to the left, figures to the right. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ driver, cells }) => [driver, ...cells]);
  const widths = lines[0].map((_, column) =>
    Math.max(...lines.map((line) => line.length === lines[0].length ? line[column].length : 0))
  );
  return lines
    .map((line) =>
      `  ${
        line.map((cell, column) => column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column])).join("   ")
      }`
    )
    .join("\n");
}
