/**
 * Transactions as functions: begun before the function is called, committed when it resolves, rolled back when it
 * rejects.
 *
 * @module
 */

import { unlessAborted } from "../../duplex/waiting.ts";
import { AbortError, ClientError, DatabaseError, DriverError, TransportError } from "../../errors.ts";
import type { TransactionStatus } from "../../protocol/codes.ts";
import type { Queryable } from "../queryable.ts";
import type { Result } from "../query/result.ts";
import { assertNestable, beginCommand, type TransactionOptions } from "./options.ts";
import { Transaction } from "./scope.ts";

/** What runs a transaction: a client. */
export interface TransactionHost extends Omit<Queryable, "transaction"> {
  getTransactionStatus(): TransactionStatus | null;
}

/** The function that a transaction consists of. What it resolves with, the transaction does. */
export type TransactionWork<T> = (transaction: Transaction) => Promise<T> | T;

/** The transactions of one client, which has one at a time. */
export class Transactions {
  readonly #host: TransactionHost;
  #running = false;

  constructor(host: TransactionHost) {
    this.#host = host;
  }

  /** As {@linkcode Queryable.transaction}. */
  async run<T>(work: TransactionWork<T>, options: TransactionOptions = {}): Promise<T> {
    const begin = beginCommand(options);
    if (this.#running) throw transactionRunning();
    this.#running = true;
    try {
      // In a transaction that the program began by hand, this one is nested.
      if (this.#host.getTransactionStatus() === "T") return await runNested(this.#host, 1, work, options);
      return await runRepeatedly(this.#host, begin, work, options);
    } finally {
      this.#running = false;
    }
  }
}

/** Serialization failure, and deadlock. */
const REPEATABLE: readonly string[] = ["40001", "40P01"];
/** SQLSTATE statement_completion_unknown. */
const COMPLETION_UNKNOWN = "40003";
const FIRST_PAUSE_MILLIS = 10;
const LONGEST_PAUSE_MILLIS = 1_000;

async function runRepeatedly<T>(
  host: TransactionHost,
  begin: string,
  work: TransactionWork<T>,
  options: TransactionOptions,
): Promise<T> {
  const { retries = 0, signal } = options;
  for (let attempt = 0;; attempt++) {
    try {
      return await runOnce(host, begin, work, signal);
    } catch (error) {
      const rolledBack = host.getTransactionStatus() === "I";
      const repeatable = rolledBack ? repeatableError(error) : undefined;
      if (repeatable !== undefined) repeatable.safeToRetry = true;
      if (repeatable === undefined || attempt >= retries) throw error;
    }
    await pause(attempt, signal);
  }
}

async function runOnce<T>(
  host: TransactionHost,
  begin: string,
  work: TransactionWork<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  try {
    await host.query({ text: begin, signal });
  } catch (error) {
    // Whoever gave up waiting for BEGIN does not know whether it was done.
    if (mayHaveBeenSent(error)) await rollBack(host, "rollback");
    throw error;
  }
  const transaction = new Transaction(host, { depth: 0, signal, runNested });
  let value: T;
  try {
    value = await untilAborted(() => work(transaction), signal);
  } catch (error) {
    await transaction.finish();
    await rollBack(host, "rollback");
    throw error;
  }
  await transaction.finish();
  if (transaction.copyGivenUp) {
    await rollBack(host, "rollback");
    throw copyLeftOpen();
  }
  await commit(host);
  return value;
}

/** Runs a transaction within another, as a savepoint. */
async function runNested<T>(
  host: TransactionHost,
  depth: number,
  work: TransactionWork<T>,
  options: TransactionOptions,
  outer?: Transaction,
): Promise<T> {
  assertNestable(options);
  const { signal } = options;
  const savepoint = `pgduplex_${depth}`;
  await host.query({ text: `savepoint ${savepoint}`, signal });
  const transaction = new Transaction(host, { depth, signal, runNested });
  const letGo = outer?.hold(() => transaction.finish());
  const undo = `rollback to savepoint ${savepoint}; release savepoint ${savepoint}`;
  let value: T;
  try {
    value = await untilAborted(() => work(transaction), signal);
  } catch (error) {
    await transaction.finish();
    if (!outer?.over) await rollBack(host, undo);
    throw error;
  } finally {
    letGo?.();
  }
  await transaction.finish();
  outer?.assertOpen();
  if (transaction.copyGivenUp) {
    await rollBack(host, undo);
    throw copyLeftOpen();
  }
  try {
    await host.query(`release savepoint ${savepoint}`);
  } catch (error) {
    // The function has hidden an error; the server still wants to hear that it is dealt with.
    if (error instanceof DatabaseError) await rollBack(host, undo);
    throw error;
  }
  return value;
}

/** @throws what the server refused; {@linkcode TransportError} `TRANSACTION_OUTCOME_UNKNOWN` where it did not say */
async function commit(host: TransactionHost): Promise<void> {
  let result: Result;
  try {
    result = await host.query("commit");
  } catch (error) {
    if (!mayHaveBeenSent(error) || (error instanceof DatabaseError && isRefusal(error))) throw error;
    throw outcomeUnknown(error);
  }
  // The server's answer to COMMIT where a query had failed, which the function did not let through.
  if (result.command === "ROLLBACK") throw rolledBack();
}

/** The session's end says nothing of the commit, and neither does a server that does not know itself. */
function isRefusal({ severity, code }: DatabaseError): boolean {
  return severity !== "FATAL" && severity !== "PANIC" && code !== COMPLETION_UNKNOWN;
}

/** The error that brought us here is the one to tell; where the connection is gone the server rolls back by itself. */
async function rollBack(host: TransactionHost, command: string): Promise<void> {
  try {
    await host.query(command);
  } catch {
    // As above.
  }
}

/** Resolves or rejects as the function does, or rejects once the signal fires, whatever the function is waiting for. */
async function untilAborted<T>(work: () => Promise<T> | T, signal: AbortSignal | undefined): Promise<T> {
  try {
    const value = await unlessAborted(Promise.resolve().then(work), signal, () => {});
    signal?.throwIfAborted();
    return value;
  } catch (error) {
    throw signal?.aborted ? transactionAborted(signal) : error;
  }
}

/** The error, or what a library wrapped, where repeating the transaction may help. */
function repeatableError(error: unknown): DatabaseError | undefined {
  let current = error;
  for (let depth = 0; depth < 5 && current instanceof Error; depth++, current = current.cause) {
    if (current instanceof DatabaseError) return REPEATABLE.includes(current.code) ? current : undefined;
  }
  return undefined;
}

function mayHaveBeenSent(error: unknown): boolean {
  return !(error instanceof DriverError && error.safeToRetry);
}

/** A random part of a doubling time, so that those who collided do not meet again. */
async function pause(attempt: number, signal: AbortSignal | undefined): Promise<void> {
  const millis = Math.random() * Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** attempt);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await unlessAborted(new Promise<void>((resolve) => timer = setTimeout(resolve, millis)), signal, () => {});
  } catch (error) {
    throw signal?.aborted ? transactionAborted(signal) : error;
  } finally {
    clearTimeout(timer);
  }
}

function transactionRunning(): ClientError {
  return new ClientError(
    "TRANSACTION_RUNNING",
    "a transaction is running on this client: nest by the transaction that your function was given " +
      "(transaction.transaction), or take another client from a pool",
    { phase: "query", safeToRetry: true },
  );
}

function transactionAborted(signal: AbortSignal): AbortError {
  return new AbortError("ABORTED", "the transaction was aborted by its AbortSignal and rolled back", {
    phase: "query",
    cause: signal.reason,
  });
}

function rolledBack(): ClientError {
  return new ClientError(
    "TRANSACTION_ROLLED_BACK",
    "the transaction was rolled back, since one of its queries had failed: let the function reject with that error, " +
      "or run what may fail in a nested transaction",
    { phase: "query" },
  );
}

function copyLeftOpen(): ClientError {
  return new ClientError(
    "TRANSACTION_ROLLED_BACK",
    "the transaction was rolled back, since its function had left a COPY open: await its end, or give it up",
    { phase: "query" },
  );
}

function outcomeUnknown(cause: unknown): TransportError {
  return new TransportError(
    "TRANSACTION_OUTCOME_UNKNOWN",
    "COMMIT was sent and its answer did not come: the transaction may or may not be committed",
    { phase: "query", cause },
  );
}
