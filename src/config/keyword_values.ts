/**
 * libpq's keyword/value connection strings (PostgreSQL documentation, "Keyword/Value Connection Strings").
 *
 * @module
 */

import type { ConfigError } from "../errors.ts";
import { failure } from "./failure.ts";

/**
 * Parses `host=localhost dbname='my db' password=it\'s`. Spaces around `=` are optional; a value that is empty or
 * contains spaces is quoted; `\` escapes a character inside and outside of quotes.
 *
 * @throws {ConfigError} `CONFIG_URL`
 */
export function parseKeywordValues(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  let rest = text.trimStart();
  while (rest !== "") {
    const keyword = /^([a-z_]\w*)\s*=\s*/i.exec(rest);
    if (keyword === null) {
      throw malformed(fields, "something other than keyword=value (a value with spaces needs '...')");
    }
    const afterEquals = rest.slice(keyword[0].length);
    const value = (afterEquals.startsWith("'") ? QUOTED : BARE).exec(afterEquals);
    if (value === null) throw malformed(fields, "a quoted value without its closing '");
    const name = keyword[1] === "dbname" ? "database" : keyword[1];
    fields.set(name, value[1].replace(/\\([^])/g, "$1").replace(/\\$/, ""));
    rest = afterEquals.slice(value[0].length).trimStart();
  }
  return fields;
}

const QUOTED = /^'((?:[^'\\]|\\[^])*)'/;
const BARE = /^((?:[^\s\\]|\\[^]|\\$)*)/;

/** Says where by the keywords before it, never by the text itself. */
function malformed(before: ReadonlyMap<string, string>, what: string): ConfigError {
  const last = [...before.keys()].pop();
  const where = last === undefined ? "at its start" : `after ${last}=...`;
  return failure("CONFIG_URL", `the connection string is malformed: it has ${what} ${where}`);
}
