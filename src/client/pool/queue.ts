/**
 * Those who wait for a client of a pool while all are in use.
 *
 * @module
 */

import { poolTimedOut } from "./errors.ts";
import type { PoolWaiter } from "./waiter.ts";

/** The queue, served in the order of asking. */
export class PoolQueue {
  readonly #waiting = new Set<PoolWaiter>();

  get length(): number {
    return this.#waiting.size;
  }

  /** Joins the queue; who has waited so many milliseconds (0: for ever) is told so, and has left it. */
  join(waiter: PoolWaiter, patienceMillis: number): void {
    this.#waiting.add(waiter);
    waiter.watch(patienceMillis, poolTimedOut, () => this.#waiting.delete(waiter));
  }

  /** Whoever has waited longest, and stays in the queue. */
  first(): PoolWaiter | undefined {
    for (const waiter of this.#waiting) return waiter;
  }

  leave(waiter: PoolWaiter): void {
    this.#waiting.delete(waiter);
  }

  toArray(): PoolWaiter[] {
    return [...this.#waiting];
  }
}
