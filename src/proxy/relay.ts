/**
 * Moves bytes between the messages of a client and the stream of a target until both are done: with back-pressure in
 * both directions, half-close, and a deadline for silence. Knows no runtime and no WebSocket library.
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import { codeOf, TARGET_RESET } from "../duplex/failures.ts";
import { deferred } from "../duplex/waiting.ts";

/** The client's side of a relay: whole binary messages, and a goodbye with a code and a reason (RFC 6455 §7.4). */
export interface MessagePeer {
  /**
   * The next message; null once the client has said goodbye. Rejects where the client broke off or broke the rules
   * (the peer has then told it so), after what came before.
   */
  receive(): Promise<Uint8Array | null>;
  /** Sends a message and resolves when more may be sent. Dropped where the client is gone. */
  send(bytes: Uint8Array): Promise<void>;
  /** Says goodbye after everything sent was taken by the network; messages go on arriving until the client answers. */
  finish(code: number, reason: string): Promise<void>;
  /** Says goodbye at once and reads no more; gives up on a client that does not answer. Idempotent. */
  close(code: number, reason: string): void;
  /** Resolves when the connection is over. Never rejects. */
  readonly closed: Promise<void>;
}

/** What a relay is bounded by, and whom it tells. */
export interface RelayOptions {
  /** Milliseconds without a byte in either direction after which the relay ends; 0: never. */
  readonly idleTimeoutMillis: number;
  /** Milliseconds that a side may take to end after the other has. */
  readonly lingerMillis: number;
  /** Ends the relay, because the proxy stops. */
  readonly signal: AbortSignal;
  readonly meter: RelayMeter;
  /** What the target said before the relay began. */
  readonly early?: Uint8Array | undefined;
}

/** Who counts a relay's bytes. */
export interface RelayMeter {
  bytesToTarget: number;
  bytesToClient: number;
  /** Told of bytes that wait in the relay (positive) and no longer do (negative). */
  hold(bytes: number): void;
}

/** Who ended a relay, and how. */
export type RelayCause = "client" | "target" | "client-lost" | "target-lost" | "idle" | "stopped";

/** How a relay went. */
export interface RelayReport {
  readonly cause: RelayCause;
  readonly reason: string;
  readonly bytesToTarget: number;
  readonly bytesToClient: number;
}

const CLOSE_NORMAL = 1000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_INTERNAL_ERROR = 1011;

/** Relays until both sides are released. Never rejects: how it went is in the report. */
export function relay(client: MessagePeer, target: Duplex, options: RelayOptions): Promise<RelayReport> {
  return new Relay(client, target, options).run();
}

interface Ending {
  readonly cause: RelayCause;
  readonly reason: string;
}

class Relay {
  readonly #client: MessagePeer;
  readonly #target: Duplex;
  readonly #options: RelayOptions;
  readonly #silence: Silence;
  #bytesToTarget = 0;
  #bytesToClient = 0;

  constructor(client: MessagePeer, target: Duplex, options: RelayOptions) {
    this.#client = client;
    this.#target = target;
    this.#options = options;
    this.#silence = new Silence(options.idleTimeoutMillis);
  }

  async run(): Promise<RelayReport> {
    const stopped = deferred<Ending>();
    const onAbort = () => stopped.resolve({ cause: "stopped", reason: "the proxy is shutting down" });
    const { signal } = this.#options;
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();

    const silent = this.#silence.reached.then((): Ending => ({ cause: "idle", reason: this.#silence.words }));
    const toTarget = this.#toTarget();
    const toClient = this.#toClient();
    const hurry = Promise.race([silent, stopped.promise]);
    try {
      const ending = await Promise.race([toTarget, toClient, hurry]);
      await this.#end(ending, toTarget, toClient, hurry);
      const { cause, reason } = ending;
      return { cause, reason, bytesToTarget: this.#bytesToTarget, bytesToClient: this.#bytesToClient };
    } finally {
      signal.removeEventListener("abort", onAbort);
      this.#silence.stop();
    }
  }

  /** Lets the other side finish as far as it can, then releases both. */
  async #end(
    ending: Ending,
    toTarget: Promise<Ending>,
    toClient: Promise<Ending>,
    hurry: Promise<Ending>,
  ): Promise<void> {
    const client = this.#client;
    const { lingerMillis } = this.#options;
    switch (ending.cause) {
      case "client":
        // What the client sent last must arrive: closing now, with bytes of the target unread, would reset the
        // connection. So the target's last words are read, and dropped, since after its goodbye no client hears them.
        await Promise.race([this.#endTarget().then(() => within(lingerMillis, toClient)), hurry]);
        break;
      case "target":
        await Promise.race([client.finish(CLOSE_NORMAL, ending.reason), hurry]);
        await Promise.race([within(lingerMillis, toTarget.then(() => this.#endTarget())), hurry]);
        break;
      case "target-lost":
        await Promise.race([client.finish(CLOSE_INTERNAL_ERROR, ending.reason), hurry]);
        break;
      case "idle":
      case "stopped":
        client.close(CLOSE_GOING_AWAY, ending.reason);
        break;
      case "client-lost":
    }
    this.#target.close(ending.reason);
    client.close(CLOSE_GOING_AWAY, ending.reason);
    await client.closed;
  }

  async #endTarget(): Promise<void> {
    try {
      await this.#target.closeWrite();
    } catch {
      // The target is gone already; its reader says how.
    }
  }

  /** Relays messages to the target; resolves with how the client ended. */
  async #toTarget(): Promise<Ending> {
    for (;;) {
      let bytes: Uint8Array | null;
      try {
        bytes = await this.#client.receive();
      } catch (error) {
        return { cause: "client-lost", reason: error instanceof Error ? error.message : "the client broke off" };
      }
      if (bytes === null) return { cause: "client", reason: "the client closed the connection" };
      // A failed write ends this direction only; the relay then ends by what the target's reader meets.
      if (!await this.#writeToTarget(bytes)) return await new Promise<never>(() => {});
    }
  }

  async #writeToTarget(bytes: Uint8Array): Promise<boolean> {
    const { meter } = this.#options;
    this.#silence.broken();
    meter.hold(bytes.length);
    try {
      await this.#target.write(bytes);
    } catch {
      // Not the place to report it: the target's last words (why it ended) may still wait to be read.
      return false;
    } finally {
      meter.hold(-bytes.length);
    }
    meter.bytesToTarget += bytes.length;
    this.#bytesToTarget += bytes.length;
    this.#silence.broken();
    return true;
  }

  /** Relays the target's bytes to the client; resolves with how the target ended. */
  async #toClient(): Promise<Ending> {
    let { early } = this.#options;
    for (;;) {
      let bytes: Uint8Array | null;
      try {
        bytes = early ?? await this.#target.read();
        early = undefined;
      } catch (error) {
        return { cause: "target-lost", reason: wordsFor(error) };
      }
      if (bytes === null) return { cause: "target", reason: "the target closed the connection" };
      this.#options.meter.bytesToClient += bytes.length;
      this.#bytesToClient += bytes.length;
      this.#silence.broken();
      await this.#client.send(bytes);
      this.#silence.broken();
    }
  }
}

/** Notices that nothing has moved for a while. */
class Silence {
  readonly reached: Promise<void>;
  readonly #limit: number;
  readonly #reach: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #since = performance.now();

  constructor(limitMillis: number) {
    const { promise, resolve } = deferred<void>();
    this.reached = promise;
    this.#reach = resolve;
    this.#limit = limitMillis;
    if (limitMillis > 0) this.#wait(limitMillis);
  }

  get words(): string {
    return `nothing was sent either way for ${this.#limit / 1000} s`;
  }

  /** Something moved. Only notes the time: arming a timer for every chunk would cost more than relaying it. */
  broken(): void {
    this.#since = performance.now();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(millis: number): void {
    this.#timer = setTimeout(() => {
      const left = this.#since + this.#limit - performance.now();
      if (left <= 0) this.#reach();
      else this.#wait(left);
    }, millis);
  }
}

/** Waits for something, but not longer than this. */
async function within(millis: number, awaited: Promise<unknown>): Promise<void> {
  const { promise, resolve } = deferred<void>();
  const timer = setTimeout(resolve, millis);
  await Promise.race([awaited, promise]);
  clearTimeout(timer);
}

/** For a stranger, only the kind of the failure. */
function wordsFor(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return codeOf(cause) === "ECONNRESET" ? TARGET_RESET : "the connection to the target broke";
}
