import { LONGEST_TIMER_MILLIS } from "../../duplex/waiting.ts";
import { asError, TimeoutError } from "../../errors.ts";
import { Client } from "../client.ts";
import type { PoolClient } from "./pool_client.ts";
import { connectTimedOut } from "./errors.ts";

/** How long a client may take to say that it could not connect, once it should have known. */
const GRACE_MILLIS = 100;

/** What connecting a pool's client needs to know. */
export interface Connecting {
  /** 0 or undefined: the client's own limit, where it has one. */
  readonly timeoutMillis: number | undefined;
  log(...messages: unknown[]): void;
  /** Called once, with the error where it failed. */
  done(error: Error | undefined): void;
}

/**
 * Connects a client by its callback, which clients of every make have. Our own mind the time themselves; others are
 * brought down when it is over, and one that does not answer even then is given up.
 */
export function connectClient(client: PoolClient, { timeoutMillis, log, done }: Connecting): void {
  let timedOut = false;
  let over = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const finish = (error: Error | undefined) => {
    clearTimeout(timer);
    over = true;
    done(error);
  };
  const giveUp = () => {
    log("ending client due to timeout");
    client.end?.(() => {});
    finish(connectTimedOut(undefined));
  };
  const expire = () => {
    timer = setTimeout(giveUp, GRACE_MILLIS);
    if (client instanceof Client) return;
    timedOut = true;
    bringDown(client, log);
  };
  if (timeoutMillis) timer = setTimeout(expire, Math.min(timeoutMillis, LONGEST_TIMER_MILLIS));
  const connected = (failure: Error | null | undefined) => {
    if (over) return failure ? undefined : client.end(() => {});
    if (!failure) {
      log("new client connected");
      return finish(undefined);
    }
    log("client failed to connect", failure);
    finish(timedOut || failure instanceof TimeoutError ? connectTimedOut(failure) : failure);
  };
  log("connecting new client");
  try {
    client.connect(connected);
  } catch (error) {
    // The callers of a pool may not be called before it has returned.
    queueMicrotask(() => connected(asError(error)));
  }
}

function bringDown(client: object, log: Connecting["log"]): void {
  const foreign = client as { connection?: { stream: { destroy(): void } }; end(): void };
  log("ending client due to timeout");
  if (foreign.connection === undefined) foreign.end();
  else foreign.connection.stream.destroy();
}
