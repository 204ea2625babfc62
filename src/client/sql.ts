/**
 * SQL as template literals: what stands between `${` and `}` becomes a parameter, unless it is SQL made here.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { escapeIdentifier } from "./escape.ts";
import type { QueryConfig } from "./query/config.ts";

/**
 * A piece of SQL with its values, made by {@linkcode sql}. It is a query config, which `query`, `stream` and `cursor`
 * take, and it may stand in other templates, where its parameters are counted on.
 *
 * Nothing else passes for one: neither what JSON can say, nor an object of the same shape.
 */
export class SqlFragment implements QueryConfig {
  /** The SQL, with `$1`, `$2`, ... for the values. */
  readonly text: string;
  readonly values: readonly unknown[];
  /** What text and values were made of: SQL as it stands, and values between. */
  readonly #texts: readonly string[];

  private constructor(texts: readonly string[], values: readonly unknown[]) {
    this.#texts = texts;
    this.values = values;
    this.text = numbered(texts);
  }

  /** Puts SQL together; a value is a parameter unless it is a fragment itself. For {@linkcode sql} alone. */
  static compose(strings: readonly string[], given: readonly unknown[]): SqlFragment {
    const texts = [strings[0]];
    const values: unknown[] = [];
    given.forEach((value, index) => {
      const text = strings[index + 1];
      if (typeof value === "object" && value !== null && #texts in value) {
        const [first, ...rest] = value.#texts;
        texts[texts.length - 1] += first;
        texts.push(...rest);
        values.push(...value.values);
        texts[texts.length - 1] += text;
      } else {
        values.push(value);
        texts.push(text);
      }
    });
    return new SqlFragment(texts, values);
  }

  /** Whether this was made by {@linkcode sql}. */
  static is(value: unknown): value is SqlFragment {
    return typeof value === "object" && value !== null && #texts in value;
  }
}

function numbered(texts: readonly string[]): string {
  let text = texts[0];
  for (let index = 1; index < texts.length; index++) text += `$${index}${texts[index]}`;
  return text;
}

/** The tag {@linkcode sql} and what goes with it. */
export interface Sql {
  /** Makes a fragment of a template literal. */
  (strings: TemplateStringsArray, ...values: readonly unknown[]): SqlFragment;
  /** Nothing: for a part that may be left out. */
  readonly empty: SqlFragment;
  /**
   * A name, quoted; several are joined by dots, such as a schema and its table.
   *
   * @throws {ConfigError} `SQL_IDENTIFIER` for what is no name
   */
  identifier(...names: readonly string[]): SqlFragment;
  /**
   * Fragments, or values as parameters, one after the other with a separator between. Of none, `sql.empty`.
   *
   * @param separator Default: `` sql`, ` ``.
   * @throws {ConfigError} `SQL_SEPARATOR` for what is no fragment
   */
  join(items: Iterable<unknown>, separator?: SqlFragment): SqlFragment;
}

/**
 * SQL as a template literal. Values become parameters and never SQL; fragments and identifiers are made here and nowhere
 * else, so that no value from outside can become one.
 *
 * @example
 * ```ts
 * const columns = sql.join(["id", "name"].map((name) => sql.identifier(name)));
 * const filter = minimum === undefined ? sql.empty : sql`where price >= ${minimum}`;
 * const { rows } = await client.query(sql`select ${columns} from ${sql.identifier("shop", "products")} ${filter}`);
 * ```
 *
 * @throws {ConfigError} `SQL_TEMPLATE` where it is called as a function, with a text that may have come from anywhere
 */
export const sql: Sql = /* @__PURE__ */ (() =>
  Object.assign(
    (strings: TemplateStringsArray, ...values: readonly unknown[]): SqlFragment => {
      assertTemplate(strings, values);
      return SqlFragment.compose(strings, values);
    },
    { empty: SqlFragment.compose([""], []), identifier, join },
  ))();

function identifier(...names: readonly string[]): SqlFragment {
  if (names.length === 0) throw notAName("no name was given");
  const quoted = names.map((name) => {
    if (typeof name !== "string") throw notAName(`a name is a string, not ${typeof name}`);
    if (name === "") throw notAName("the name is empty");
    if (name.includes("\0")) throw notAName("the name contains a NUL character");
    return escapeIdentifier(name);
  });
  return SqlFragment.compose([quoted.join(".")], []);
}

function join(items: Iterable<unknown>, separator: SqlFragment = COMMA): SqlFragment {
  if (!SqlFragment.is(separator)) {
    throw new ConfigError("SQL_SEPARATOR", "a separator must be SQL: sql.join(items, sql` and `)");
  }
  const parts = Array.from(items).flatMap((item, index) => index === 0 ? [item] : [separator, item]);
  return SqlFragment.compose(new Array<string>(parts.length + 1).fill(""), parts);
}

const COMMA = /* @__PURE__ */ SqlFragment.compose([", "], []);

/**
 * A template's strings come with their raw form, which an array from outside has not.
 *
 * @throws {ConfigError} `SQL_TEMPLATE`
 */
export function assertTemplate(strings: TemplateStringsArray, values: readonly unknown[]): void {
  const raw: unknown = Array.isArray(strings) ? strings.raw : undefined;
  const whole = Array.isArray(raw) && raw.length === strings.length && strings.length === values.length + 1;
  if (whole && strings.every((text) => typeof text === "string")) return;
  if (whole) throw new ConfigError("SQL_TEMPLATE", "the template has an invalid escape sequence");
  throw new ConfigError("SQL_TEMPLATE", "sql is a tag: write sql`select ...`, not sql(...)");
}

function notAName(why: string): ConfigError {
  return new ConfigError("SQL_IDENTIFIER", `sql.identifier: ${why}`);
}
