/**
 * A client in a pool, and what the pool knows of it.
 *
 * @module
 */

import { letProcessExit, LONGEST_TIMER_MILLIS } from "../../duplex/waiting.ts";
import type { PoolClient } from "./pool_client.ts";

/** A client in a pool. */
export class PoolMember {
  readonly client: PoolClient;
  /** Hears an idle client fail; attached while it is idle, since whoever uses it hears it otherwise. */
  readonly onIdleError: (error: Error) => void;
  /** How often it was handed out and given back. */
  uses = 0;
  /** Whether somebody has it. */
  lent = false;
  /** It has reached `maxLifetimeSeconds`. */
  expired = false;
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  #freeTimer: ReturnType<typeof setTimeout> | undefined;
  #lifetimeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: PoolClient, onIdleError: (member: PoolMember, error: Error) => void) {
    this.client = client;
    this.onIdleError = (error) => onIdleError(this, error);
    const giveBack = () => {
      if (this.lent) client.release();
    };
    client[Symbol.dispose] = giveBack;
    client[Symbol.asyncDispose] = () => Promise.resolve(giveBack());
  }

  /** Whether it can run another query. As in node-postgres, a client that does not say so cannot. */
  get usable(): boolean {
    const { _queryable, _ending } = this.client as { _queryable?: boolean; _ending?: boolean };
    return _queryable === true && _ending !== true;
  }

  /** Whether what somebody has begun there is still to be ended, by himself: a cursor, a row stream, a COPY. */
  get occupied(): boolean {
    return (this.client as { _occupied?: boolean })._occupied === true;
  }

  /** Calls one of the two: once the client is free, or after so many milliseconds. */
  whenFree(millis: number, free: () => void, stuck: () => void): void {
    this.#freeTimer = setTimeout(() => {
      this.client.removeListener("drain", drained);
      stuck();
    }, millis);
    const drained = () => {
      clearTimeout(this.#freeTimer);
      free();
    };
    this.client.once("drain", drained);
  }

  startIdleTimer(millis: number, keepsProcess: boolean, onTime: () => void): void {
    this.#idleTimer = setTimeout(onTime, Math.min(millis, LONGEST_TIMER_MILLIS));
    if (!keepsProcess) letProcessExit(this.#idleTimer);
  }

  stopIdleTimer(): void {
    clearTimeout(this.#idleTimer);
  }

  startLifetime(millis: number, onTime: () => void): void {
    this.#lifetimeTimer = setTimeout(onTime, Math.min(millis, LONGEST_TIMER_MILLIS));
    letProcessExit(this.#lifetimeTimer);
  }

  stopTimers(): void {
    clearTimeout(this.#idleTimer);
    clearTimeout(this.#freeTimer);
    clearTimeout(this.#lifetimeTimer);
  }
}
