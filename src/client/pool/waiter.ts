/**
 * Whoever waits for a client of a pool.
 *
 * @module
 */

import { assertSignal, onAbort } from "../../duplex/abort_signal.ts";
import { letProcessExit, LONGEST_TIMER_MILLIS } from "../../duplex/waiting.ts";
import { queryAborted } from "../../session/failures.ts";
import type { PoolClient, Release } from "./pool_client.ts";

/** What is done with the client, or with the reason why there is none. */
export interface WaiterHandler {
  give(client: PoolClient, release: Release): void;
  fail(error: Error): void;
}

/** Served once: with a client, or with an error. */
export class PoolWaiter {
  readonly #handler: WaiterHandler;
  readonly #signal: AbortSignal | undefined;
  #served = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #release: (() => void) | undefined;

  constructor(handler: WaiterHandler, signal?: AbortSignal) {
    assertSignal(signal);
    this.#handler = handler;
    this.#signal = signal;
  }

  /** True once it got a client, or gave up: it takes none any more. */
  get served(): boolean {
    return this.#served;
  }

  /** Gives up after so many milliseconds (0: never) with what `timedOut` returns, or as soon as its signal says so. */
  watch(millis: number, timedOut: () => Error, gaveUp: () => void): void {
    if (millis > 0) {
      this.#timer = setTimeout(() => {
        gaveUp();
        this.fail(timedOut());
      }, Math.min(millis, LONGEST_TIMER_MILLIS));
      letProcessExit(this.#timer);
    }
    const signal = this.#signal;
    if (signal === undefined) return;
    const giveUp = () => {
      gaveUp();
      const error = queryAborted({ phase: "query" }, signal);
      error.safeToRetry = true;
      this.fail(error);
    };
    if (signal.aborted) queueMicrotask(giveUp);
    else this.#release = onAbort(signal, giveUp);
  }

  give(client: PoolClient, release: Release): void {
    if (this.#end()) this.#handler.give(client, release);
  }

  fail(error: Error): void {
    if (this.#end()) this.#handler.fail(error);
  }

  #end(): boolean {
    if (this.#served) return false;
    this.#served = true;
    clearTimeout(this.#timer);
    this.#release?.();
    return true;
  }
}
