/**
 * Deadlines of what is done before an upgrade is answered.
 *
 * @module
 */

/** A time by which something has to be done. */
export interface Deadline {
  readonly signal: AbortSignal;
  /** Milliseconds left. */
  left(): number;
  release(): void;
}

/** Aborts after a while, or together with its parent. */
export function startDeadline(millis: number, parent: AbortSignal): Deadline {
  const controller = new AbortController();
  const end = performance.now() + millis;
  const timer = setTimeout(() => controller.abort(new Error("the deadline passed")), millis);
  const onAbort = () => controller.abort(parent.reason);
  parent.addEventListener("abort", onAbort, { once: true });
  if (parent.aborted) onAbort();
  return {
    signal: controller.signal,
    left: () => Math.max(0, end - performance.now()),
    release() {
      clearTimeout(timer);
      parent.removeEventListener("abort", onAbort);
    },
  };
}
