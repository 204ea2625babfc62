/**
 * The request to which a connection belongs. Cloudflare Workers let no request use what another one has opened: the write
 * fails, or the answer never comes.
 *
 * @module
 */

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

function onWorkers(): boolean {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator?.userAgent === "Cloudflare-Workers";
}
