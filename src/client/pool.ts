/**
 * A pool of clients, as node-postgres's users know it.
 *
 * @module
 */

import { callOut } from "./call_out.ts";
import { Client, type ConnectOptions } from "./client.ts";
import {
  type ClientConstructor,
  clientOptions,
  type PoolConfig,
  type PoolOptions,
  poolOptions,
} from "./pool_options.ts";
import type { PoolClient, PoolConnectCallback, Release } from "./pool_client.ts";
import { connectClient } from "./pool_connecting.ts";
import {
  asError,
  clientUnfit,
  functionForQuery,
  poolEnded,
  poolEndedTwice,
  poolTimedOut,
  releasedTwice,
} from "./pool_errors.ts";
import type { PoolMember } from "./pool_member.ts";
import { PoolMembers } from "./pool_members.ts";
import { PoolOperations } from "./pool_operations.ts";
import {
  EarlyPoolQuery,
  hasTimeout,
  type PoolQuery,
  refuseSubmittable,
  runOn,
  runSubmittableOn,
  type Settle,
} from "./pool_query.ts";
import { PoolQueue } from "./pool_queue.ts";
import { PoolWaiter } from "./pool_waiter.ts";
import type { QueryCallback } from "./query.ts";
import type { QueryArrayConfig, QueryConfig } from "./query_config.ts";
import type { QueryResultRow, Result } from "./result.ts";
import { isSubmittable, type Submittable } from "./submittable.ts";
import { rejectTraced } from "./trace.ts";

/**
 * Clients that are connected when they are needed, kept for whoever needs one next, and closed when nobody does.
 *
 * Events: `connect` (client: a new one), `acquire` (client), `release` (error, client), `remove` (client: it was closed),
 * `error` (error, client: an idle client has failed and left the pool; without a listener nothing happens).
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
  readonly #members: PoolMembers;
  readonly #queue = new PoolQueue();
  #end: { readonly ended: Promise<void>; readonly resolve: () => void } | undefined;

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
    this.#members = new PoolMembers({
      options: this.options,
      log: (...messages) => this.log(...messages),
      removed: (client) => {
        this.#announce("remove", client);
        this.#pulse();
      },
      idleFailed: (error, client) => this.#idleFailed(error, client),
    });
  }

  /** How many clients there are, those which are still connecting included. */
  get totalCount(): number {
    return this.#members.count;
  }

  /** How many clients nobody uses. */
  get idleCount(): number {
    return this.#members.idle.length;
  }

  /** How many wait for a client. */
  get waitingCount(): number {
    return this.#queue.length;
  }

  /** How many clients have reached `maxLifetimeSeconds` and are still in use. */
  get expiredCount(): number {
    return this.#members.expiredCount;
  }

  /** As in node-postgres, for those who look: all clients, those which are still connecting included. */
  get _clients(): readonly PoolClient[] {
    return this.#members.clients;
  }

  /** As in node-postgres, for those who look: the clients that nobody uses, each in an object of its own. */
  get _idle(): readonly { readonly client: PoolClient }[] {
    return [...this.#members.idle];
  }

  /** As in node-postgres, for those who look: one object for each who waits for a client. */
  get _pendingQueue(): readonly object[] {
    return this.#queue.toArray();
  }

  /** True once `end` was called. */
  get ending(): boolean {
    return this.#end !== undefined;
  }

  /** True once all clients have left the pool after `end`; what `end` returns resolves when they are closed, too. */
  get ended(): boolean {
    return this.ending && this.#members.count === 0 && this.#queue.length === 0;
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
      return this.#checkOut(
        new PoolWaiter({
          give: (client, release) => callOut(() => callback(undefined, client, release)),
          fail: (error) => callOut(() => callback(error, undefined, () => {})),
        }),
      );
    }
    return this.#promise(({ done, failed }) => {
      this.#checkOut(new PoolWaiter({ give: done, fail: failed }, optionsOrCallback?.signal));
    });
  }

  /**
   * Runs one query on any client, as `client.query` does, and gives the client back. The first query of a new client
   * leaves with the last message of its authentication, unless somebody wants to see the client first (`onConnect`,
   * `verify`, a listener of `connect` or `acquire`).
   */
  // deno-lint-ignore no-explicit-any -- generics as in @types/pg
  query<Row extends any[]>(config: QueryArrayConfig, values?: readonly unknown[]): Promise<Result<Row>>;
  /** Rows are objects by the names of their columns. */
  query<Row = QueryResultRow>(config: string | QueryConfig, values?: readonly unknown[]): Promise<Result<Row>>;
  /**
   * Runs what submits itself, on a client of its own that goes back once it has ended. Resolves then, with the result
   * where it has one; what it fails by is first of all its own to tell.
   */
  query(submittable: Submittable): Promise<Result>;
  /** As above, and calls back. */
  query<Row = QueryResultRow>(config: string | QueryConfig, callback: QueryCallback<Result<Row>>): void;
  /** As above, and calls back. */
  query(submittable: Submittable, callback: QueryCallback): void;
  /** As above, with values, and calls back. */
  query<Row = QueryResultRow>(
    config: string | QueryConfig,
    values: readonly unknown[] | undefined,
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
    const run = (settle: Settle<unknown>) =>
      isSubmittable(config) ? this.#runSubmittable(config, settle) : this.#runQuery({ config, values, settle });
    if (callback === undefined) return this.#promise(run);
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
      this.#endOnce().then(() => callOut(() => callback()), (error) => callOut(() => callback(error)));
    } else {
      return this.#promise(({ done, failed }) => this.#endOnce().then(done, failed));
    }
  }

  /** Ends the pool when an `await using` scope does, unless it was ended already, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (this.#end?.ended ?? this.#endOnce());
  }

  // -- handing out

  #checkOut(waiter: PoolWaiter): void {
    if (this.ending) return queueMicrotask(() => waiter.fail(poolEnded()));
    const idle = this.#members.idle.length > 0;
    if (!idle && !this.#isFull()) {
      waiter.watch(0, poolTimedOut, () => {});
      return this.#open(waiter);
    }
    this.#queue.join(waiter, this.options.connectionTimeoutMillis ?? 0);
    // Never before connect() has returned.
    if (idle) queueMicrotask(() => this.#pulse());
  }

  /** Serves those who wait, in their order, as far as there are clients or room for new ones. */
  #pulse(): void {
    this.log("pulse queue");
    for (let waiter = this.#queue.first(); waiter !== undefined; waiter = this.#queue.first()) {
      const member = this.#members.takeIdle();
      if (member === undefined && this.#isFull()) return;
      this.#queue.leave(waiter);
      if (member === undefined) this.#open(waiter);
      else this.#acquire(member, waiter, false);
    }
    this.log("no queued requests");
    if (this.ending) this.#pulseEnding();
  }

  #isFull(): boolean {
    return this.#members.count >= this.options.max;
  }

  #open(waiter: PoolWaiter): void {
    const member = this.#makeMember(waiter);
    if (member !== undefined) this.#connectFor(waiter, member);
  }

  #connectFor(waiter: PoolWaiter, member: PoolMember): void {
    this.#connectMember(member, (error) => {
      if (error === undefined) this.#welcome(member, waiter);
      else this.#refused(error, waiter);
    });
  }

  #makeMember(waiter: Pick<PoolWaiter, "fail">): PoolMember | undefined {
    try {
      return this.#members.join(new this.Client(clientOptions(this.options, this.Client)) as PoolClient);
    } catch (error) {
      // Options that cannot be used: they will not get better for those who wait either, and each is told so.
      queueMicrotask(() => this.#refused(asError(error), waiter));
    }
  }

  /** Calls back once; a client that could not be connected has left the pool then. */
  #connectMember(member: PoolMember, done: (error: Error | undefined) => void): void {
    connectClient(member.client, {
      timeoutMillis: this.options.connectionTimeoutMillis,
      log: this.log,
      done: (error) => {
        if (error !== undefined) this.#members.dismiss(member);
        done(error);
      },
    });
  }

  #refused(error: Error, waiter: Pick<PoolWaiter, "fail">): void {
    this.#pulse();
    waiter.fail(error);
  }

  /** A new client is prepared, announced and handed over. */
  #welcome(member: PoolMember, waiter: PoolWaiter): void {
    const { onConnect } = this.options;
    if (onConnect === undefined) return this.#acquireNew(member, waiter);
    new Promise((resolve) => resolve(onConnect(member.client))).then(
      () => this.#acquireNew(member, waiter),
      (error) => this.#members.remove(member, () => waiter.fail(asError(error))),
    );
  }

  #acquireNew(member: PoolMember, waiter: PoolWaiter): void {
    this.#members.limitLifetime(member);
    this.#acquire(member, waiter, true);
  }

  #acquire(member: PoolMember, waiter: PoolWaiter, isNew: boolean): void {
    const { client } = member;
    const release = this.#lend(member, isNew);
    const { verify } = this.options;
    if (!isNew || verify === undefined) {
      if (waiter.served) release();
      else waiter.give(client, release);
      return;
    }
    callOut(() =>
      verify(client, (error) => {
        // Whoever gave up waiting leaves a client that may serve others.
        if (error || waiter.served) release(error);
        if (error) {
          waiter.fail(error instanceof Error ? error : clientUnfit());
        } else waiter.give(client, release);
      })
    );
  }

  /** Announces that a client is taken, and makes the way to give it back. */
  #lend(member: PoolMember, isNew: boolean): Release {
    const { client } = member;
    if (isNew) this.#announce("connect", client);
    this.#announce("acquire", client);
    client.removeListener("error", member.onIdleError);
    let released = false;
    member.lent = true;
    const release: Release = (error) => {
      if (released) throw releasedTwice();
      released = true;
      member.lent = false;
      this.#takeBack(member, error);
    };
    client.release = release;
    return release;
  }

  // -- taking back

  #takeBack(member: PoolMember, error: Error | boolean | null | undefined): void {
    const { client } = member;
    const { maxUses } = this.options;
    client.on("error", member.onIdleError);
    member.uses++;
    this.#announce("release", error, client);
    const expended = member.uses >= maxUses;
    if (expended) this.log("remove expended client");
    if (member.expired) this.log("remove expired client");
    const needless = this.ending && this.#queue.length === 0;
    if (error || needless || expended || member.expired || !member.usable) {
      return this.#members.remove(member);
    }
    this.#members.keep(member);
    this.#pulse();
  }

  /** Without a listener an emitter would throw, and a connection that nobody uses must not take the process down. */
  #idleFailed(error: Error, client: PoolClient): void {
    if (Object.isExtensible(error)) Object.defineProperty(error, "client", { value: client, configurable: true });
    if (this.listenerCount("error") > 0) this.#announce("error", error, client);
  }

  // -- queries

  #runQuery(query: PoolQuery): void {
    const { config, settle } = query;
    const signal = typeof config === "object" ? config?.signal : undefined;
    const give = (client: PoolClient, release: Release) => {
      this.log("dispatching query");
      runOn(client, release, query);
      this.log("query dispatched");
    };
    const waiter = new PoolWaiter({ give, fail: settle.failed }, signal);
    const mustWait = this.ending || this.#members.idle.length > 0 || this.#isFull();
    if (mustWait || !this.#isNewClientUnseen()) this.#checkOut(waiter);
    else this.#queryEarly(query, waiter);
  }

  /** Nobody wants to see a new client before its first query does. */
  #isNewClientUnseen(): boolean {
    const { onConnect, verify } = this.options;
    return this.Client === Client && onConnect === undefined && verify === undefined &&
      this.listenerCount("connect") === 0 && this.listenerCount("acquire") === 0;
  }

  #queryEarly(query: PoolQuery, waiter: PoolWaiter): void {
    const member = this.#makeMember(waiter);
    if (member === undefined) return;
    // Its time begins when it has a client, and not when that is connecting.
    if (hasTimeout(query, member.client)) return this.#connectFor(waiter, member);
    this.#connectMember(member, (error) => {
      if (error !== undefined) return this.#refused(error, early);
      this.#members.limitLifetime(member);
      early.connected(this.#lend(member, true));
    });
    this.log("dispatching query");
    const early = new EarlyPoolQuery(member.client, query);
  }

  #runSubmittable(submittable: Submittable, settle: Settle<unknown>): void {
    this.#checkOut(
      new PoolWaiter({
        give: (client, release) => runSubmittableOn(client, release, submittable, settle),
        fail: (error) => {
          refuseSubmittable(submittable, error);
          settle.failed(error);
        },
      }),
    );
  }

  // -- the end

  #endOnce(): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(poolEndedTwice());
    let resolve = () => {};
    const ended = new Promise<void>((settle) => resolve = settle);
    this.#end = { ended, resolve };
    this.#pulse();
    return ended;
  }

  #pulseEnding(): void {
    this.log("pulse queue on ending");
    this.#members.removeIdle();
    if (this.#members.gone) this.#end?.resolve();
  }

  // -- telling

  /** What a listener throws is the program's own, and leaves the pool as it is. */
  #announce(event: string, ...args: unknown[]): void {
    if (this.listenerCount(event) > 0) callOut(() => this.emit(event, ...args));
  }

  /** A promise as the options want it. Errors of native ones lead to whoever awaits them. */
  #promise<T>(run: (settle: Settle<T>) => void): Promise<T> {
    const native = this.#Promise === Promise;
    return new this.#Promise<T>((resolve, reject) =>
      run({ done: resolve, failed: native ? (error) => rejectTraced(resolve, error) : reject })
    );
  }
}
