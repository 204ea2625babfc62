/**
 * The client as node-postgres's users know it: a connection that takes queries.
 *
 * @module
 */

import type { ClientConfig } from "../config/client_config.ts";
import type { ConnectionOptions } from "../config/options.ts";
import type { DuplexInfo } from "../duplex/duplex.ts";
import { deferred } from "../duplex/waiting.ts";
import { AbortError, ClientError, TimeoutError, TransportError } from "../errors.ts";
import { connect } from "../session/connect.ts";
import type { ConnectTimings } from "../session/connect_state.ts";
import type { Session, SessionEvents } from "../session/session.ts";
import { StatementCache } from "../session/statement_cache.ts";
import type { TlsInfo } from "../tls/engine.ts";
import type { TypeParserSource } from "../types/codec.ts";
import { TypeRegistry, types as globalTypes } from "../types/registry.ts";
import { callOut } from "./call_out.ts";
import { ClientOperations } from "./client_operations.ts";
import type { ClientStage } from "./client_shape.ts";
import { Connection } from "./connection.ts";
import { defaults } from "./defaults.ts";
import { EarlyQueries } from "./early_queries.ts";
import { callbackObserver, eventObserver } from "./observers.ts";
import { resolveClientOptions } from "./own_stream.ts";
import { oneOrAll, Query, type QueryCallback } from "./query.ts";
import { type QueryArrayConfig, type QueryConfig, queryConfig } from "./query_config.ts";
import { type QueryDefaults, type QueryObserver, QueryRequest } from "./query_run.ts";
import type { Request } from "./request.ts";
import type { QueryResultRow, Result } from "./result.ts";
import { equip, isSubmittable, type Submittable, SubmittableRequest } from "./submittable.ts";
import { rejectTraced } from "./trace.ts";

interface Connecting {
  readonly at: "connecting";
  readonly abort: AbortController;
  /** Resolves when the connect has succeeded or failed. */
  readonly over: Promise<void>;
  readonly session: Session | undefined;
}

type State =
  | { readonly at: "new" }
  | Connecting
  | { readonly at: "connected"; readonly session: Session }
  | { readonly at: "ended"; readonly error: Error | undefined };

/** Whoever waits for a connect. */
interface ConnectObserver {
  ready(): void;
  failed(error: Error): void;
}

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
export class Client extends ClientOperations {
  /** As in node-postgres. */
  static readonly Query: typeof Query = Query;

  /** The resolved options. They do not show the password when printed. */
  readonly #options: ConnectionOptions;
  readonly #types: TypeRegistry;
  readonly #queryDefaults: QueryDefaults;
  readonly #early: EarlyQueries;
  #state: State = { at: "new" };
  #timings: ConnectTimings | undefined;
  #tlsInfo: TlsInfo | undefined;
  #connection: Connection | undefined;
  #queried = false;
  #wasReady = false;
  #lastSession: Session | undefined;
  /** Whether the connection is over, or will never be. */
  #over = false;
  /** The end that `end` has begun. */
  #closing: Promise<void> | undefined;
  readonly #Promise: PromiseConstructor;

  /**
   * Reads the options; nothing is opened before `connect`.
   *
   * @param config A connection string or options; what is not said comes from the environment (`PGHOST`, ...) and
   * {@linkcode defaults}.
   * @throws {ConfigError} for whatever cannot be used, before anything is sent
   */
  constructor(config?: string | URL | ClientConfig) {
    const options = resolveClientOptions(config);
    const own = typeof config === "object" && config !== null && !(config instanceof URL) ? config : {};
    super(options, own);
    this.#options = options;
    this.#Promise = (own.Promise as PromiseConstructor | undefined) ?? Promise;
    this.#early = new EarlyQueries({ host: options.host, port: options.port });
    this.#types = new TypeRegistry((own.types as TypeParserSource | undefined) ?? globalTypes);
    this.#queryDefaults = {
      types: this.#types,
      binary: this.#options.binary,
      datesAsUTC: defaults.parseInputDatesAsUTC ?? false,
      statements: options.statementCache > 0 ? new StatementCache(options.statementCache) : undefined,
    };
  }

  /** The server's run-time parameters that it reports, such as `server_version`; empty until connected. */
  get parameters(): ReadonlyMap<string, string> {
    return this.#session?.parameters ?? new Map();
  }

  /** The transport, the peer, and whether the connection is verified TLS; undefined until connected. */
  get connectionInfo(): DuplexInfo | undefined {
    return this.#session?.duplex.info;
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
    return this.#tlsInfo;
  }

  /** What submittables write to. */
  get connection(): Connection {
    this.#connection ??= this.#makeConnection();
    return this.#connection;
  }

  /** How long each part of connecting took; undefined until connected. */
  get connectTimings(): ConnectTimings | undefined {
    return this.#timings;
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
      void this.#connect(undefined, {
        ready: () => callOut(() => optionsOrCallback(null, this)),
        failed: (error) => callOut(() => optionsOrCallback(error)),
      });
      return;
    }
    const promise = new this.#Promise<this>((resolve, reject) => {
      void this.#connect(optionsOrCallback?.signal, {
        ready: () => resolve(this),
        failed: (error) => {
          // Who ends a client that is still connecting need not wait for this: node-postgres's would never settle.
          if (this.#closing !== undefined) promise.catch(() => {});
          if (this.#Promise === Promise) rejectTraced(resolve, error);
          else reject(error);
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
  query<Row extends any[]>(config: QueryArrayConfig, values?: readonly unknown[]): Promise<Result<Row>>;
  /** Rows are objects by the names of their columns. */
  query<Row = QueryResultRow>(config: string | QueryConfig, values?: readonly unknown[]): Promise<Result<Row>>;
  /** Runs what submits itself, and returns it. */
  query<Q extends Query | Submittable>(query: Q, callback?: QueryCallback): Q;
  /** As above, and calls back. */
  query<Row = QueryResultRow>(config: string | QueryConfig, callback: QueryCallback<Result<Row>>): void;
  /** As above, with values, and calls back. */
  query<Row = QueryResultRow>(
    config: string | QueryConfig,
    values: readonly unknown[] | undefined,
    callback: QueryCallback<Result<Row>>,
  ): void;
  query(
    config: string | QueryConfig | Query | Submittable,
    valuesOrCallback?: readonly unknown[] | QueryCallback,
    maybeCallback?: QueryCallback,
  ): unknown {
    const callback = typeof valuesOrCallback === "function" ? valuesOrCallback : maybeCallback ?? undefined;
    if (callback !== undefined && typeof callback !== "function") throw new TypeError("callback is not a function");
    if (config instanceof Query) return this.#runEvented(config, callback);
    if (isSubmittable(config)) return this.#runSubmittable(config, callback);
    const values = typeof valuesOrCallback === "function" ? undefined : valuesOrCallback;
    const normalised = queryConfig(config, values);
    const report = callback ?? normalised.callback;
    if (report !== undefined) return this.#runQuery(normalised, callbackObserver(report));
    const native = this.#Promise === Promise;
    return new this.#Promise((resolve, reject) => {
      this.#runQuery(normalised, {
        done: (results) => resolve(oneOrAll(results)),
        failed: (error) => native ? rejectTraced(resolve, error) : reject(error),
      });
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
    const ended = this.#end();
    if (typeof callback !== "function") return this.#promised(ended);
    ended.then(() => callOut(callback));
  }

  /** Ends the connection when an `await using` scope does. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
  }

  /** Registers a parser for this client alone; the arguments are those of `types.setTypeParser`. */
  get setTypeParser(): TypeRegistry["setTypeParser"] {
    return this.#types.setTypeParser;
  }

  /** The parser this client uses for a type. */
  get getTypeParser(): TypeRegistry["getTypeParser"] {
    return this.#types.getTypeParser;
  }

  /** Keeps the process alive while this connection is open, which is the default. */
  ref(): void {
    this.#session?.duplex.ref?.();
  }

  /** Lets the process exit although this connection is open. */
  unref(): void {
    this.#session?.duplex.unref?.();
  }

  /** @internal */
  protected get stage(): ClientStage {
    const { at } = this.#state;
    return {
      at,
      ending: this.#closing !== undefined || (this.#state.at === "ended" && this.#state.error === undefined),
      over: this.#over,
      wasReady: this.#wasReady,
      queried: this.#queried,
      failure: this.#state.at === "ended" ? this.#state.error : undefined,
      session: this.#lastSession,
    };
  }

  get #session(): Session | undefined {
    return this.#state.at === "connecting" || this.#state.at === "connected" ? this.#state.session : undefined;
  }

  /** Tells the observer of the outcome before any early query has its own. */
  async #connect(signal: AbortSignal | undefined, observer: ConnectObserver): Promise<void> {
    if (this.#state.at !== "new") {
      await undefined;
      const used = "Client has already been connected. You cannot reuse a client.";
      return observer.failed(this.#error("CLIENT_ALREADY_CONNECTED", used));
    }
    const abort = new AbortController();
    const onAbort = () => abort.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (signal?.aborted) onAbort();
    const { promise: over, resolve: settle } = deferred<void>();
    const connecting: Connecting = { at: "connecting", abort, over, session: undefined };
    this.#state = connecting;
    try {
      await connect({
        options: this.#options,
        events: this.#sessionEvents(),
        onLastMessage: (early) => this.#adopt({ ...connecting, session: early }),
        onReady: ({ session, timings, tls }) => {
          this.#timings = timings;
          this.#tlsInfo = tls;
          this.#wasReady = true;
          this.#adopt({ at: "connected", session });
          observer.ready();
          callOut(() => this.emit("connect"));
        },
        signal: abort.signal,
      });
    } catch (cause) {
      const error = cause instanceof Error ? cause : new Error(String(cause));
      this.#failConnect(error);
      observer.failed(error);
    } finally {
      signal?.removeEventListener("abort", onAbort);
      settle();
    }
  }

  /** From here on queries go straight to the session; those that wait go first. */
  #adopt(state: State & { readonly session: Session }): void {
    this.#state = state;
    this.#lastSession = state.session;
    this.#early.startAll(state.session);
  }

  #failConnect(error: Error): void {
    this.#state = { at: "ended", error: this.#closing === undefined ? error : undefined };
    this.#early.failAll(error);
    this.#connectionOver();
  }

  #sessionEvents(): SessionEvents {
    return {
      notice: (report, length) => this.#announce("notice", { length, name: "notice", ...report }),
      notification: ({ processId, channel, payload }) =>
        this.#announce("notification", { processId, channel, payload, name: "notification" }),
      authentication: (name) =>
        callOut(() => this.#connection?.emit(`a${name.slice(1)}`, { name: `a${name.slice(1)}` })),
      parameterStatus: (parameterName, parameterValue) =>
        callOut(() => this.#connection?.emit("parameterStatus", { parameterName, parameterValue })),
      drain: () => {
        if (this.#queried) callOut(() => this.emit("drain"));
      },
      end: (error) => this.#sessionEnded(error),
    };
  }

  #sessionEnded(error: Error | undefined): void {
    // A connect that fails reports it by its promise.
    if (this.#state.at === "connecting") return;
    const unexpected = this.#state.at === "connected" && error !== undefined;
    if (this.#state.at === "connected") this.#state = { at: "ended", error };
    // Without a listener an emitter would throw, and an idle connection that dies must not take the process down.
    if (unexpected && this.listenerCount("error") > 0) callOut(() => this.emit("error", error));
    this.#connectionOver();
  }

  #announce(event: "notice" | "notification", message: object): void {
    callOut(() => this.emit(event, message));
    callOut(() => this.#connection?.emit(event, message));
  }

  #makeConnection(): Connection {
    const destroy = (reason: Error | undefined) => {
      const error = reason ??
        new TransportError("CONNECTION_DESTROYED", "Connection terminated unexpectedly", {
          phase: "close",
          verbatim: true,
          hint: "The program ended the connection under its client.",
        });
      const state = this.#state;
      if (state.at === "connecting") state.abort.abort(error);
      else if (state.at === "connected") state.session.destroy(error);
    };
    const connection = new Connection({
      ending: () => this._ending,
      statements: () => this.#lastSession?.statements,
      destroy,
      ref: () => this.ref(),
      unref: () => this.unref(),
    });
    // As in node-postgres, who emits an error there breaks the connection.
    connection.on("error", destroy);
    if (this.#over) connection.stream.closed();
    return connection;
  }

  /** The events come once whoever ended the connection had the chance to listen. */
  #connectionOver(): void {
    this.#over = true;
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
    const patient = this.pipeline ? this.#givingUpWith(observer) : observer;
    const request = new QueryRequest(config, this.#queryDefaults, this.#options.queryTimeoutMillis, patient);
    if (this.pipeline && config.rows) this.#refuse(request, "The `rows` option is");
    else this.runRequest(request);
  }

  /** As in node-postgres, what times out in a pipeline takes the connection with it. */
  #givingUpWith(observer: QueryObserver): QueryObserver {
    const failed = (error: Error) => {
      observer.failed(error);
      const wasSent = error instanceof TimeoutError && !error.safeToRetry;
      if (wasSent) this.connection.stream.destroy();
    };
    return Object.assign(Object.create(observer) as QueryObserver, { failed });
  }

  /** Who asks for a pipeline is promised that nothing holds it up, as in node-postgres. */
  #refuse(request: Request, what: string): void {
    const error = this.#error("PIPELINE_PORTAL", `${what} not supported in pipeline mode`);
    queueMicrotask(() => request.failed(error));
  }

  /** A promise of the kind that the options ask for. */
  #promised<T>(promise: Promise<T>): Promise<T> {
    if (this.#Promise === Promise) return promise;
    return new this.#Promise<T>((resolve, reject) => promise.then(resolve, reject));
  }

  #runSubmittable<S extends Submittable>(submittable: S, callback: QueryCallback | undefined): S {
    equip(submittable, callback, this.#types);
    const request = new SubmittableRequest(submittable, this.connection, this.#options.queryTimeoutMillis);
    if (this.pipeline) this.#refuse(request, "Custom query classes such as pg-cursor and pg-query-stream are");
    else this.runRequest(request);
    return submittable;
  }

  /** @internal */
  protected get queryDefaults(): QueryDefaults {
    return this.#queryDefaults;
  }

  /** @internal */
  protected get typeRegistry(): TypeRegistry {
    return this.#types;
  }

  /** @internal */
  protected runRequest(request: Request): void {
    const state = this.#state;
    this.#queried = true;
    if (state.at === "ended" || this.#closing !== undefined) {
      const error = this.#notQueryable(state.at === "ended" ? state.error : undefined);
      // Once the caller had the chance to listen.
      return queueMicrotask(() => request.failed(error));
    }
    if (state.at === "new" || state.session === undefined) this.#early.add(request);
    else request.start(state.session, request.timeoutMillis);
  }

  #runEvented(query: Query, callback: QueryCallback | undefined): Query {
    query.callback ??= callback;
    const timeoutMillis = query.config.query_timeout ?? this.#options.queryTimeoutMillis;
    this.#runQuery(query.config, eventObserver(query, timeoutMillis > 0));
    return query;
  }

  async #end(): Promise<void> {
    const state = this.#state;
    switch (state.at) {
      case "new":
        this.#early.failAll(this.#error("CLIENT_CLOSED", "Client was closed and is not queryable"));
        this.#state = { at: "ended", error: undefined };
        this.#over = true;
        return;
      case "connecting":
        return await (this.#closing ??= this.#endConnecting(state));
      case "connected":
        this.#state = { at: "ended", error: undefined };
        return await (this.#closing = this.#close(state.session));
      case "ended":
        return await this.#closing;
    }
  }

  async #endConnecting({ abort, over }: Connecting): Promise<void> {
    if (!this.pipeline || !this.#queried) {
      abort.abort(new AbortError("ABORTED", "the client was ended while it connected", { safeToRetry: true }));
    }
    await over;
    if (this.#state.at !== "connected") return;
    // A pipeline is to be answered, or it was too late to abort.
    const { session } = this.#state;
    this.#state = { at: "ended", error: undefined };
    await this.#close(session);
  }

  /** As in node-postgres, a pipeline is answered first; other queries might never be. */
  async #close(session: Session): Promise<void> {
    // What fails by this does so once the caller had the chance to listen.
    await undefined;
    if (this.pipeline && session.outstanding > 0) {
      await new Promise((resolve) => this.once("drain", resolve).once("end", resolve));
    }
    await session.end();
  }

  #notQueryable(cause: Error | undefined): ClientError {
    return cause === undefined
      ? this.#error("CLIENT_CLOSED", "Client was closed and is not queryable")
      : this.#error("CLIENT_BROKEN", "Client has encountered a connection error and is not queryable", cause);
  }

  #error(code: string, message: string, cause?: Error): ClientError {
    const { host, port } = this.#options;
    const because = cause === undefined ? {} : { cause };
    return new ClientError(code, message, { host, port, safeToRetry: true, verbatim: true, ...because });
  }
}
