/**
 * A pool of clients, as node-postgres's users know it.
 *
 * @module
 */

import { callOut } from "../call_out.ts";
import { Client, type ConnectOptions } from "../client.ts";
import type { PoolClient, PoolConnectCallback } from "./pool_client.ts";
import { functionForQuery, noClient } from "./errors.ts";
import { PoolLender, type PoolLenderHost } from "./lender.ts";
import { PoolLenders } from "./lenders.ts";
import { PoolOperations } from "./operations.ts";
import { type ClientConstructor, type PoolConfig, type PoolOptions, poolOptions } from "./options.ts";
import { runOn, runSubmittableOn, type Settle } from "./query.ts";
import { PoolWaiter } from "./waiter.ts";
import type { QueryCallback } from "../query/query.ts";
import type { QueryArrayConfig, QueryConfig, QueryConfigValues } from "../query/config.ts";
import type { QueryResultRow, Result } from "../query/result.ts";
import { isSubmittable, type Submittable } from "../query/submittable.ts";
import { tracedPromise } from "../trace.ts";

/**
 * Clients that are connected when they are needed, kept for whoever needs one next, and closed when nobody does.
 *
 * Events: `connect` (client: a new one), `acquire` (client), `release` (error, client), `remove` (client: it was closed),
 * `error` (error, client: an idle client has failed and left the pool; without a listener nothing happens).
 *
 * A pool that a Worker keeps from one request to the next connects anew in each, since no request can use the connection
 * of another one: `max`, the counts and the queue are those of the request that asks.
 *
 * @example
 * ```ts
 * import { Pool } from "@pgduplex/pgduplex";
 *
 * await using pool = new Pool({ connectionString: "postgres://app:secret@localhost/shop", max: 5 });
 * const { rows } = await pool.query("select name from products where id = $1", [42]);
 * ```
 */
export class Pool extends PoolOperations {
  /** The options, the pool's and its clients'. The password can be read, and does not show when printed. */
  readonly options: PoolOptions;
  /** What makes the clients. */
  readonly Client: ClientConstructor;
  /** Is told what the pool does. */
  log: (...messages: unknown[]) => void;
  readonly #Promise: PromiseConstructor;
  readonly #lenders: PoolLenders;

  /**
   * Makes an empty pool.
   *
   * @param config A connection string, or the options of the pool and of its clients. They are looked at when a client
   * is made.
   * @param ClientClass What makes the clients, where the options do not say so.
   * @throws {ConfigError} `POOL_OPTION`
   */
  constructor(config?: string | URL | PoolConfig | null, ClientClass: ClientConstructor = Client) {
    super();
    this.options = poolOptions(config);
    this.Client = this.options.Client ?? ClientClass;
    this.#Promise = (this.options.Promise as PromiseConstructor | undefined) ?? Promise;
    this.log = this.options.log ?? (() => {});
    const host: PoolLenderHost = {
      options: this.options,
      Client: this.Client,
      log: (...messages) => this.log(...messages),
      announce: (event, ...args) => this.#announce(event, ...args),
      isHeard: (event) => this.listenerCount(event) > 0,
    };
    this.#lenders = new PoolLenders(() => new PoolLender(host));
  }

  /** How many clients there are, those which are still connecting included. */
  get totalCount(): number {
    return this.self.#lender.members.count;
  }

  /** How many clients nobody uses. */
  get idleCount(): number {
    return this.self.#lender.members.idle.length;
  }

  /** How many wait for a client. */
  get waitingCount(): number {
    return this.self.#lender.queue.length;
  }

  /** How many clients have reached `maxLifetimeSeconds` and are still in use. */
  get expiredCount(): number {
    return this.self.#lender.members.expiredCount;
  }

  /** As in node-postgres, for those who look: all clients, those which are still connecting included. */
  get _clients(): readonly PoolClient[] {
    return this.self.#lender.members.clients;
  }

  /** As in node-postgres, for those who look: the clients that nobody uses, each in an object of its own. */
  get _idle(): readonly { readonly client: PoolClient }[] {
    return [...this.self.#lender.members.idle];
  }

  /** As in node-postgres, for those who look: one object for each who waits for a client. */
  get _pendingQueue(): readonly object[] {
    return this.self.#lender.queue.toArray();
  }

  /** True once `end` was called. */
  get ending(): boolean {
    return this.self.#lender.ending;
  }

  /** True once all clients have left the pool after `end`; what `end` returns resolves when they are closed, too. */
  get ended(): boolean {
    return this.ending && this.self.#lender.members.count === 0 && this.self.#lender.queue.length === 0;
  }

  /**
   * Takes a client out, connecting one where none is idle and there may be another. It must be given back by `release`.
   *
   * @throws {PoolError} `POOL_TIMEOUT`, `POOL_ENDED`; and whatever connecting a client throws
   */
  connect(options?: ConnectOptions): Promise<PoolClient>;
  /** As above, and calls back. */
  connect(callback: PoolConnectCallback): void;
  connect(optionsOrCallback?: ConnectOptions | PoolConnectCallback): Promise<PoolClient> | void {
    if (typeof optionsOrCallback === "function") {
      const callback = optionsOrCallback;
      return this.self.#lender.checkOut(
        new PoolWaiter({
          give: (client, release) => callOut(() => callback(undefined, client, release)),
          fail: (error) => callOut(() => callback(error, undefined, () => {})),
        }),
      );
    }
    return this.self.#promise(({ done, failed }) => {
      this.self.#lender.checkOut(new PoolWaiter({ give: done, fail: failed }, optionsOrCallback?.signal));
    });
  }

  /**
   * Runs one query on any client, as `client.query` does, and gives the client back. The first query of a new client
   * leaves with the last message of its authentication, unless somebody wants to see the client first (`onConnect`,
   * `verify`, a listener of `connect` or `acquire`).
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
  /**
   * Runs what submits itself, on a client of its own that goes back once it has ended. Resolves then, with the result
   * where it has one; what it fails by is first of all its own to tell.
   */
  query(submittable: Submittable): Promise<Result>;
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
  /** As above, and calls back. */
  query(submittable: Submittable, callback: QueryCallback): void;
  /** As above, with values, and calls back. */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends QueryResultRow = any, Values = readonly any[]>(
    config: string | QueryConfig<Values>,
    values: QueryConfigValues<Values> | undefined,
    callback: QueryCallback<Result<Row>>,
  ): void;
  query(
    config: string | QueryConfig | Submittable | ((error: Error) => void),
    valuesOrCallback?: readonly unknown[] | QueryCallback,
    maybeCallback?: QueryCallback,
  ): unknown {
    // deno-lint-ignore no-explicit-any -- node-postgres's pool says undefined where its client says null
    const callback: ((error: any, result?: unknown) => void) | undefined = typeof valuesOrCallback === "function"
      ? valuesOrCallback
      : maybeCallback ?? undefined;
    if (typeof config === "function") return queueMicrotask(() => callOut(() => config(functionForQuery())));
    const values = typeof valuesOrCallback === "function" ? undefined : valuesOrCallback;
    const run = (settle: Settle<unknown>) => this.self.#run(config, values, settle);
    if (callback === undefined) return this.self.#promise(run);
    run({
      done: (result: unknown) => callOut(() => callback(undefined, result)),
      failed: (error: Error) => callOut(() => callback(error)),
    });
  }

  /**
   * Ends the pool: nobody can ask for a client any more. Those who have asked are served; then idle clients are closed
   * at once, and the others when they are given back.
   *
   * @throws {PoolError} `POOL_ENDED_TWICE`
   */
  end(): Promise<void>;
  /** As above, and calls back. */
  end(callback: (error?: Error) => void): void;
  end(callback?: (error?: Error) => void): Promise<void> | void {
    this.log("ending");
    if (typeof callback === "function") {
      this.self.#lenders.end().then(() => callOut(() => callback()), (error) => callOut(() => callback(error)));
    } else {
      return this.self.#promise(({ done, failed }) => this.self.#lenders.end().then(done, failed));
    }
  }

  /** Ends the pool when an `await using` scope does, unless it was ended already, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (this.self.#lender.ended ?? this.self.#lenders.end());
  }

  #run(
    config: string | QueryConfig | Submittable,
    values: readonly unknown[] | undefined,
    settle: Settle<unknown>,
  ): void {
    const submittable = isSubmittable(config);
    // As in node-postgres, a `connect` that a class or a library has put in the place of ours is there for queries, too.
    if (this.connect !== connectOfPool) {
      return this.connect((error, client, release) => {
        if (client === undefined) settle.failed(error ?? noClient());
        else if (submittable) runSubmittableOn(client, release, config, settle);
        else runOn(client, release, { config, values, settle });
      });
    }
    if (submittable) this.#lender.runSubmittable(config, settle);
    else this.#lender.runQuery({ config, values, settle });
  }

  get #lender(): PoolLender {
    return this.#lenders.here;
  }

  // -- telling

  /** What a listener throws is the program's own, and leaves the pool as it is. */
  #announce(event: string, ...args: unknown[]): void {
    if (this.listenerCount(event) > 0) callOut(() => this.emit(event, ...args));
  }

  #promise<T>(run: (settle: Settle<T>) => void): Promise<T> {
    return tracedPromise(this.#Promise, (done, failed) => run({ done, failed }));
  }
}

const connectOfPool = Pool.prototype.connect;
