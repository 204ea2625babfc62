/**
 * LISTEN as an async iterable, which subscribes again when its connection was lost.
 *
 * @see PostgreSQL documentation, "SQL Commands", "LISTEN" and "NOTIFY"
 * @module
 */

import type { ClientConfig } from "../../config/client_config.ts";
import { assertSignal } from "../../duplex/abort_signal.ts";
import { unlessAborted } from "../../duplex/waiting.ts";
import { AbortError, AuthenticationError, ClientError, ConfigError, DatabaseError } from "../../errors.ts";
import { Client } from "../client.ts";
import { escapeIdentifier } from "../escape.ts";
import type { PoolClient } from "../pool/pool_client.ts";
import { type Notification, Subscription } from "./subscription.ts";

/** How notifications are listened for. */
export interface ListenOptions {
  /** Ends listening: whoever waits is told by an `AbortError`. */
  readonly signal?: AbortSignal | undefined;
  /**
   * Called each time when the channels have been subscribed to; `again` after a connection was lost. What was notified
   * in between nobody tells: a program that must not miss anything reads its tables here. What it throws ends listening.
   */
  readonly onSubscribe?: ((again: boolean) => void) | undefined;
  /** How often to ask whether the connection is alive, and how long to wait for the answer. Default 30,000 ms; 0: never. */
  readonly heartbeatMillis?: number | undefined;
  /** How many notifications may wait to be consumed. Default 10,000. */
  readonly maxWaiting?: number | undefined;
}

/** Where the connection for listening comes from: a pool, or the options for a client of its own. */
export type ListenSource = string | URL | ClientConfig | { connect(): Promise<PoolClient> };

const DEFAULT_HEARTBEAT_MILLIS = 30_000;
const DEFAULT_MAX_WAITING = 10_000;
const FIRST_PAUSE_MILLIS = 100;
const LONGEST_PAUSE_MILLIS = 10_000;

/**
 * Listens on channels with a connection of its own, until the loop is left or the signal aborts. When the connection is
 * lost it connects and subscribes again, with growing pauses. The first connection is made by the first `next`.
 *
 * @throws what the first connection fails for; later {@linkcode AuthenticationError}, {@linkcode ConfigError} and what
 * else does not pass by itself; {@linkcode ClientError} `LISTEN_OVERFLOW` where the program is too slow
 *
 * @example
 * ```ts
 * for await (const { channel, payload } of listen(pool, ["orders", "payments"], { signal })) {
 *   console.log(channel, payload);
 * }
 * ```
 */
export async function* listen(
  source: ListenSource,
  channels: string | readonly string[],
  options: ListenOptions = {},
): AsyncGenerator<Notification, void, undefined> {
  assertSignal(options.signal);
  const command = listenCommand(typeof channels === "string" ? [channels] : channels);
  let subscribed = false;
  /** Whether the program's own code runs, whose failure concerns it alone. */
  let telling = false;
  for (let failures = 0;; failures++) {
    let subscription: Subscription | undefined;
    try {
      subscription = await subscribe(source, command, options);
      telling = true;
      options.onSubscribe?.(subscribed);
      telling = false;
      subscribed = true;
      for (let notification = await subscription.next();; notification = await subscription.next()) {
        failures = 0;
        yield notification;
      }
    } catch (error) {
      if (options.signal?.aborted) throw aborted(options.signal);
      if (telling || !subscribed || !passesByItself(error)) throw error;
    } finally {
      await subscription?.close();
    }
    await pause(failures, options.signal);
  }
}

/** @throws {ConfigError} `LISTEN_CHANNELS` */
function listenCommand(channels: readonly string[]): string {
  const usable = channels.length > 0 &&
    channels.every((name) => typeof name === "string" && name !== "" && !name.includes("\0"));
  if (usable) return channels.map((name) => `listen ${escapeIdentifier(name)}`).join("; ");
  throw new ConfigError("LISTEN_CHANNELS", "the channels to listen on are names, one at least");
}

async function subscribe(source: ListenSource, command: string, options: ListenOptions): Promise<Subscription> {
  const { signal, heartbeatMillis = DEFAULT_HEARTBEAT_MILLIS, maxWaiting = DEFAULT_MAX_WAITING } = options;
  const { client, close } = await connect(source, signal);
  const subscription = new Subscription(client, close, { signal, heartbeatMillis, maxWaiting });
  try {
    await client.query({ text: command, signal });
    return subscription;
  } catch (error) {
    await subscription.close();
    throw error;
  }
}

interface Connected {
  readonly client: Client;
  close(): Promise<void>;
}

async function connect(source: ListenSource, signal: AbortSignal | undefined): Promise<Connected> {
  if (isPool(source)) {
    const client = await unlessAborted(source.connect(), signal, (late) => late.release());
    // Its subscriptions would be somebody else's: it does not go back.
    return { client, close: () => Promise.resolve(client.release(true)) };
  }
  const client = await new Client(source).connect({ signal });
  return { client, close: () => client.end() };
}

function isPool(source: ListenSource): source is { connect(): Promise<PoolClient> } {
  return typeof source === "object" && "connect" in source && typeof source.connect === "function";
}

function passesByItself(error: unknown): boolean {
  if (error instanceof ConfigError || error instanceof AuthenticationError) return false;
  if (error instanceof ClientError) return error.code !== "LISTEN_OVERFLOW";
  // Invalid authorization, and a database that does not exist.
  return !(error instanceof DatabaseError && /^(?:28|3D)/.test(error.code));
}

async function pause(failures: number, signal: AbortSignal | undefined): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS * 2 ** failures);
  const millis = longest * (0.5 + Math.random() / 2);
  let timer: ReturnType<typeof setTimeout> | undefined;
  try {
    await unlessAborted(new Promise<void>((resolve) => timer = setTimeout(resolve, millis)), signal, () => {});
  } catch (error) {
    throw signal?.aborted ? aborted(signal) : error;
  } finally {
    clearTimeout(timer);
  }
}

function aborted(signal: AbortSignal): AbortError {
  return new AbortError("ABORTED", "listening was aborted by its AbortSignal", { phase: "idle", cause: signal.reason });
}
