/**
 * How a transaction may be run, and what is said to the server for it.
 *
 * @see PostgreSQL documentation, "SQL Commands", "BEGIN" and "SET TRANSACTION"
 * @module
 */

import { ConfigError } from "../../errors.ts";

/** What a transaction sees of others. Default: the server's `default_transaction_isolation`. */
export type IsolationLevel = "read uncommitted" | "read committed" | "repeatable read" | "serializable";

/** How to run a transaction. */
export interface TransactionOptions {
  /** Default: the server's setting, which is `read committed` where nobody changed it. */
  readonly isolation?: IsolationLevel | undefined;
  /** True: the server refuses to write; false: it may write, whatever the server's setting. Default: the setting. */
  readonly readOnly?: boolean | undefined;
  /** With `serializable` and `readOnly`: waits at the beginning until no serialization failure is possible. */
  readonly deferrable?: boolean | undefined;
  /**
   * How often to run all of it again after the server has rolled it back for a serialization failure (40001) or a
   * deadlock (40P01), with a growing random pause in between. The function must stand being called again. Default 0.
   */
  readonly retries?: number | undefined;
  /** Aborts the queries of the transaction and rolls it back; a COMMIT that was sent is not given up. */
  readonly signal?: AbortSignal | undefined;
}

const LEVELS: readonly IsolationLevel[] = ["read uncommitted", "read committed", "repeatable read", "serializable"];
/** More would only hide that something is wrong. */
const MAX_RETRIES = 100;

/**
 * The command that begins such a transaction.
 *
 * @throws {ConfigError} `TRANSACTION_OPTIONS`
 */
export function beginCommand(options: TransactionOptions): string {
  const { isolation, readOnly, deferrable, retries = 0 } = options;
  if (isolation !== undefined && !LEVELS.includes(isolation)) {
    throw unusable(`isolation must be one of ${LEVELS.join(", ")}`);
  }
  if (!Number.isInteger(retries) || retries < 0 || retries > MAX_RETRIES) {
    throw unusable(`retries must be a whole number from 0 to ${MAX_RETRIES}`);
  }
  const modes = [
    isolation === undefined ? "" : ` isolation level ${isolation}`,
    readOnly === undefined ? "" : readOnly ? " read only" : " read write",
    deferrable === undefined ? "" : deferrable ? " deferrable" : " not deferrable",
  ];
  return `begin${modes.join("")}`;
}

/**
 * Refuses what a savepoint cannot honour: its mode and its repetition are those of the whole transaction.
 *
 * @throws {ConfigError} `TRANSACTION_OPTIONS`
 */
export function assertNestable({ isolation, readOnly, deferrable, retries }: TransactionOptions): void {
  if ([isolation, readOnly, deferrable, retries].every((option) => option === undefined)) return;
  throw unusable("isolation, readOnly, deferrable and retries are for the outermost transaction, not for a nested one");
}

function unusable(message: string): ConfigError {
  return new ConfigError("TRANSACTION_OPTIONS", message, { phase: "query", safeToRetry: true });
}
