import { onAbort } from "../duplex/abort_signal.ts";
import { LONGEST_TIMER_MILLIS } from "../duplex/waiting.ts";
import type { Exchange } from "./exchange.ts";

/** When to give up waiting for an exchange. */
export interface Patience {
  /** Milliseconds; 0 or undefined: no deadline. */
  readonly timeoutMillis?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Why waiting ended early. */
export type GivenUp =
  | { readonly by: "timeout"; readonly timeoutMillis: number }
  | { readonly by: "signal"; readonly signal: AbortSignal };

/** Watches an exchange's deadline and signal until its `release` is called, which whoever ends it does. */
export function watchPatience(
  exchange: Pick<Exchange, "release">,
  { timeoutMillis = 0, signal }: Patience,
  giveUp: (why: GivenUp) => void,
): void {
  const timer = timeoutMillis > 0
    ? setTimeout(() => giveUp({ by: "timeout", timeoutMillis }), Math.min(timeoutMillis, LONGEST_TIMER_MILLIS))
    : undefined;
  const release = onAbort(signal, () => {
    if (signal !== undefined) giveUp({ by: "signal", signal });
  });
  exchange.release = () => {
    exchange.release = undefined;
    clearTimeout(timer);
    release();
  };
}
