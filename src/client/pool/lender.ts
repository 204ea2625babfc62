/**
 * Who gets which client of a pool, and when: the pool without its face.
 *
 * @module
 */

import { asError } from "../../errors.ts";
import { callOut } from "../call_out.ts";
import { Client } from "../client.ts";
import type { PoolClient, Release } from "./pool_client.ts";
import { connectClient } from "./connecting.ts";
import { clientUnfit, poolEnded, poolEndedTwice, poolTimedOut, releasedTwice } from "./errors.ts";
import type { PoolMember } from "./member.ts";
import { PoolMembers } from "./members.ts";
import { type ClientConstructor, clientOptions, type PoolOptions } from "./options.ts";
import {
  EarlyPoolQuery,
  hasTimeout,
  type PoolQuery,
  refuseSubmittable,
  runOn,
  runSubmittableOn,
  type Settle,
} from "./query.ts";
import { PoolQueue } from "./queue.ts";
import { PoolWaiter } from "./waiter.ts";
import type { Submittable } from "../query/submittable.ts";

/** How long a client may stay with what was left open on it. */
const FREE_DEADLINE_MILLIS = 1_000;

/** What the lender needs of its pool. */
export interface PoolLenderHost {
  /** Looked at whenever they are needed, since they may change. */
  readonly options: PoolOptions;
  readonly Client: ClientConstructor;
  log(...messages: unknown[]): void;
  announce(event: string, ...args: unknown[]): void;
  isHeard(event: string): boolean;
}

/** Hands the clients out and takes them back. */
export class PoolLender {
  readonly members: PoolMembers;
  readonly queue = new PoolQueue();
  readonly #host: PoolLenderHost;
  #end: { readonly ended: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(host: PoolLenderHost) {
    this.#host = host;
    this.members = new PoolMembers({
      options: host.options,
      log: (...messages) => host.log(...messages),
      removed: (client) => {
        host.announce("remove", client);
        this.#pulse();
      },
      idleFailed: (error, client) => this.#idleFailed(error, client),
    });
  }

  get ending(): boolean {
    return this.#end !== undefined;
  }

  /** What {@linkcode PoolLender.end} has returned; undefined before. */
  get ended(): Promise<void> | undefined {
    return this.#end?.ended;
  }

  // -- handing out

  /** Gets the waiter a client: an idle one, a new one where there is room, or one that is given back. */
  checkOut(waiter: PoolWaiter): void {
    if (this.ending) return queueMicrotask(() => waiter.fail(poolEnded()));
    const idle = this.members.idle.length > 0;
    if (!idle && !this.#isFull()) {
      waiter.watch(0, poolTimedOut, () => {});
      return this.#open(waiter);
    }
    this.queue.join(waiter, this.#host.options.connectionTimeoutMillis ?? 0);
    // Never before connect() has returned.
    if (idle) queueMicrotask(() => this.#pulse());
  }

  /** Serves those who wait, in their order, as far as there are clients or room for new ones. */
  #pulse(): void {
    this.#host.log("pulse queue");
    for (let waiter = this.queue.first(); waiter !== undefined; waiter = this.queue.first()) {
      const member = this.members.takeIdle();
      if (member === undefined && this.#isFull()) return;
      this.queue.leave(waiter);
      if (member === undefined) this.#open(waiter);
      else this.#acquire(member, waiter, false);
    }
    this.#host.log("no queued requests");
    if (this.ending) this.#pulseEnding();
  }

  #isFull(): boolean {
    return this.members.count >= this.#host.options.max;
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
      return this.members.join(
        new this.#host.Client(clientOptions(this.#host.options, this.#host.Client)) as PoolClient,
      );
    } catch (error) {
      // Options that cannot be used: they will not get better for those who wait either, and each is told so.
      queueMicrotask(() => this.#refused(asError(error), waiter));
    }
  }

  /** Calls back once; a client that could not be connected has left the pool then. */
  #connectMember(member: PoolMember, done: (error: Error | undefined) => void): void {
    connectClient(member.client, {
      timeoutMillis: this.#host.options.connectionTimeoutMillis,
      log: (...messages) => this.#host.log(...messages),
      done: (error) => {
        if (error !== undefined) this.members.dismiss(member);
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
    const { onConnect } = this.#host.options;
    if (onConnect === undefined) return this.#acquireNew(member, waiter);
    new Promise((resolve) => resolve(onConnect(member.client))).then(
      () => this.#acquireNew(member, waiter),
      (error) => this.members.remove(member, () => waiter.fail(asError(error))),
    );
  }

  #acquireNew(member: PoolMember, waiter: PoolWaiter): void {
    this.members.limitLifetime(member);
    this.#acquire(member, waiter, true);
  }

  #acquire(member: PoolMember, waiter: PoolWaiter, isNew: boolean): void {
    const { client } = member;
    const release = this.#lend(member, isNew);
    const { verify } = this.#host.options;
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
    if (isNew) this.#host.announce("connect", client);
    this.#host.announce("acquire", client);
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
    const { maxUses } = this.#host.options;
    client.on("error", member.onIdleError);
    member.uses++;
    this.#host.announce("release", error, client);
    const expended = member.uses >= maxUses;
    if (expended) this.#host.log("remove expended client");
    if (error || expended || !this.#isWanted(member)) return this.members.remove(member);
    if (!member.occupied) return this.#keep(member);
    this.#host.log("wait for what was left open on the client");
    member.whenFree(
      FREE_DEADLINE_MILLIS,
      () => this.#isWanted(member) ? this.#keep(member) : this.members.remove(member),
      () => this.members.remove(member),
    );
  }

  #isWanted(member: PoolMember): boolean {
    if (member.expired) this.#host.log("remove expired client");
    const needless = this.ending && this.queue.length === 0;
    return !needless && !member.expired && member.usable;
  }

  #keep(member: PoolMember): void {
    this.members.keep(member);
    this.#pulse();
  }

  /** Without a listener an emitter would throw, and a connection that nobody uses must not take the process down. */
  #idleFailed(error: Error, client: PoolClient): void {
    if (Object.isExtensible(error)) Object.defineProperty(error, "client", { value: client, configurable: true });
    if (this.#host.isHeard("error")) this.#host.announce("error", error, client);
  }

  // -- queries

  runQuery(query: PoolQuery): void {
    const { config, settle } = query;
    const signal = typeof config === "object" ? config?.signal : undefined;
    const give = (client: PoolClient, release: Release) => {
      this.#host.log("dispatching query");
      runOn(client, release, query);
      this.#host.log("query dispatched");
    };
    const waiter = new PoolWaiter({ give, fail: settle.failed }, signal);
    const mustWait = this.ending || this.members.idle.length > 0 || this.#isFull();
    if (mustWait || !this.#isNewClientUnseen()) this.checkOut(waiter);
    else this.#queryEarly(query, waiter);
  }

  /** Nobody wants to see a new client before its first query does. */
  #isNewClientUnseen(): boolean {
    const { onConnect, verify } = this.#host.options;
    return this.#host.Client === Client && onConnect === undefined && verify === undefined &&
      !this.#host.isHeard("connect") && !this.#host.isHeard("acquire");
  }

  #queryEarly(query: PoolQuery, waiter: PoolWaiter): void {
    const member = this.#makeMember(waiter);
    if (member === undefined) return;
    // Its time begins when it has a client, and not when that is connecting.
    if (hasTimeout(query, member.client)) return this.#connectFor(waiter, member);
    this.#connectMember(member, (error) => {
      if (error !== undefined) return this.#refused(error, early);
      this.members.limitLifetime(member);
      early.connected(this.#lend(member, true));
    });
    this.#host.log("dispatching query");
    const early = new EarlyPoolQuery(member.client, query);
  }

  runSubmittable(submittable: Submittable, settle: Settle<unknown>): void {
    this.checkOut(
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

  /** Nobody can ask any more. Nothing is closed yet but what is given back. */
  close(): Promise<void> {
    let resolve = () => {};
    const ended = new Promise<void>((settle) => resolve = settle);
    this.#end = { ended, resolve };
    return ended;
  }

  /** Nobody can ask any more; resolves once all have been served, and all clients are closed. */
  end(): Promise<void> {
    if (this.#end !== undefined) return Promise.reject(poolEndedTwice());
    const ended = this.close();
    this.#pulse();
    return ended;
  }

  #pulseEnding(): void {
    this.#host.log("pulse queue on ending");
    this.members.removeIdle();
    if (this.members.gone) this.#end?.resolve();
  }
}
