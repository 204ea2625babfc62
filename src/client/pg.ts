/**
 * node-postgres's module object: what `import pg from "pg"` gives.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import { encodeParameter } from "../types/parameters.ts";
import { type TypeRegistry, types } from "../types/registry.ts";
import { Client } from "./client.ts";
import { Connection } from "./connection.ts";
import { type Defaults, defaults } from "./defaults.ts";
import { escapeIdentifier, escapeLiteral } from "./escape.ts";
import { Pool } from "./pool.ts";
import { Query } from "./query.ts";
import type { QueryConfig } from "./query_config.ts";
import { Result } from "./result.ts";
import { TypeOverrides } from "./type_overrides.ts";

/** node-postgres's helpers. */
export interface PgUtils {
  /** A value as a parameter: text, bytes, or null. */
  prepareValue(value: unknown): string | Uint8Array | null;
  /** The arguments of a query as one config. */
  normalizeQueryConfig(config: string | QueryConfig, values?: unknown, callback?: unknown): object;
  escapeIdentifier(name: string): string;
  escapeLiteral(text: string): string;
}

/** node-postgres's helpers, under its name for them. */
export const utils: PgUtils = {
  prepareValue: (value) => encodeParameter(value, { datesAsUTC: defaults.parseInputDatesAsUTC ?? false }),
  normalizeQueryConfig(config, values, callback) {
    const normalised = typeof config === "string" ? { text: config } : config;
    const said = typeof values === "function" ? { callback: values } : values ? { values } : {};
    return Object.assign(normalised, said, callback ? { callback } : {});
  },
  escapeIdentifier,
  escapeLiteral,
};

/** What the default export holds. */
export interface Pg {
  readonly Client: typeof Client;
  readonly Pool: typeof Pool;
  readonly Query: typeof Query;
  readonly Connection: typeof Connection;
  readonly Result: typeof Result;
  readonly TypeOverrides: typeof TypeOverrides;
  readonly DatabaseError: typeof DatabaseError;
  readonly defaults: Defaults;
  readonly types: TypeRegistry;
  readonly utils: PgUtils;
  readonly escapeIdentifier: typeof escapeIdentifier;
  readonly escapeLiteral: typeof escapeLiteral;
  /** There are no native bindings, as in a node-postgres without `pg-native`. */
  readonly native: null;
}

/** Everything that programs know from node-postgres, in one object: the default export. */
export const pg: Pg = {
  Client,
  Pool,
  Query,
  Connection,
  Result,
  TypeOverrides,
  DatabaseError,
  defaults,
  types,
  utils,
  escapeIdentifier,
  escapeLiteral,
  native: null,
};
