/**
 * Has the server cancel what it is doing for an abandoned exchange.
 *
 * @module
 */

import type { Exchange } from "./exchange.ts";

/** How long a cancelled exchange may still take to end before the session is given up. */
const CANCEL_GRACE_MILLIS = 10_000;
/** How long it may take before the server is asked again: a request that overtook its query has hit nothing. */
const CANCEL_AGAIN_MILLIS = 500;

/** What a canceller asks of its session. */
export interface CancellerHooks {
  /** Asks the server, if that is still wanted once it can be reached; resolves once it has passed the request on. */
  request(wanted: () => boolean): Promise<void>;
  /** A request was delivered: unless another is under way, there is none that could hit what is sent now. */
  delivered(): void;
  /** A request could not be delivered, or brought about nothing. */
  failed(cause: unknown): void;
}

/** The cancelling of one session: one request at a time. */
export class Canceller {
  readonly #hooks: CancellerHooks;
  #target: Exchange | undefined;
  #underWay = false;

  constructor(hooks: CancellerHooks) {
    this.#hooks = hooks;
  }

  /** Whether a request is under way: it hits whatever the server does when it arrives. */
  get underWay(): boolean {
    return this.#underWay;
  }

  /** Cancels the exchange that the server is at, until its `release` is called, which whoever ends it does. */
  cancel(exchange: Exchange): void {
    const again = setInterval(() => this.#send(), CANCEL_AGAIN_MILLIS);
    const deadline = setTimeout(() => this.#hooks.failed(undefined), CANCEL_GRACE_MILLIS);
    this.#target = exchange;
    exchange.release = () => {
      exchange.release = undefined;
      clearInterval(again);
      clearTimeout(deadline);
      this.#target = undefined;
    };
    this.#send();
  }

  #send(): void {
    const target = this.#target;
    if (target === undefined || this.#underWay) return;
    this.#underWay = true;
    let sent = false;
    const wanted = () => sent = this.#target === target;
    this.#hooks.request(wanted).catch((cause) => {
      // Who could not even ask has hit nothing, and is not missed where what was to be cancelled has ended.
      if (sent || this.#target === target) throw cause;
    }).then(() => {
      this.#underWay = false;
      // Another exchange's turn may have come meanwhile.
      if (this.#target !== target) this.#send();
      this.#hooks.delivered();
    }, (cause) => this.#hooks.failed(cause));
  }
}
