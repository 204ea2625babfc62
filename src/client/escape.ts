/**
 * Quoting for the rare SQL that cannot take parameters. Wherever a parameter can stand, use one.
 *
 * @see PostgreSQL documentation, "Lexical Structure": identifiers, string constants with C-style escapes
 * @module
 */

/**
 * Quotes a name, such as a table's.
 *
 * @example
 * ```ts
 * import { escapeIdentifier } from "@pgduplex/pgduplex";
 * console.log(escapeIdentifier('my "odd" table')); // "my ""odd"" table"
 * ```
 */
export function escapeIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/**
 * Quotes a text. As in node-postgres, what is not a string becomes the empty one, and a text with backslashes becomes an
 * `E''` constant with a space before it.
 *
 * @example
 * ```ts
 * import { escapeLiteral } from "@pgduplex/pgduplex";
 * console.log(escapeLiteral("it's")); // 'it''s'
 * ```
 */
export function escapeLiteral(text: string): string {
  if (typeof text !== "string") return "''";
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? ` E${quoted}` : quoted;
}
