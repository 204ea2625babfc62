import { Client } from "./client.ts";
import type { PoolClient } from "./pool_client.ts";
import { connectTimedOut } from "./pool_errors.ts";

/** What connecting a pool's client needs to know. */
export interface Connecting {
  /** 0 or undefined: the client's own limit, where it has one. */
  readonly timeoutMillis: number | undefined;
  log(...messages: unknown[]): void;
  /** Called once, with the error where it failed. */
  done(error: Error | undefined): void;
}

/** Connects a client by its callback, which clients of every make have. */
export function connectClient(client: PoolClient, { timeoutMillis, log, done }: Connecting): void {
  // Our own clients mind connectionTimeoutMillis themselves.
  const stopTimer = timeoutMillis && !(client instanceof Client)
    ? bringDownAfter(timeoutMillis, client, log)
    : () => false;
  log("connecting new client");
  client.connect((failure: Error | null | undefined) => {
    const timedOut = stopTimer();
    if (!failure) {
      log("new client connected");
      return done(undefined);
    }
    log("client failed to connect", failure);
    const late = timedOut || (failure as { code?: unknown }).code === "TIMEOUT_CONNECT";
    done(late ? connectTimedOut(failure) : failure);
  });
}

/** Returns how to stop the timer, which tells whether it was too late for that. */
function bringDownAfter(millis: number, client: object, log: Connecting["log"]): () => boolean {
  const foreign = client as { connection?: { stream: { destroy(): void } }; end(): void };
  let timedOut = false;
  const timer = setTimeout(() => {
    log("ending client due to timeout");
    timedOut = true;
    if (foreign.connection === undefined) foreign.end();
    else foreign.connection.stream.destroy();
  }, millis);
  return () => {
    clearTimeout(timer);
    return timedOut;
  };
}
