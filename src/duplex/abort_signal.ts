/**
 * AbortSignals that programs give: whether they are ones, and listening to them.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";

/**
 * Refuses what is no signal before anything is done that it could abort.
 *
 * @throws {ConfigError} `SIGNAL_INVALID`
 */
export function assertSignal(signal: unknown): void {
  if (signal === undefined || signal === null) return;
  const { addEventListener, aborted } = signal as Partial<AbortSignal>;
  if (typeof addEventListener === "function" && typeof aborted === "boolean") return;
  throw new ConfigError("SIGNAL_INVALID", "signal must be an AbortSignal", { safeToRetry: true });
}

interface Audience {
  readonly listeners: Set<() => void>;
  /** The one listener that the signal has of us. */
  readonly tell: () => void;
}

/**
 * Who listens to a signal; the only state of this module. Node takes more than ten listeners of one signal for a leak and
 * warns of it, and a signal of a request's may be that of any number of queries.
 */
const audiences = new WeakMap<AbortSignal, Audience>();

/** Calls `listener` when the signal aborts, unless what this returns is called before. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (!signal) return () => {};
  const { listeners, tell } = audiences.get(signal) ?? attach(signal);
  listeners.add(listener);
  return () => {
    if (!listeners.delete(listener) || listeners.size > 0) return;
    signal.removeEventListener("abort", tell);
    audiences.delete(signal);
  };
}

function attach(signal: AbortSignal): Audience {
  const listeners = new Set<() => void>();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  const audience = { listeners, tell };
  audiences.set(signal, audience);
  signal.addEventListener("abort", tell, { once: true });
  return audience;
}
