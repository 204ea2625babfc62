/**
 * The request to which a connection belongs. Cloudflare Workers let no request use what another one has opened: the write
 * fails, or the answer never comes.
 *
 * @module
 */

import { ClientError, type ErrorPlace } from "../errors.ts";

/**
 * The request of a Worker in which this was made. workerd ties an AbortSignal to its request, and throws where another one
 * looks at it; on other runtimes, and in a Durable Object, there is but one place.
 */
export class RequestScope {
  readonly #signal: AbortSignal | undefined = onWorkers() ? new AbortController().signal : undefined;

  /** Whether it is still, or again, the same request that runs. */
  get here(): boolean {
    try {
      return this.#signal?.aborted !== true;
    } catch {
      return false;
    }
  }
}

/** A Worker's request has asked on the connection of another one. */
export function ofAnotherRequest(place: ErrorPlace): ClientError {
  return new ClientError(
    "CLIENT_OTHER_REQUEST",
    "the client was connected in another request, and Workers let no request use the connection of another: connect a " +
      "client in each request, or use a Pool, which does so by itself",
    { ...place, safeToRetry: true },
  );
}

function onWorkers(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator?.userAgent === "Cloudflare-Workers";
}
