/**
 * How a pool fails: node-postgres's words, for programs that compare them, and ours as the hint.
 *
 * @module
 */

import { PoolError, TimeoutError } from "../../errors.ts";

/** Something was asked of a pool after its end. */
export function poolEnded(): PoolError {
  return new PoolError("POOL_ENDED", "Cannot use a pool after calling end on the pool", {
    safeToRetry: true,
    verbatim: true,
  });
}

export function poolEndedTwice(): PoolError {
  return new PoolError("POOL_ENDED_TWICE", "Called end on pool more than once", { verbatim: true });
}

/** No client was given back in time. */
export function poolTimedOut(): PoolError {
  return new PoolError("POOL_TIMEOUT", "timeout exceeded when trying to connect", {
    safeToRetry: true,
    verbatim: true,
    hint: "No client was given back within connectionTimeoutMillis: is each one released, and max large enough?",
  });
}

/** A new client took too long to connect. */
export function connectTimedOut(cause: Error | undefined): TimeoutError {
  return new TimeoutError("TIMEOUT_CONNECT", "Connection terminated due to connection timeout", {
    ...(cause === undefined ? {} : { cause }),
    safeToRetry: true,
    verbatim: true,
    hint: "The server did not let the client in within connectionTimeoutMillis.",
  });
}

export function releasedTwice(): PoolError {
  return new PoolError(
    "POOL_RELEASED_TWICE",
    "Release called on client which has already been released to the pool.",
    { verbatim: true },
  );
}

/** A `connect` that took the place of the pool's called back with neither a client nor an error. */
export function noClient(): PoolError {
  return new PoolError("POOL_CONNECT", "the pool's connect was replaced, and what replaced it brought no client");
}

/** `pool.query` was given a function where its text should be. */
export function functionForQuery(): PoolError {
  return new PoolError("POOL_QUERY", "Passing a function as the first parameter to pool.query is not supported", {
    verbatim: true,
  });
}

/** The `verify` option called back with true, which says nothing more. */
export function clientUnfit(): PoolError {
  return new PoolError("POOL_VERIFY", "the pool's option verify found a new client unfit");
}
