/**
 * Queries that a pool runs on a client of its own choice, which it gives back when they have ended.
 *
 * @module
 */

import { AbortError, asError } from "../../errors.ts";
import { callOut } from "../call_out.ts";
import type { PoolClient, Release } from "./pool_client.ts";
import type { QueryConfig } from "../query/config.ts";
import type { Submittable } from "../query/submittable.ts";

/** How something ends, once. */
export interface Settle<T> {
  done(value: T): void;
  failed(error: Error): void;
}

/** A query, and whoever waits for it. */
export interface PoolQuery {
  readonly config: string | QueryConfig;
  readonly values: readonly unknown[] | undefined;
  readonly settle: Settle<unknown>;
}

/** Runs a query on a client that was taken for it. One that fails takes its client with it, as in node-postgres. */
export function runOn(client: PoolClient, release: Release, { config, values, settle }: PoolQuery): void {
  let over = false;
  const finish = (error: Error | undefined, result?: unknown) => {
    if (over) return;
    over = true;
    client.removeListener("error", finish);
    release(error);
    if (error === undefined) settle.done(result);
    else settle.failed(error);
  };
  // A client of another make may fail without telling its query.
  client.once("error", finish);
  try {
    client.query(config, values, (error, result) => finish(error ?? undefined, result));
  } catch (error) {
    finish(asError(error));
  }
}

/** A query that a client is given before it is connected: it leaves with the last message of the authentication. */
export class EarlyPoolQuery {
  readonly #settle: Settle<unknown>;
  #release: Release | undefined;
  /** Whether it has failed before its client was connected, by its signal. */
  #gaveUp = false;
  #answer: { readonly error: Error | undefined; readonly result?: unknown } | undefined;

  constructor(client: PoolClient, { config, values, settle }: PoolQuery) {
    this.#settle = settle;
    try {
      client.query(config, values, (error, result) => this.#answered(error ?? undefined, result));
    } catch (error) {
      this.#answered(asError(error));
    }
  }

  /** The client is connected and can be given back. */
  connected(release: Release): void {
    this.#release = release;
    this.#finish();
  }

  /** The client could not be connected: that is what became of the query too. */
  fail(error: Error): void {
    if (!this.#gaveUp) this.#settle.failed(error);
  }

  #answered(error: Error | undefined, result?: unknown): void {
    this.#answer = { error, result };
    // What is answered any other way is settled once the client can be given back.
    if (error instanceof AbortError && this.#release === undefined) {
      this.#gaveUp = true;
      this.#settle.failed(error);
    }
    this.#finish();
  }

  #finish(): void {
    if (this.#release === undefined || this.#answer === undefined) return;
    const { error, result } = this.#answer;
    this.#release(error);
    if (error === undefined) this.#settle.done(result);
    else if (!this.#gaveUp) this.#settle.failed(error);
  }
}

/** Whether a query has only so much time on its client. */
export function hasTimeout({ config }: PoolQuery, client: PoolClient): boolean {
  const own = typeof config === "object" ? config?.query_timeout : undefined;
  return (own ?? client.connectionParameters.query_timeout) > 0;
}

/** The submittable has the client until it calls back, or nothing is outstanding there any more. */
export function runSubmittableOn(
  client: PoolClient,
  release: Release,
  submittable: Submittable,
  settle: Settle<unknown>,
): void {
  let over = false;
  const finish = (error: Error | null | undefined, result?: unknown) => {
    if (over) return;
    over = true;
    client.removeListener("drain", free).removeListener("end", free);
    release(error);
    if (error) settle.failed(error);
    else settle.done(result);
  };
  // Most never call back.
  const free = () => finish(undefined, (submittable as { _result?: unknown })._result);
  client.once("drain", free).once("end", free);
  try {
    client.query(submittable, finish);
  } catch (error) {
    finish(asError(error));
  }
}

/** Tells a submittable that there is no client for it. */
export function refuseSubmittable(submittable: Submittable, error: Error): void {
  callOut(() => (submittable as { handleError?(error: Error): void }).handleError?.(error));
}
