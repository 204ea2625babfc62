/**
 * Errors whose stack leads to the program: they arise where an answer is read, which says nothing about who asked.
 *
 * @module
 */

const capture: ((error: Error, below?: unknown) => void) | undefined =
  (Error as { captureStackTrace?: (error: Error, below?: unknown) => void }).captureStackTrace;

/** Writes the stack anew, from here and from the async functions that await this turn's work. */
function retrace(error: Error, below?: unknown): void {
  if (Object.isExtensible(error)) capture?.(error, below);
}

/** What settles a promise. */
export type PromiseRun<T> = (resolve: (value: T | PromiseLike<T>) => void, reject: (error: Error) => void) => void;

/** A promise of the kind that the options ask for. Errors of native ones lead to whoever awaits them. */
export function tracedPromise<T>(kind: PromiseConstructor, run: PromiseRun<T>): Promise<T> {
  return new kind<T>((resolve, reject) =>
    run(resolve, kind === Promise ? (error) => rejectTraced(resolve, error) : reject)
  );
}

/**
 * Rejects, by its `resolve`, a promise that the program awaits. The async functions which await it are found from a
 * promise that it follows: a detour for errors alone, so that answers pay nothing for it.
 */
function rejectTraced(resolve: (rejected: Promise<never>) => void, error: Error): void {
  if (capture === undefined) resolve(Promise.reject(error));
  else resolve(rejectLater(error));
}

async function rejectLater(error: Error): Promise<never> {
  // The other promise takes one turn to follow this one.
  await undefined;
  await undefined;
  retrace(error, rejectLater);
  throw error;
}
