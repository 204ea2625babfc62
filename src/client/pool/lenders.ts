/**
 * Whoever lends a pool's clients: one lender for all, but in a Worker one for each request.
 *
 * @module
 */

import { RequestScope } from "../../session/request_scope.ts";
import type { PoolLender } from "./lender.ts";

/**
 * Of how many requests a pool keeps the lenders, those that used it last. A lender whose request has ended cannot be told
 * from one whose request will use it again, and what it keeps in memory is its clients'.
 */
const MAX_REQUESTS = 16;

interface Kept {
  readonly scope: RequestScope;
  readonly lender: PoolLender;
}

/**
 * The lenders of one pool. No request can use a connection of another one, wait for it or close it, so that none has a
 * part in the counting and queueing of another one.
 */
export class PoolLenders {
  readonly #make: () => PoolLender;
  /** The one that was used last stands last. */
  readonly #kept: Kept[] = [];
  #ending = false;

  /** @param make Makes a lender for the request that runs */
  constructor(make: () => PoolLender) {
    this.#make = make;
  }

  /** The lender of the request that runs. */
  get here(): PoolLender {
    const latest = this.#kept.at(-1);
    if (latest?.scope.here) return latest.lender;
    const at = this.#kept.findIndex(({ scope }) => scope.here);
    const [kept] = at === -1 ? [this.#new()] : this.#kept.splice(at, 1);
    this.#kept.push(kept);
    if (this.#kept.length > MAX_REQUESTS) this.#kept.shift();
    return kept.lender;
  }

  /**
   * Ends the lender of the request that runs, and closes the others, whose connections only their own requests can close.
   * Resolves once that one has ended.
   */
  end(): Promise<void> {
    const { here } = this;
    this.#ending = true;
    for (const { lender } of this.#kept) if (lender !== here && !lender.ending) void lender.close();
    return here.end();
  }

  #new(): Kept {
    const lender = this.#make();
    if (this.#ending) void lender.close();
    return { scope: new RequestScope(), lender };
  }
}
