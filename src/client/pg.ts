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
  /** A name as it stands in SQL, in double quotation marks. */
  escapeIdentifier(name: string): string;
  /** A text as it stands in SQL, in quotation marks. */
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
  /** The export {@linkcode Client}. */
  readonly Client: typeof Client;
  /** The export {@linkcode Pool}. */
  readonly Pool: typeof Pool;
  /** The export {@linkcode Query}. */
  readonly Query: typeof Query;
  /** The export {@linkcode Connection}. */
  readonly Connection: typeof Connection;
  /** The export {@linkcode Result}. */
  readonly Result: typeof Result;
  /** The export {@linkcode TypeOverrides}. */
  readonly TypeOverrides: typeof TypeOverrides;
  /** The export {@linkcode DatabaseError}. */
  readonly DatabaseError: typeof DatabaseError;
  /** The export {@linkcode defaults}. */
  readonly defaults: Defaults;
  /** The export {@linkcode types}. */
  readonly types: TypeRegistry;
  /** The export {@linkcode utils}. */
  readonly utils: PgUtils;
  /** The export {@linkcode escapeIdentifier}. */
  readonly escapeIdentifier: typeof escapeIdentifier;
  /** The export {@linkcode escapeLiteral}. */
  readonly escapeLiteral: typeof escapeLiteral;
  /** There are no native bindings, as in a node-postgres without `pg-native`. */
  readonly native: null;
}

/** Everything that programs know from node-postgres, in one object: the default export. */
export const pg: Pg = /* @__PURE__ */ Object.defineProperty(
  {
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
  },
  // As in node-postgres, whoever lists what there is does not come across it. In one expression, which bundlers leave out.
  "native",
  { value: null, configurable: true, writable: true },
) as Pg;
