/**
 * PostgreSQL from anywhere JavaScript runs: a drop-in for node-postgres over sockets and WebSockets.
 *
 * @example
 * ```ts
 * import { Client } from "@pgduplex/pgduplex";
 *
 * const client = new Client({ host: "db.example.com", user: "app", password: "secret", wsProxy: "wss://proxy.example.com" });
 * await client.connect();
 * console.log((await client.query("select now()")).rows);
 * await client.end();
 * ```
 *
 * @module
 */

export { Client, type Client as ClientBase, type ConnectOptions } from "./src/client/client.ts";
export type { QueryableBase } from "./src/client/queryable_base.ts";
export type { ClientShape, ConnectionParameters } from "./src/client/client_shape.ts";
export {
  type BindConfig,
  Connection,
  type ExecuteConfig,
  type MessageConfig,
  type ParseConfig,
  type ParseConfig as QueryParse,
} from "./src/client/connection/connection.ts";
export type { ConnectionStream } from "./src/client/connection/stream.ts";
export type { CopyChunk, CopyFromOptions, CopyIn, CopySource } from "./src/client/copy/copy_in.ts";
export type { CopyOut, CopyToOptions } from "./src/client/copy/copy_out.ts";
export type { Cursor } from "./src/client/rows/cursor.ts";
export { type Defaults, defaults } from "./src/client/defaults.ts";
export { escapeIdentifier, escapeLiteral } from "./src/client/escape.ts";
export { listen, type ListenOptions, type ListenSource } from "./src/client/listen/listen.ts";
export { native, type Pg, pg as default, type PgUtils, utils } from "./src/client/pg.ts";
export { Pool } from "./src/client/pool/pool.ts";
export type { PoolClient, PoolConnectCallback, Release } from "./src/client/pool/pool_client.ts";
export type { PoolOperations } from "./src/client/pool/operations.ts";
export type { ClientConstructor, PoolConfig, PoolOptions } from "./src/client/pool/options.ts";
export { Query, type QueryCallback } from "./src/client/query/query.ts";
export type { QueryArrayConfig, QueryConfig, QueryConfigValues } from "./src/client/query/config.ts";
export type { Queryable } from "./src/client/queryable.ts";
export {
  type FieldDef,
  type QueryArrayResult,
  type QueryResult,
  type QueryResultBase,
  type QueryResultRow,
  Result,
  type ResultBuilder,
} from "./src/client/query/result.ts";
export type { PortalOptions, RowStream, StreamOptions } from "./src/client/rows/row_stream.ts";
export { type Sql, sql, type SqlFragment } from "./src/client/sql.ts";
export type { Submittable } from "./src/client/query/submittable.ts";
export type { TransactionWork } from "./src/client/transaction/transaction.ts";
export type { IsolationLevel, TransactionOptions } from "./src/client/transaction/options.ts";
export type { Transaction } from "./src/client/transaction/scope.ts";
export type { Notification } from "./src/client/listen/subscription.ts";
export { TypeOverrides } from "./src/client/query/type_overrides.ts";
export type {
  ClientConfig,
  ClientConfig as ConnectionConfig,
  CustomTypesConfig,
  PemSource,
  SslOptions,
  TypesConfig,
} from "./src/config/client_config.ts";
export { config, type GlobalConfig } from "./src/config/global.ts";
export type {
  AuthMethod,
  CryptoMode,
  OAuthRequest,
  OAuthTokenSource,
  PasswordRequest,
  PasswordSource,
  SslMode,
  TargetSessionAttrs,
  TlsEngineChoice,
  WebSocketConstructor,
  WebSocketSource,
  WsProxy,
} from "./src/config/options.ts";
export type { Duplex, DuplexInfo, TransportName } from "./src/duplex/duplex.ts";
export { fromStreams, type StreamPair } from "./src/duplex/streams.ts";
export * from "./src/errors.ts";
export type { TransactionStatus } from "./src/protocol/codes.ts";
export type { FieldDescription } from "./src/protocol/row_description.ts";
export type { ConnectTimings } from "./src/session/connect_state.ts";
export type { ClientCertificate, TlsDuplex, TlsEngine, TlsInfo, TlsOptions, TlsVersion } from "./src/tls/engine.ts";
export type { BinaryTypeName } from "./src/types/binary_encoders.ts";
export type { BinaryParser, ByteDecoder, Format, FormatName, TextParser, TypeParserSource } from "./src/types/codec.ts";
export { copyBinary, type CopyColumnType } from "./src/types/copy_binary.ts";
export { copyCsv, type CopyCsvOptions } from "./src/types/copy_csv.ts";
export type { CopyFormat, CopyRowDecoder } from "./src/types/copy_format.ts";
export { copyText, type CopyTextOptions } from "./src/types/copy_text.ts";
export { builtins } from "./src/types/oids.ts";
export type { EncodedParameter } from "./src/types/parameters.ts";
export { Range, type RangeOptions } from "./src/types/range.ts";
export type { FromText, TemporalNamespace } from "./src/types/temporal.ts";
export { typesWith, type ValueTypes } from "./src/types/value_types.ts";
export { type ArrayParser, type SetTypeParser, TypeRegistry, types } from "./src/types/registry.ts";
