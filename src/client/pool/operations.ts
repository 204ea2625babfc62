/**
 * What our pool does beyond node-postgres's: streams, cursors, COPY and transactions, each on a client of its own that
 * goes back by itself.
 *
 * @module
 */

import { asError } from "../../errors.ts";
import type { ConnectOptions } from "../client.ts";
import type { PoolClient } from "./pool_client.ts";
import { ClientError } from "../../errors.ts";
import { type Lend, QueryableBase, type RequestHost } from "../queryable_base.ts";
import type { Request } from "../request.ts";
import type { TransactionWork } from "../transaction/transaction.ts";
import type { TransactionOptions } from "../transaction/options.ts";

/** The base of the pool. */
export abstract class PoolOperations extends QueryableBase {
  /**
   * A stream has a client of its own.
   *
   * @internal
   */
  protected get portalsInTransaction(): false {
    return false;
  }

  /** Takes a client out, to be given back by its `release`. */
  abstract connect(options?: ConnectOptions): Promise<PoolClient>;

  /** As {@linkcode Queryable.transaction}, on a client of its own. */
  async transaction<T>(work: TransactionWork<T>, options: TransactionOptions = {}): Promise<T> {
    const client = await this.connect({ signal: options.signal });
    try {
      return await client.transaction(work, options);
    } finally {
      // A transaction that could not be ended would go on with whoever gets the client next.
      client.release(client.getTransactionStatus() !== "I");
    }
  }

  /** @internal */
  protected lend(request: Request, ended: () => Promise<unknown>, lent?: (host: RequestHost) => void): void {
    void this.self.#lend(request, ended, lent);
  }

  /** Takes a client for a request, and gives it back when the request has ended. Never rejects: the request is told. */
  async #lend(
    request: Request,
    ended: () => Promise<unknown>,
    lent: ((host: RequestHost) => void) | undefined,
  ): Promise<void> {
    let client: PoolClient;
    try {
      client = await this.connect({ signal: request.signal });
    } catch (error) {
      return request.failed(asError(error));
    }
    try {
      lendBy(client, request, ended, lent);
      await ended().catch(() => {});
    } catch (error) {
      request.failed(asError(error));
    } finally {
      client.release();
    }
  }
}

/** Has a client, which may be of a class that the pool was given, run a request. */
function lendBy(client: object, ...args: Parameters<Lend>): void {
  const { lend } = client as { lend?: Lend };
  if (client instanceof QueryableBase && lend !== undefined) return lend.apply(client, args);
  throw new ClientError(
    "POOL_CLIENT",
    "streams, cursors and COPY of a pool need clients of pgduplex, not of its `Client`",
    { safeToRetry: true },
  );
}
