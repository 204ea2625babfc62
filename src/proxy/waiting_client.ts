/**
 * A client that waits for its upgrade while its target is dialled.
 *
 * @module
 */

import type { Duplex as NodeStream } from "node:stream";

/** A client that may leave, and may have sent its first frames ahead of the answer. */
export interface WaitingClient {
  /** Aborts when the client has left, or the proxy stops. */
  readonly over: AbortSignal;
  /** Ends the watch, and gives the socket back with what arrived meanwhile, `head` first. */
  take(): Uint8Array;
}

const MAX_EARLY_BYTES = 64 * 1024; // kept while dialling; then the client has to wait

/** Reads a socket, since only a socket that is read tells that its peer has gone. */
export function watchClient(socket: NodeStream, head: Uint8Array, stop: AbortSignal): WaitingClient {
  const over = new AbortController();
  const chunks: Uint8Array[] = [head];
  let length = head.length;
  const leave = () => over.abort();
  stop.addEventListener("abort", leave, { once: true });
  if (stop.aborted) leave();
  const onData = (chunk: Uint8Array) => {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= MAX_EARLY_BYTES) socket.pause();
  };
  socket.on("data", onData);
  for (const event of ["end", "error", "close"]) socket.on(event, leave);
  return {
    over: over.signal,
    take() {
      stop.removeEventListener("abort", leave);
      socket.off("data", onData);
      // "error" stays: between two owners, a failure without a listener would end the process.
      for (const event of ["end", "close"]) socket.off(event, leave);
      if (socket.isPaused()) socket.resume(); // takes effect after whoever comes next has begun to listen
      return concatenate(chunks, length);
    },
  };
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
