/**
 * node-postgres's module object: what `import pg from "pg"` gives.
 *
 * @module
 */

import { DatabaseError } from "../errors.ts";
import { byteArrayOver } from "../types/byte_array.ts";
import { encodeParameter } from "../types/parameters.ts";
import { type TypeRegistry, types } from "../types/registry.ts";
import { Client } from "./client.ts";
import { Connection } from "./connection/connection.ts";
import { type Defaults, defaults } from "./defaults.ts";
import { escapeIdentifier, escapeLiteral } from "./escape.ts";
import { Pool } from "./pool/pool.ts";
import { Query } from "./query/query.ts";
import type { QueryConfig } from "./query/config.ts";
import { Result } from "./query/result.ts";
import { TypeOverrides } from "./query/type_overrides.ts";

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
  prepareValue(value) {
    const prepared = encodeParameter(value, { datesAsUTC: defaults.parseInputDatesAsUTC ?? false });
    return prepared instanceof Uint8Array ? byteArrayOver(prepared) : prepared;
  },
  normalizeQueryConfig(config, values, callback) {
    const said = typeof values === "function" ? { callback: values } : values ? { values } : {};
    return { ...(typeof config === "string" ? { text: config } : config), ...said, ...(callback ? { callback } : {}) };
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

/** There are no native bindings, as in a node-postgres without `pg-native`. */
export const native: null = null;

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

/** The types that programs name as members of the default export: `pg.Client`, `pg.QueryResult<User>`. */
export declare namespace pg {
  /** As the export `Client`. */
  type Client = import("./client.ts").Client;
  /** As the export `ClientBase`. */
  type ClientBase = import("./client.ts").Client;
  /** As the export `Pool`. */
  type Pool = import("./pool/pool.ts").Pool;
  /** As the export `PoolClient`. */
  type PoolClient = import("./pool/pool_client.ts").PoolClient;
  /** As the export `PoolConfig`. */
  type PoolConfig = import("./pool/options.ts").PoolConfig;
  /** As the export `PoolOptions`. */
  type PoolOptions = import("./pool/options.ts").PoolOptions;
  /** As the export `Connection`. */
  type Connection = import("./connection/connection.ts").Connection;
  /** As the export `BindConfig`. */
  type BindConfig = import("./connection/connection.ts").BindConfig;
  /** As the export `ExecuteConfig`. */
  type ExecuteConfig = import("./connection/connection.ts").ExecuteConfig;
  /** As the export `MessageConfig`. */
  type MessageConfig = import("./connection/connection.ts").MessageConfig;
  /** As the export `QueryParse`. */
  type QueryParse = import("./connection/connection.ts").ParseConfig;
  /** As the export `Submittable`. */
  type Submittable = import("./query/submittable.ts").Submittable;
  /** As the export `TypeOverrides`. */
  type TypeOverrides = import("./query/type_overrides.ts").TypeOverrides;
  /** As the export `Notification`. */
  type Notification = import("./listen/subscription.ts").Notification;
  /** As the export `Defaults`. */
  type Defaults = import("./defaults.ts").Defaults;
  /** As the export `ClientConfig`. */
  type ClientConfig = import("../config/client_config.ts").ClientConfig;
  /** As the export `ConnectionConfig`. */
  type ConnectionConfig = import("../config/client_config.ts").ClientConfig;
  /** As the export `CustomTypesConfig`. */
  type CustomTypesConfig = import("../config/client_config.ts").CustomTypesConfig;
  /** As the export `DatabaseError`. */
  type DatabaseError = import("../errors.ts").DatabaseError;
  /** As the export `NoticeMessage`. */
  type NoticeMessage = import("../errors.ts").NoticeMessage;
  /** As the export `FieldDef`. */
  type FieldDef = import("./query/result.ts").FieldDef;
  /** As the export `QueryResultBase`. */
  type QueryResultBase = import("./query/result.ts").QueryResultBase;
  /** As the export `QueryResultRow`. */
  type QueryResultRow = import("./query/result.ts").QueryResultRow;
  /** As the export `QueryConfigValues`. */
  type QueryConfigValues<Values> = import("./query/config.ts").QueryConfigValues<Values>;
  /** As the export `Query`. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg
  type Query<Row extends QueryResultRow = any, Values extends readonly any[] = any> = import("./query/query.ts").Query<
    Row,
    Values
  >;
  /** As the export `QueryConfig`. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg
  type QueryConfig<Values = readonly any[]> = import("./query/config.ts").QueryConfig<Values>;
  /** As the export `QueryArrayConfig`. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg
  type QueryArrayConfig<Values = readonly any[]> = import("./query/config.ts").QueryArrayConfig<Values>;
  /** As the export `QueryResult`. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg
  type QueryResult<Row extends QueryResultRow = any> = import("./query/result.ts").QueryResult<Row>;
  /** As the export `QueryArrayResult`. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg
  type QueryArrayResult<Row extends any[] = any[]> = import("./query/result.ts").QueryArrayResult<Row>;
  /** As the export `ResultBuilder`. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg
  type ResultBuilder<Row extends QueryResultRow = any> = import("./query/result.ts").ResultBuilder<Row>;
  /** As the export `Result`. */
  // deno-lint-ignore no-explicit-any -- as in @types/pg
  type Result<Row extends QueryResultRow = any> = import("./query/result.ts").Result<Row>;
}
