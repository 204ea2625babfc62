/**
 * TCP sockets of Chrome's Isolated Web Apps (Direct Sockets).
 *
 * @module
 */

import type { Duplex } from "./duplex.ts";
import { openFailed } from "./failures.ts";
import { StreamsDuplex } from "./streams.ts";
import type { Target } from "./target.ts";
import { remoteName } from "./target.ts";
import { unlessAborted } from "./waiting.ts";

/** What is used of the Direct Sockets API, <https://wicg.github.io/direct-sockets/>. */
interface DirectSocket {
  readonly opened: Promise<{ readable: ReadableStream<Uint8Array>; writable: WritableStream<Uint8Array> }>;
  readonly closed: Promise<void>;
  close(): Promise<void>;
}
type DirectSocketConstructor = new (
  host: string,
  port: number,
  options: { noDelay: boolean; keepAliveDelay?: number },
) => DirectSocket;

const MIN_KEEP_ALIVE_DELAY = 1000; // milliseconds; the API refuses less

/**
 * Opens a TCP socket with Chrome's `TCPSocket`.
 *
 * @throws {TransportError} `TRANSPORT_OPEN_FAILED`, `TRANSPORT_ABORTED`, or the signal's reason where it is a DriverError
 */
export async function openDirectSocket(target: Target): Promise<Duplex> {
  const { host, port, keepAlive, keepAliveInitialDelayMillis, signal } = target;
  const { TCPSocket } = globalThis as unknown as { TCPSocket: DirectSocketConstructor };
  try {
    signal?.throwIfAborted();
    const socket = new TCPSocket(host, port, {
      noDelay: true,
      ...(keepAlive && { keepAliveDelay: Math.max(keepAliveInitialDelayMillis ?? 0, MIN_KEEP_ALIVE_DELAY) }),
    });
    socket.closed.catch(() => {}); // rejects when the connection breaks, which reads and writes report
    // The socket itself can only be closed once its streams are unlocked; ending both streams closes it.
    const { readable, writable } = await unlessAborted(socket.opened, signal, () => socket.close().catch(() => {}));
    return new StreamsDuplex({ readable, writable }, { transport: "direct-sockets", remote: remoteName(target) });
  } catch (cause) {
    throw openFailed("direct-sockets", target, cause);
  }
}
