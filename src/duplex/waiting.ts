import { onAbort } from "./abort_signal.ts";

/** A promise and the functions that settle it: `Promise.withResolvers`, which Node 20 lacks. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

/** Makes a {@linkcode Deferred}. */
export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => {};
  let reject: (reason: unknown) => void = () => {};
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}

/** What `write` returns when more may be written: one promise for all, since the hot path should allocate none. */
export const DONE: Promise<void> = Promise.resolve();

/**
 * Waits for an opening that cannot be aborted itself: rejects with the signal's reason when that comes first, and then
 * hands what arrives too late to `discard`.
 */
export async function unlessAborted<T>(
  opening: Promise<T>,
  signal: AbortSignal | undefined,
  discard: (late: T) => void,
): Promise<T> {
  if (signal === undefined) return await opening;
  const { promise: abortion, reject } = deferred<never>();
  const release = onAbort(signal, () => reject(signal.reason));
  if (signal.aborted) reject(signal.reason);
  try {
    return await Promise.race([abortion, opening]);
  } catch (error) {
    // After an abort the opening goes on without an owner; its own failure concerns nobody any more.
    if (signal.aborted) opening.then(discard, () => {});
    throw error;
  } finally {
    release();
    abortion.catch(() => {});
  }
}

/** The longest that a timer can wait, in milliseconds: runtimes call at once what is to wait longer. */
export const LONGEST_TIMER_MILLIS = 0x7fff_ffff;

/** Works on what `giveUp` ends: that is called where the signal has aborted, or aborts before the work is done. */
export async function unlessGivenUp<T>(
  signal: AbortSignal | undefined,
  giveUp: () => void,
  work: () => Promise<T>,
): Promise<T> {
  const release = onAbort(signal, giveUp);
  if (signal?.aborted) giveUp();
  try {
    return await work();
  } finally {
    release();
  }
}

/** A timer that does not keep the process alive, where the runtime knows the idea. */
export function letProcessExit(timer: unknown): void {
  if (typeof timer === "object") (timer as { unref?(): void } | null)?.unref?.();
}
