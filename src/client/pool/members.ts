/**
 * The clients of a pool: which are idle, which have become too old, which are being closed.
 *
 * @module
 */

import type { PoolClient } from "./pool_client.ts";
import { PoolMember } from "./member.ts";
import type { PoolOptions } from "./options.ts";

/** What the members need of their pool. */
export interface PoolMembersHost {
  /** Looked at whenever it is needed, since it may change. */
  readonly options: PoolOptions;
  log(...messages: unknown[]): void;
  /** A client has left and is closed: there is room for another one. */
  removed(client: PoolClient): void;
  /** An idle client has failed, and is about to leave. */
  idleFailed(error: Error, client: PoolClient): void;
}

/** Those who are in, with those on their way out. */
export class PoolMembers {
  readonly #host: PoolMembersHost;
  readonly #all = new Map<PoolClient, PoolMember>();
  /** The last one given back is the first one taken, so that those which are not needed grow idle. */
  readonly #idle: PoolMember[] = [];
  /** Clients that have left and are being closed. */
  #closing = 0;

  constructor(host: PoolMembersHost) {
    this.#host = host;
  }

  get count(): number {
    return this.#all.size;
  }

  get idle(): readonly PoolMember[] {
    return this.#idle;
  }

  get clients(): PoolClient[] {
    return [...this.#all.keys()];
  }

  get expiredCount(): number {
    let expired = 0;
    for (const member of this.#all.values()) if (member.expired) expired++;
    return expired;
  }

  /** Whether all have left, and are closed. */
  get gone(): boolean {
    return this.#all.size === 0 && this.#closing === 0;
  }

  /** A client is in as soon as it is made, before it is connected. */
  join(client: PoolClient): PoolMember {
    const member = new PoolMember(client, (failed, error) => this.#idleFailed(failed, error));
    this.#all.set(client, member);
    return member;
  }

  /** A client that could not be connected is out, and there is nothing to close. */
  dismiss({ client }: PoolMember): void {
    this.#all.delete(client);
    ignoreErrors(client);
  }

  /** The idle client that was used last; one which somebody has ended meanwhile is no client any more. */
  takeIdle(): PoolMember | undefined {
    for (let member = this.#idle.pop(); member !== undefined; member = this.#idle.pop()) {
      member.stopIdleTimer();
      if (member.usable) {
        member.client.ref?.();
        return member;
      }
      this.remove(member);
    }
  }

  /** Keeps a client for whoever needs one next, but not for ever. */
  keep(member: PoolMember): void {
    const { idleTimeoutMillis, allowExitOnIdle } = this.#host.options;
    if (idleTimeoutMillis && this.#isAboveMin()) {
      member.startIdleTimer(idleTimeoutMillis, !allowExitOnIdle, () => {
        if (!this.#isAboveMin()) return;
        this.#host.log("remove idle client");
        this.remove(member);
      });
    }
    if (allowExitOnIdle) member.client.unref?.();
    this.#idle.push(member);
  }

  /** A client that is connected now may become `maxLifetimeSeconds` old. */
  limitLifetime(member: PoolMember): void {
    const { maxLifetimeSeconds } = this.#host.options;
    if (maxLifetimeSeconds === 0) return;
    member.startLifetime(maxLifetimeSeconds * 1000, () => {
      this.#host.log("ending client due to expired lifetime");
      member.expired = true;
      if (this.#idle.includes(member)) this.remove(member);
    });
  }

  /** Closes a client. It is out at once, and announced once it is closed. */
  remove(member: PoolMember, closed: () => void = () => {}): void {
    const { client } = member;
    if (!this.#all.delete(client)) return;
    const at = this.#idle.indexOf(member);
    if (at !== -1) this.#idle.splice(at, 1);
    member.stopTimers();
    this.#closing++;
    client.end(() => {
      this.#closing--;
      this.#host.removed(client);
      closed();
    });
  }

  removeIdle(): void {
    for (const member of [...this.#idle]) this.remove(member);
  }

  #idleFailed(member: PoolMember, error: Error): void {
    const { client } = member;
    client.removeListener("error", member.onIdleError);
    ignoreErrors(client);
    this.remove(member);
    this.#host.idleFailed(error, client);
  }

  #isAboveMin(): boolean {
    return this.#all.size > this.#host.options.min;
  }
}

/** Nobody uses a client that has left the pool, so nobody listens either; without a listener an emitter would throw. */
function ignoreErrors(client: PoolClient): void {
  client.on("error", () => {});
}
