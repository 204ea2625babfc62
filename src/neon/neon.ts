/**
 * The shape of `@neondatabase/serverless`: for programs and libraries that were written for it.
 *
 * @example
 * ```ts
 * import { neonConfig, Pool } from "@pgduplex/pgduplex/neon";
 *
 * neonConfig.wsProxy = "proxy.example.com/v1";
 * await using pool = new Pool({ connectionString: "postgres://app:secret@db.example.com/shop" });
 * console.log((await pool.query("select now()")).rows);
 * ```
 *
 * @module
 */

export { defaults } from "../client/defaults.ts";
export { escapeIdentifier, escapeLiteral } from "../client/escape.ts";
export { Query } from "../client/query/query.ts";
export { Result } from "../client/query/result.ts";
export { DatabaseError, DatabaseError as NeonDbError } from "../errors.ts";
export { types } from "../types/registry.ts";
export { Client, Pool } from "./client.ts";
export { type NeonConfig, neonConfig, type NeonWsProxy } from "./config.ts";
export {
  type Asked,
  neon,
  type NeonConnectionParams,
  type NeonOptions,
  type NeonQueries,
  type NeonQueryFunction,
  type NeonQueryOptions,
  NeonQueryPromise,
  type NeonTransactionOptions,
  type QueryAnswer,
  type QueryRows,
  UnsafeRawSql,
} from "./query.ts";
