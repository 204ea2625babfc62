/**
 * The notifications of one connection, queued for whoever consumes them.
 *
 * @module
 */

import { onAbort } from "../../duplex/abort_signal.ts";
import { type Deferred, deferred, LONGEST_TIMER_MILLIS } from "../../duplex/waiting.ts";
import { ClientError, TransportError } from "../../errors.ts";
import type { Client } from "../client.ts";

/** A NOTIFY. */
export interface Notification {
  /** The channel's name. */
  readonly channel: string;
  /** Empty where there is none. */
  readonly payload: string;
  /** The server process that notified. */
  readonly processId: number;
}

/** How a connection is listened to. */
export interface SubscriptionInput {
  readonly signal: AbortSignal | undefined;
  /** 0: never. */
  readonly heartbeatMillis: number;
  readonly maxWaiting: number;
}

/** Gathers a client's notifications from its making on, until it is closed or the connection is lost. */
export class Subscription {
  readonly #client: Client;
  readonly #closeClient: () => Promise<void>;
  readonly #input: SubscriptionInput;
  readonly #release: () => void;
  readonly #heartbeat: ReturnType<typeof setInterval> | undefined;
  #waiting: Notification[] = [];
  #next: Deferred<Notification> | undefined;
  #failure: Error | undefined;
  #closed: Promise<void> | undefined;

  constructor(client: Client, closeClient: () => Promise<void>, input: SubscriptionInput) {
    this.#client = client;
    this.#closeClient = closeClient;
    this.#input = input;
    client.on("notification", this.#onNotification).on("error", this.#fail).on("end", this.#onEnd);
    this.#release = onAbort(input.signal, () => this.#fail(new Error("aborted")));
    if (input.heartbeatMillis > 0) {
      this.#heartbeat = setInterval(() => this.#beat(), Math.min(input.heartbeatMillis, LONGEST_TIMER_MILLIS));
    }
  }

  /** The next notification; rejects once the connection is lost and all that came before was consumed. */
  next(): Promise<Notification> {
    const notification = this.#waiting.shift();
    if (notification !== undefined) return Promise.resolve(notification);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#next = deferred<Notification>();
    return this.#next.promise;
  }

  /** Never rejects. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    clearInterval(this.#heartbeat);
    this.#release();
    this.#client.removeListener("notification", this.#onNotification);
    this.#client.removeListener("end", this.#onEnd);
    try {
      await this.#closeClient();
    } catch {
      // It was lost before.
    }
  }

  readonly #onNotification = (heard: unknown): void => {
    const { channel, payload, processId } = heard as Notification;
    const notification = { channel, payload, processId };
    const next = this.#next;
    this.#next = undefined;
    if (next !== undefined) next.resolve(notification);
    else if (this.#waiting.length < this.#input.maxWaiting) this.#waiting.push(notification);
    else this.#overflow();
  };

  readonly #onEnd = (): void => {
    this.#fail(new TransportError("CONNECTION_ENDED", "the connection that listens has ended", { phase: "idle" }));
  };

  readonly #fail = (error: Error): void => {
    this.#failure ??= error;
    this.#next?.reject(this.#failure);
    this.#next = undefined;
  };

  #overflow(): void {
    this.#waiting = [];
    this.#fail(
      new ClientError(
        "LISTEN_OVERFLOW",
        `${this.#input.maxWaiting} notifications wait to be consumed: consume them faster, or raise maxWaiting`,
        { phase: "idle" },
      ),
    );
  }

  #beat(): void {
    this.#client.query({ text: "select 1", query_timeout: this.#input.heartbeatMillis }).catch(this.#fail);
  }
}
