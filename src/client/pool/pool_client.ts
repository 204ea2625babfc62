import type { Client } from "../client.ts";

/** Gives a client back; with an error, or true, it is closed. Throws where it was given back already. */
export type Release = (errorOrDestroy?: Error | boolean | null) => void;

/** A client of a pool, for whoever took it. */
export interface PoolClient extends Client {
  /** Gives the client back to its pool; with an error, or true, it is closed and leaves the pool. */
  release: Release;
  /** Gives the client back when a `using` scope ends, unless it was given back already. */
  [Symbol.dispose](): void;
  /** Gives the client back when an `await using` scope ends, unless it was given back already. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What `pool.connect` calls back with. */
export type PoolConnectCallback = (error: Error | undefined, client: PoolClient | undefined, release: Release) => void;
