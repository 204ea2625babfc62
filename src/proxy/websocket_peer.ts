/**
 * A WebSocket of npm `ws` as one side of a relay.
 *
 * @module
 */

import type { WebSocket } from "ws";
import { TransportError } from "../errors.ts";
import { Inbox } from "../duplex/inbox.ts";
import { type Deferred, deferred, DONE } from "../duplex/waiting.ts";
import type { MessagePeer, RelayMeter } from "./relay.ts";

const PAUSE_AT = 256 * 1024; // bytes of messages that wait for the target; then the socket, and so the client, waits
const RESUME_AT = 64 * 1024;
const SEND_WINDOW = 256 * 1024; // bytes that the network has not taken; then the target waits
const CLOSE_UNSUPPORTED_DATA = 1003;

/** Takes over an open WebSocket. `pingIntervalMillis`: how often an idle client is asked whether it is still there. */
export function peerFromWebSocket(socket: WebSocket, meter: RelayMeter, pingIntervalMillis: number): MessagePeer {
  return new WebSocketPeer(socket, meter, pingIntervalMillis);
}

class WebSocketPeer implements MessagePeer {
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #meter: RelayMeter;
  readonly #inbox: Inbox;
  readonly #heartbeat: ReturnType<typeof setInterval> | undefined;
  /** Bytes of messages that nobody has received yet. */
  #unread = 0;
  /** Bytes that were sent and that the network has not taken yet. */
  #unsent = 0;
  #room: Deferred<void> | undefined;
  #flushed: Deferred<void> | undefined;
  #closing = false;
  #deaf = false;
  #answered = true;

  constructor(socket: WebSocket, meter: RelayMeter, pingIntervalMillis: number) {
    this.#socket = socket;
    this.#meter = meter;
    this.#inbox = new Inbox({
      pauseAt: PAUSE_AT,
      resumeAt: RESUME_AT,
      pause: () => socket.pause(),
      resume: () => socket.resume(),
    });
    const { promise, resolve } = deferred<void>();
    this.closed = promise;
    socket.on("message", this.#onMessage);
    socket.on("pong", () => this.#answered = true);
    socket.on("error", (error) => this.#inbox.fail(refused(error.message, error)));
    socket.on("close", (code) => {
      this.#onClose(code);
      resolve();
    });
    if (pingIntervalMillis > 0) this.#heartbeat = setInterval(() => this.#beat(), pingIntervalMillis);
  }

  async receive(): Promise<Uint8Array | null> {
    const reading = this.#inbox.read();
    if (reading === undefined) throw new TransportError("TRANSPORT_BUSY", "a second receive while one waits");
    const bytes = await reading;
    if (bytes !== null) this.#release(bytes.length);
    return bytes;
  }

  send(bytes: Uint8Array): Promise<void> {
    if (this.#closing) return DONE;
    this.#unsent += bytes.length;
    this.#meter.hold(bytes.length);
    this.#socket.send(bytes, { binary: true }, () => {
      this.#unsent -= bytes.length;
      this.#meter.hold(-bytes.length);
      this.#wakeSenders();
    });
    if (this.#unsent <= SEND_WINDOW) return DONE;
    this.#room ??= deferred();
    return this.#room.promise;
  }

  async finish(code: number, reason: string): Promise<void> {
    if (this.#unsent > 0) {
      this.#flushed ??= deferred();
      await Promise.race([this.#flushed.promise, this.closed]);
    }
    this.#sayGoodbye(code, reason);
    await this.closed;
  }

  close(code: number, reason: string): void {
    this.#deaf = true;
    this.#inbox.abandon(() => new TransportError("TRANSPORT_CLOSED", "the proxy closed the connection"));
    this.#release(this.#unread);
    this.#socket.resume(); // the client's goodbye stands behind what nobody reads any more
    this.#sayGoodbye(code, reason);
  }

  /** The library gives up on a client that does not answer in time (its `closeTimeout`). */
  #sayGoodbye(code: number, reason: string): void {
    if (this.#closing) return;
    this.#closing = true;
    clearInterval(this.#heartbeat);
    this.#socket.close(code, reason);
  }

  readonly #onMessage = (data: unknown, isBinary: boolean): void => {
    if (!isBinary || !(data instanceof Uint8Array)) {
      this.#inbox.fail(refused("the client sent a text message"));
      this.close(CLOSE_UNSUPPORTED_DATA, "only binary messages are relayed");
      return;
    }
    this.#answered = true;
    if (this.#deaf || data.length === 0) return;
    this.#unread += data.length;
    this.#meter.hold(data.length);
    // A view without Buffer's own methods, since a Buffer's slice() is a view too.
    this.#inbox.push(new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength));
  };

  #onClose(code: number): void {
    const ABNORMAL = 1006; // no goodbye was received (RFC 6455 §7.1.5)
    if (code === ABNORMAL) this.#inbox.fail(new TransportError("TRANSPORT_LOST", "the client broke off"));
    else this.#inbox.end();
    this.#closing = true;
    clearInterval(this.#heartbeat);
    this.#wakeSenders();
  }

  /** Pings, and gives up on a client that did not answer the ping before; one that is held back cannot answer. */
  #beat(): void {
    if (this.#socket.isPaused || this.#unsent > 0) return;
    if (!this.#answered) return this.#socket.terminate();
    this.#answered = false;
    this.#socket.ping();
  }

  #release(bytes: number): void {
    this.#unread -= bytes;
    this.#meter.hold(-bytes);
  }

  #wakeSenders(): void {
    if (this.#room !== undefined && (this.#unsent <= SEND_WINDOW || this.#closing)) {
      this.#room.resolve();
      this.#room = undefined;
    }
    if (this.#unsent === 0) this.#flushed?.resolve();
  }
}

function refused(reason: string, cause?: unknown): TransportError {
  return new TransportError("TRANSPORT_REFUSED", `the client broke the rules: ${reason}`, { cause });
}
