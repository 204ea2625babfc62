/**
 * What a query may be given as, and the one form that all of it takes.
 *
 * @module
 */

import { ClientError, ConfigError } from "../../errors.ts";
import type { TypeParserSource } from "../../types/codec.ts";
import type { QueryCallback } from "./query.ts";

/** The type of a query's values: an array, or for a given number of them a tuple. */
export type QueryConfigValues<Values> = Values extends readonly unknown[] ? Values : never;

/** A query as node-postgres takes it. */
// deno-lint-ignore no-explicit-any -- as in @types/pg
export interface QueryConfig<Values = readonly any[]> {
  /** The SQL. Without values, a name and the like it may have several statements. */
  text: string;
  /** The values of `$1`, `$2`, ... */
  values?: QueryConfigValues<Values> | undefined;
  /** Keeps the statement prepared on this connection under this name. */
  name?: string | undefined;
  /** `array`: each row is the array of its values. */
  rowMode?: "array" | "object" | undefined;
  /** Parsers for this query alone. */
  types?: TypeParserSource | undefined;
  /** Ask for the results in binary. Default: the client's `binary`. */
  binary?: boolean | undefined;
  /** `extended`: use the extended protocol although nothing else asks for it. */
  queryMode?: "simple" | "extended" | undefined;
  /** Accepted as in node-postgres; all rows are asked for at once in any case. */
  rows?: number | undefined;
  /** How long to wait for the whole answer, in milliseconds. Default: the client's `query_timeout`. */
  query_timeout?: number | undefined;
  /** As in node-postgres: told of the outcome instead of a promise. */
  callback?: QueryCallback | undefined;
  /** Aborts the query: the server is asked to cancel it, and the promise rejects at once with an `AbortError`. */
  signal?: AbortSignal | undefined;
}

/** A query whose rows are arrays. */
// deno-lint-ignore no-explicit-any -- as in @types/pg
export interface QueryArrayConfig<Values = readonly any[]> extends QueryConfig<Values> {
  /** Each row is the array of its values. */
  rowMode: "array";
}

/**
 * Brings a query's text and values into one form.
 *
 * @throws {TypeError} for null and undefined, as node-postgres
 */
export function queryConfig(textOrConfig: string | QueryConfig, values: unknown): QueryConfig {
  if (textOrConfig === null || textOrConfig === undefined) {
    throw new TypeError("Client was passed a null or undefined query");
  }
  // As in node-postgres, what is false as a condition says that there are none.
  const given = (values || undefined) as readonly unknown[] | undefined;
  if (typeof textOrConfig === "string") return { text: textOrConfig, values: given };
  return given === undefined ? textOrConfig : withFields(textOrConfig, { values: given });
}

/** A config with other fields in the place of some. What makes the query may be getters of a class, which no copy has. */
export function withFields(config: QueryConfig, others: Partial<QueryConfig>): QueryConfig {
  const { text, values, name } = config;
  return { ...config, text, values, name, ...others };
}

/** @throws {ClientError} for what a query cannot be; nothing has been sent then */
export function assertQuery({ text, name, values }: QueryConfig): void {
  const named = typeof name === "string" && name !== "";
  if (typeof text !== "string" && (!named || (text !== undefined && text !== null))) {
    throw noText(`it must be a string, and it is ${describe(text)}`);
  }
  if (values !== undefined && values !== null && !Array.isArray(values)) {
    throw new ClientError("QUERY_VALUES", "Query values must be an array", {
      phase: "query",
      safeToRetry: true,
      verbatim: true,
      hint: `They are of type ${describe(values)}.`,
    });
  }
}

/** A query without a text that could be sent. */
export function noText(why: string): ConfigError {
  return new ConfigError("QUERY_TEXT", "A query must have either text or a name. Supplying neither is unsupported.", {
    phase: "query",
    safeToRetry: true,
    verbatim: true,
    hint: `The text is missing: ${why}.`,
  });
}

/** Whether the query needs the extended protocol: node-postgres's rule. */
export function needsExtended({ values, name, binary, queryMode }: QueryConfig): boolean {
  return queryMode === "extended" || Boolean(name) || Boolean(binary) ||
    (values !== undefined && values !== null && values.length > 0);
}

function describe(value: unknown): string {
  return value === null ? "null" : typeof value;
}
