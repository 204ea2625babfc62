/**
 * The client as node-postgres's users know it: a connection that takes queries.
 *
 * @module
 */

import type { ClientConfig } from "../config/client_config.ts";
import { inDomain } from "../config/host.ts";
import type { ConnectionOptions } from "../config/options.ts";
import type { DuplexInfo } from "../duplex/duplex.ts";
import { assertSignal } from "../duplex/abort_signal.ts";
import type { ConnectTimings } from "../session/connect_state.ts";
import type { TlsInfo } from "../tls/engine.ts";
import type { CatalogType } from "../types/catalog.ts";
import type { TypeParserSource } from "../types/codec.ts";
import { TypeRegistry, types as globalTypes } from "../types/registry.ts";
import { callOut } from "./call_out.ts";
import { ClientShape, type ClientStage } from "./client_shape.ts";
import { Connection } from "./connection/connection.ts";
import { defaults } from "./defaults.ts";
import { Lifecycle, type LifecycleEvents } from "./lifecycle.ts";
import { breakingOnTimeout, callbackObserver, eventObserver } from "./query/observers.ts";
import { type Operations, Place, type Take } from "./place.ts";
import { resolveClientOptions } from "./resolve_client_options.ts";
import { oneOrAll, Query, type QueryCallback } from "./query/query.ts";
import {
  needsExtended,
  type QueryArrayConfig,
  type QueryConfig,
  queryConfig,
  type QueryConfigValues,
} from "./query/config.ts";
import { type QueryDefaults, type QueryObserver, QueryRequest } from "./query/run.ts";
import type { RequestHost } from "./queryable_base.ts";
import type { Request } from "./request.ts";
import type { QueryResultRow, Result } from "./query/result.ts";
import { equip, isSubmittable, type Submittable, tellFailure } from "./query/submittable.ts";
import { type PromiseRun, tracedPromise } from "./trace.ts";
import type { TransactionWork } from "./transaction/transaction.ts";
import type { TransactionOptions } from "./transaction/options.ts";

/** How a connect may be given up. */
export interface ConnectOptions {
  /** Aborts the connect; the promise rejects with an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One connection to PostgreSQL, shaped as node-postgres's `Client`.
 *
 * Queries may be given at any time, before `connect` has ended too; they are pipelined, answered in order, and each
 * succeeds or fails by itself.
 *
 * Events: `connect`, `error` (the connection broke), `notice`, `notification`, `drain`, `end`.
 *
 * @example
 * ```ts
 * import { Client } from "@pgduplex/pgduplex";
 *
 * const client = new Client("postgres://app:secret@localhost/shop");
 * await client.connect();
 * const { rows } = await client.query("select name, price from products where id = $1", [42]);
 * console.log(rows[0]);
 * await client.end();
 * ```
 */
export class Client extends ClientShape {
  /** As in node-postgres. */
  static readonly Query: typeof Query = Query;

  /** The resolved options. They do not show the password when printed. */
  readonly #options: ConnectionOptions;
  readonly #types: TypeRegistry;
  readonly #queryDefaults: QueryDefaults;
  readonly #lifecycle: Lifecycle;
  readonly #host: RequestHost;
  #connection: Connection | undefined;
  #transactions: InstanceType<Operations["Transactions"]> | undefined;
  readonly #Promise: PromiseConstructor;

  /**
   * Reads the options; nothing is opened before `connect`.
   *
   * @param config A connection string or options; what is not said comes from the environment (`PGHOST`, ...) and
   * {@linkcode defaults}.
   * @throws {ConfigError} for whatever cannot be used; certificates of an `ssl` object that cannot fail the connect
   */
  constructor(config?: string | URL | ClientConfig) {
    const resolved = resolveClientOptions(config);
    const { options } = resolved;
    const own = typeof config === "object" && config !== null && !(config instanceof URL) ? config : {};
    super(options, own);
    this.#options = options;
    this.#Promise = (own.Promise as PromiseConstructor | undefined) ?? Promise;
    this.#lifecycle = new Lifecycle(resolved, () => this.pipeline, this.#lifecycleEvents());
    this.#types = new TypeRegistry((own.types as TypeParserSource | undefined) ?? globalTypes);
    this.#queryDefaults = {
      types: this.#types,
      binary: this.#options.binary,
      datesAsUTC: defaults.parseInputDatesAsUTC ?? false,
    };
    let portals = 0;
    this.#host = {
      run: (request) => this.#lifecycle.run(request),
      defaults: this.#queryDefaults,
      portalName: () => `pgduplex_${++portals}`,
    };
  }

  /** The server's run-time parameters that it reports, such as `server_version`; empty until connected. */
  get parameters(): ReadonlyMap<string, string> {
    return this.self.#lifecycle.session?.parameters ?? new Map();
  }

  /** The transport, the peer, and whether the connection is verified TLS; undefined until connected. */
  get connectionInfo(): DuplexInfo | undefined {
    return this.self.#lifecycle.session?.duplex.info;
  }

  /**
   * What TLS agreed on, and which engine did; undefined without TLS, and until connected. A field is undefined where the
   * platform does not tell: Deno's and Workers' sockets keep version, cipher and group to themselves.
   *
   * @example
   * ```ts
   * const { engine, protocol, group, cipher } = client.tlsInfo ?? {};
   * console.log(engine, protocol, group, cipher); // wolfssl TLSv1.3 X25519 TLS_AES_256_GCM_SHA384
   * ```
   */
  get tlsInfo(): TlsInfo | undefined {
    return this.self.#lifecycle.connected?.tls;
  }

  /** What submittables write to. */
  get connection(): Connection {
    this.self.#connection ??= this.self.#makeConnection();
    return this.self.#connection;
  }

  /** How long each part of connecting took; undefined until connected. */
  get connectTimings(): ConnectTimings | undefined {
    return this.self.#lifecycle.connected?.timings;
  }

  /**
   * Connects. Resolves with the client, ready for queries; queries given before leave with the last message of
   * authentication and so save a turn.
   *
   * @throws {DriverError} `TIMEOUT_CONNECT`, `TRANSPORT_OPEN_FAILED`, `TLS_*`, `AUTH_*`, `CLIENT_ALREADY_CONNECTED`, ...;
   * a `DatabaseError` where the server refused
   */
  connect(options?: ConnectOptions): Promise<this>;
  /** As above, and calls back. */
  connect(callback: (error: Error | null, client?: this) => void): void;
  connect(optionsOrCallback?: ConnectOptions | ((error: Error | null, client?: this) => void)): Promise<this> | void {
    if (typeof optionsOrCallback === "function") {
      const callback = optionsOrCallback;
      return void this.self.#lifecycle.connect(undefined, {
        ready: () => callOut(() => callback(null, this)),
        failed: (error) => callOut(() => callback(error)),
      });
    }
    const promise = this.self.#promise<this>((resolve, reject) => {
      const signal = optionsOrCallback?.signal;
      assertSignal(signal);
      void this.self.#lifecycle.connect(signal, {
        ready: () => resolve(this),
        failed: (error) => {
          // Who ends a client that is still connecting need not wait for this: node-postgres's would never settle.
          if (this.self.#lifecycle.closing) promise.catch(() => {});
          reject(error);
        },
      });
    });
    return promise;
  }

  /**
   * Runs a query: a text with values, a config, a {@linkcode Query} that reports by events, or a {@linkcode Submittable}
   * such as npm `pg-cursor`'s, which has the connection to itself until it has ended.
   *
   * Without values a text may have several statements; the result is then an array of results.
   *
   * @throws {DatabaseError} what the server refused; another `DriverError` for what could not be sent or answered
   */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends any[] = any[], Values = readonly any[]>(
    config: QueryArrayConfig<Values>,
    values?: QueryConfigValues<Values>,
  ): Promise<Result<Row>>;
  /** Rows are objects by the names of their columns. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends QueryResultRow = any, Values = readonly any[]>(
    config: string | QueryConfig<Values>,
    values?: QueryConfigValues<Values>,
  ): Promise<Result<Row>>;
  /** Runs what submits itself, and returns it. */
  query<Q extends Query | Submittable>(query: Q): Q;
  /** As above, and calls back. */
  query<Q extends Query | Submittable>(query: Q, callback: QueryCallback | undefined): Q;
  /** As above, and calls back. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends any[] = any[], Values = readonly any[]>(
    config: QueryArrayConfig<Values>,
    callback: QueryCallback<Result<Row>>,
  ): void;
  /** As in node-postgres, the outcome is told to the callback. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends QueryResultRow = any, Values = readonly any[]>(
    config: string | QueryConfig<Values>,
    callback: QueryCallback<Result<Row>>,
  ): void;
  /** As above, with values, and calls back. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends QueryResultRow = any, Values = readonly any[]>(
    config: string | QueryConfig<Values>,
    values: QueryConfigValues<Values> | undefined,
    callback: QueryCallback<Result<Row>>,
  ): void;
  query(
    config: string | QueryConfig | Query | Submittable,
    valuesOrCallback?: readonly unknown[] | QueryCallback,
    maybeCallback?: QueryCallback,
  ): unknown {
    const [values, given] = typeof valuesOrCallback === "function"
      ? [undefined, valuesOrCallback]
      : [valuesOrCallback, maybeCallback ?? undefined];
    if (given !== undefined && typeof given !== "function") throw new TypeError("callback is not a function");
    const callback = inDomain(given);
    if (isSubmittable(config)) return this.self.#runSubmittable(config, callback);
    if (config instanceof Query) return this.self.#runEvented(config, callback);
    const normalised = queryConfig(config, values);
    const report = callback ?? normalised.callback;
    if (report !== undefined) return this.self.#runQuery(normalised, callbackObserver(report));
    return this.self.#promise((resolve, failed) => {
      this.self.#runQuery(normalised, { done: (results) => resolve(oneOrAll(results)), failed });
    });
  }

  /**
   * Ends the connection. What is still outstanding fails; await your queries first, or set the option `pipeline`, which
   * makes the end wait for them. Ending twice is harmless.
   */
  end(): Promise<void>;
  /** As above, and calls back. */
  end(callback: (error?: Error) => void): void;
  end(callback?: (error?: Error) => void): Promise<void> | void {
    const ended = this.self.#lifecycle.end();
    if (typeof callback !== "function") return this.self.#promise((resolve, reject) => ended.then(resolve, reject));
    ended.then(() => callOut(callback));
  }

  /** Ends the connection when an `await using` scope does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  /** Registers a parser for this client alone; the arguments are those of `types.setTypeParser`. */
  get setTypeParser(): TypeRegistry["setTypeParser"] {
    return this.self.#types.setTypeParser;
  }

  /** The parser this client uses for a type. */
  get getTypeParser(): TypeRegistry["getTypeParser"] {
    return this.self.#types.getTypeParser;
  }

  /** As {@linkcode Queryable.transaction}. A client runs one at a time; within one, use that transaction's own method. */
  async transaction<T>(work: TransactionWork<T>, options?: TransactionOptions): Promise<T> {
    return await this.self.#runLate(({ Transactions }) => {
      this.self.#transactions ??= new Transactions(this);
      return this.self.#transactions.run(work, options);
    }, options?.signal);
  }

  /**
   * Looks up the types that this database has of its own, so that this client gives values of theirs as what they are:
   * composites and rows of tables as objects, ranges as {@linkcode Range}s, arrays of enums and of all of these as
   * arrays, domains as what they are made of, `hstore` as objects. Until then, and by default, they are strings as in
   * node-postgres. Call it again after types were created. For a pool's clients, call it in `onConnect`.
   *
   * @example
   * ```ts
   * await client.loadTypes();
   * const { rows } = await client.query("select int4range(1, 5) as range, array['a'::mood] as moods");
   * console.log(rows[0].range.upper, rows[0].moods); // 5 [ "a" ]
   * ```
   */
  async loadTypes(): Promise<void> {
    await this.self.#runLate(async ({ CATALOG_QUERY, registerCatalog }) => {
      const types = new TypeRegistry();
      const { rows } = await this.query<[...CatalogType]>({ text: CATALOG_QUERY, rowMode: "array", types });
      registerCatalog(this.self.#types, rows);
    });
  }

  /** Keeps the process alive while this connection is open, which is the default. */
  ref(): void {
    this.self.#lifecycle.ref();
  }

  /** Lets the process exit although this connection is open. */
  unref(): void {
    this.self.#lifecycle.unref();
  }

  /** @internal */
  protected get portalsInTransaction(): undefined {
    return undefined;
  }

  /** @internal */
  protected lend(request: Request, _ended: () => Promise<unknown>, lent?: (host: RequestHost) => void): void {
    lent?.(this.self.#host);
    this.self.#host.run(request);
  }

  /** @internal */
  protected get stage(): ClientStage {
    return this.self.#lifecycle.stage;
  }

  #lifecycleEvents(): LifecycleEvents {
    return {
      notice: (report, length) => this.#announce("notice", { length, name: "notice", ...report }),
      notification: ({ processId, channel, payload }, length) =>
        this.#announce("notification", { length, processId, channel, payload, name: "notification" }),
      authentication: (name) =>
        callOut(() => this.#connection?.emit(`a${name.slice(1)}`, { name: `a${name.slice(1)}` })),
      parameterStatus: (parameterName, parameterValue) =>
        callOut(() => this.#connection?.emit("parameterStatus", { parameterName, parameterValue })),
      ready: () => callOut(() => this.emit("connect")),
      drain: () => callOut(() => this.emit("drain")),
      over: (error) => {
        // Without a listener an emitter would throw, and an idle connection that dies must not take the process down.
        if (error !== undefined && this.listenerCount("error") > 0) callOut(() => this.emit("error", error));
        this.#connectionOver();
      },
    };
  }

  #announce(event: "notice" | "notification", message: object): void {
    callOut(() => this.emit(event, message));
    callOut(() => this.#connection?.emit(event, message));
  }

  #makeConnection(): Connection {
    const connection = new Connection(null, this.#lifecycle);
    if (this.stage.over) connection.stream.closed();
    return connection;
  }

  /** The events come once whoever ended the connection had the chance to listen. */
  #connectionOver(): void {
    const connection = this.#connection;
    queueMicrotask(() => {
      if (connection !== undefined) {
        callOut(() => connection.stream.closed());
        callOut(() => connection.emit("end"));
      }
      callOut(() => this.emit("end"));
    });
  }

  #runQuery(config: QueryConfig, observer: QueryObserver): void {
    const patient = this.pipeline ? breakingOnTimeout(observer, () => this.connection.stream.destroy()) : observer;
    if (this.#options.startupParameters["replication"] !== undefined && !needsExtended(config)) {
      return this.#runReplication(config, patient);
    }
    const request = new QueryRequest(config, this.#queryDefaults, this.#options.queryTimeoutMillis, patient);
    if (this.pipeline && config.rows) this.#refuse(request, "The `rows` option is");
    else this.#lifecycle.run(request);
  }

  /** Who asks for a pipeline is promised that nothing holds it up, as in node-postgres. */
  #refuse(request: Request, what: string): void {
    const error = this.#lifecycle.error("PIPELINE_PORTAL", `${what} not supported in pipeline mode`);
    queueMicrotask(() => request.failed(error));
  }

  #promise<T>(run: PromiseRun<T>): Promise<T> {
    return tracedPromise(this.#Promise, run);
  }

  #place<T>(take: Take<T>, signal?: AbortSignal, query?: Submittable): Place<T> {
    return new Place(take, { timeoutMillis: this.#options.queryTimeoutMillis, signal, handler: { query } });
  }

  /** Runs what may have to be loaded, in its turn. */
  #runLate<T>(take: Take<T>, signal?: AbortSignal): Promise<Awaited<T>> {
    const place = this.#place(take, signal);
    this.#lifecycle.run(place);
    return place.taken;
  }

  /** A query that is told on {@linkcode Client.connection}, too, and has it to itself. */
  #runReplication(config: QueryConfig, observer: QueryObserver): void {
    const { connection } = this;
    const { signal, query_timeout = this.#options.queryTimeoutMillis } = config;
    const request = new Place(({ runSubmittable, ReplicationQuery }, session, timeoutMillis) => {
      const query = new ReplicationQuery(config, this.#types, observer);
      runSubmittable(query, connection, session, { timeoutMillis, signal });
    }, { timeoutMillis: query_timeout, signal });
    request.taken.catch((error) => observer.failed(error));
    this.#lifecycle.run(request);
  }

  #runSubmittable<S extends Submittable>(submittable: S, callback: QueryCallback | undefined): S {
    equip(submittable, callback, this.#types);
    const { connection } = this;
    const request = this.#place(
      ({ runSubmittable }, session, timeoutMillis) =>
        runSubmittable(submittable, connection, session, { timeoutMillis }),
      undefined,
      submittable,
    );
    request.taken.catch((error) => tellFailure(submittable, error, connection));
    if (this.pipeline) this.#refuse(request, "Custom query classes such as pg-cursor and pg-query-stream are");
    else this.#lifecycle.run(request);
    return submittable;
  }

  #runEvented(query: Query, callback: QueryCallback | undefined): Query {
    query.callback ??= callback;
    const { config } = query;
    const timeoutMillis = config.query_timeout ?? this.#options.queryTimeoutMillis;
    this.#runQuery(config, eventObserver(query, timeoutMillis > 0));
    return query;
  }
}
