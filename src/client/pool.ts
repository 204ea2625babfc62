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
import { PoolMember } from "./pool_member.ts";
import { PoolOperations } from "./pool_operations.ts";
import {
  EarlyPoolQuery,
  type PoolQuery,
  refuseSubmittable,
  runOn,
  runSubmittableOn,
  type Settle,
} from "./pool_query.ts";
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
  readonly #members = new Map<PoolClient, PoolMember>();
  /** The last one given back is the first one taken, so that those which are not needed grow idle. */
  readonly #idle: PoolMember[] = [];
  readonly #waiting = new Set<PoolWaiter>();
  /** Clients that have left the pool and are being closed. */
  #closing = 0;
  #end: { readonly ended: Promise<void>; readonly resolve: () => void; over: boolean } | undefined;

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
  }

  /** How many clients there are, those which are still connecting included. */
  get totalCount(): number {
    return this.#members.size;
  }

  /** How many clients nobody uses. */
  get idleCount(): number {
    return this.#idle.length;
  }

  /** How many wait for a client. */
  get waitingCount(): number {
    return this.#waiting.size;
  }

  /** How many clients have reached `maxLifetimeSeconds` and are still in use. */
  get expiredCount(): number {
    let expired = 0;
    for (const member of this.#members.values()) if (member.expired) expired++;
    return expired;
  }

  /** As in node-postgres, for those who look: all clients, those which are still connecting included. */
  get _clients(): readonly PoolClient[] {
    return [...this.#members.keys()];
  }

  /** True once `end` was called. */
  get ending(): boolean {
    return this.#end !== undefined;
  }

  /** True once all clients have been given back and closed after `end`. */
  get ended(): boolean {
    return this.#end?.over ?? false;
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
  /** Runs what submits itself, and returns it. */
  query<S extends Submittable>(submittable: S): S;
  /** As above, and calls back. */
  query<Row = QueryResultRow>(config: string | QueryConfig, callback: QueryCallback<Result<Row>>): void;
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
    if (isSubmittable(config)) return this.#runSubmittable(config);
    // deno-lint-ignore no-explicit-any -- node-postgres's pool says undefined where its client says null
    const callback: ((error: any, result?: unknown) => void) | undefined = typeof valuesOrCallback === "function"
      ? valuesOrCallback
      : maybeCallback ?? undefined;
    if (typeof config === "function") return queueMicrotask(() => callOut(() => config(functionForQuery())));
    const values = typeof valuesOrCallback === "function" ? undefined : valuesOrCallback;
    if (callback === undefined) return this.#promise((settle) => this.#runQuery({ config, values, settle }));
    const settle = {
      done: (result: unknown) => callOut(() => callback(undefined, result)),
      failed: (error: Error) => callOut(() => callback(error)),
    };
    this.#runQuery({ config, values, settle });
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
    const idle = this.#idle.length > 0;
    if (!idle && !this.#isFull()) {
      waiter.watch(0, poolTimedOut, () => {});
      return this.#open(waiter);
    }
    this.#waiting.add(waiter);
    waiter.watch(this.options.connectionTimeoutMillis ?? 0, poolTimedOut, () => this.#waiting.delete(waiter));
    // Never before connect() has returned.
    if (idle) queueMicrotask(() => this.#pulse());
  }

  /** Serves those who wait, in their order, as far as there are clients or room for new ones. */
  #pulse(): void {
    this.log("pulse queue");
    for (const waiter of this.#waiting) {
      const member = this.#takeIdle();
      if (member === undefined && this.#isFull()) return;
      this.#waiting.delete(waiter);
      if (member === undefined) this.#open(waiter);
      else this.#acquire(member, waiter, false);
    }
    if (this.ending) this.#pulseEnding();
  }

  #isFull(): boolean {
    return this.#members.size >= this.options.max;
  }

  /** The idle client that was used last; one which somebody has ended meanwhile is no client any more. */
  #takeIdle(): PoolMember | undefined {
    for (let member = this.#idle.pop(); member !== undefined; member = this.#idle.pop()) {
      member.stopIdleTimer();
      if (member.usable) {
        member.client.ref?.();
        return member;
      }
      this.#remove(member);
    }
  }

  #open(waiter: PoolWaiter): void {
    const member = this.#makeMember(waiter);
    if (member === undefined) return;
    this.#connectMember(member, (error) => {
      if (error === undefined) this.#welcome(member, waiter);
      else this.#refused(error, waiter);
    });
  }

  #makeMember(waiter: Pick<PoolWaiter, "fail">): PoolMember | undefined {
    try {
      const client = new this.Client(clientOptions(this.options)) as PoolClient;
      const member = new PoolMember(client, (failed, error) => this.#idleFailed(failed, error));
      this.#members.set(client, member);
      return member;
    } catch (error) {
      // Options that cannot be used: they will not get better for those who wait either, and each is told so.
      queueMicrotask(() => this.#refused(asError(error), waiter));
    }
  }

  /** Calls back once; a client that could not be connected has left the pool then. */
  #connectMember(member: PoolMember, done: (error: Error | undefined) => void): void {
    const { client } = member;
    connectClient(client, {
      timeoutMillis: this.options.connectionTimeoutMillis,
      log: this.log,
      done: (error) => {
        if (error !== undefined) {
          this.#members.delete(client);
          ignoreErrors(client);
        }
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
      (error) => this.#remove(member, () => this.#refused(asError(error), waiter)),
    );
  }

  #acquireNew(member: PoolMember, waiter: PoolWaiter): void {
    this.#limitLifetime(member);
    this.#acquire(member, waiter, true);
  }

  #limitLifetime(member: PoolMember): void {
    const { maxLifetimeSeconds } = this.options;
    if (maxLifetimeSeconds === 0) return;
    member.startLifetime(maxLifetimeSeconds * 1000, () => {
      this.log("ending client due to expired lifetime");
      member.expired = true;
      if (this.#idle.includes(member)) this.#remove(member, () => this.#pulse());
    });
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
    const needless = this.ending && this.#waiting.size === 0;
    if (error || needless || expended || member.expired || !member.usable) {
      return this.#remove(member, () => this.#pulse());
    }
    this.#keep(member);
    this.#pulse();
  }

  #keep(member: PoolMember): void {
    const { idleTimeoutMillis, allowExitOnIdle } = this.options;
    if (idleTimeoutMillis && this.#isAboveMin()) {
      member.startIdleTimer(idleTimeoutMillis, !allowExitOnIdle, () => {
        if (!this.#isAboveMin()) return;
        this.log("remove idle client");
        this.#remove(member, () => this.#pulse());
      });
    }
    if (allowExitOnIdle) member.client.unref?.();
    this.#idle.push(member);
  }

  #isAboveMin(): boolean {
    return this.#members.size > this.options.min;
  }

  /** Closes a client. It is out of the pool at once, and announced once it is closed. */
  #remove(member: PoolMember, closed: () => void = () => {}): void {
    const { client } = member;
    if (!this.#members.delete(client)) return;
    const at = this.#idle.indexOf(member);
    if (at !== -1) this.#idle.splice(at, 1);
    member.stopTimers();
    this.#closing++;
    client.end(() => {
      this.#closing--;
      this.#announce("remove", client);
      closed();
      if (this.ending) this.#pulseEnding();
    });
  }

  /** An idle client has failed: it leaves, and whoever listens hears of it. */
  #idleFailed(member: PoolMember, error: Error): void {
    const { client } = member;
    if (Object.isExtensible(error)) Object.defineProperty(error, "client", { value: client, configurable: true });
    client.removeListener("error", member.onIdleError);
    ignoreErrors(client);
    this.#remove(member, () => this.#pulse());
    if (this.listenerCount("error") > 0) this.#announce("error", error, client);
  }

  // -- queries

  #runQuery(query: PoolQuery): void {
    const { config, settle } = query;
    const mustWait = this.ending || this.#idle.length > 0 || this.#isFull();
    if (!mustWait && this.#mayQueryEarly()) return this.#queryEarly(query);
    const signal = typeof config === "object" ? config?.signal : undefined;
    const give = (client: PoolClient, release: Release) => {
      this.log("dispatching query");
      runOn(client, release, query);
    };
    this.#checkOut(new PoolWaiter({ give, fail: settle.failed }, signal));
  }

  /** Nobody wants to see a new client before its first query does. */
  #mayQueryEarly(): boolean {
    const { onConnect, verify } = this.options;
    return this.Client === Client && onConnect === undefined && verify === undefined &&
      this.listenerCount("connect") === 0 && this.listenerCount("acquire") === 0;
  }

  #queryEarly(query: PoolQuery): void {
    const member = this.#makeMember({ fail: query.settle.failed });
    if (member === undefined) return;
    this.#connectMember(member, (error) => {
      if (error !== undefined) return this.#refused(error, { fail: (error) => early.refused(error) });
      this.#limitLifetime(member);
      early.connected(this.#lend(member, true));
    });
    this.log("dispatching query");
    const early = new EarlyPoolQuery(member.client, query);
  }

  #runSubmittable<S extends Submittable>(submittable: S): S {
    this.#checkOut(
      new PoolWaiter({
        give: (client, release) => runSubmittableOn(client, release, submittable),
        fail: (error) => refuseSubmittable(submittable, error),
      }),
    );
    return submittable;
  }

  // -- the end

  #endOnce(): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(poolEndedTwice());
    let resolve = () => {};
    const ended = new Promise<void>((settle) => resolve = settle);
    this.#end = { ended, resolve, over: false };
    this.#pulseEnding();
    return ended;
  }

  #pulseEnding(): void {
    if (this.#waiting.size > 0) return;
    for (const member of [...this.#idle]) this.#remove(member);
    const end = this.#end;
    if (end === undefined || end.over || this.#members.size > 0 || this.#closing > 0) return;
    end.over = true;
    end.resolve();
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

/** Nobody uses a client that has left the pool, so nobody listens either; without a listener an emitter would throw. */
function ignoreErrors(client: PoolClient): void {
  client.on("error", () => {});
}
