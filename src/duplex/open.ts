/**
 * Chooses how a database is reached, and opens it.
 *
 * @module
 */

import { loadPart } from "../part.ts";
import type { Duplex } from "./duplex.ts";
import { proxyUrl } from "./proxy_url.ts";
import type { Target } from "./target.ts";

/** What {@linkcode openDuplex} is to open, and by which way. */
export interface OpenTarget extends Target {
  /** Where the WebSocket proxy is, as `proxyUrl` understands it. */
  readonly wsProxy?: string | ((host: string, port: number) => string) | undefined;
  /** A user's own way: a function that gives a {@linkcode Duplex}, a `{readable, writable}` pair, or a promise of one. */
  readonly openDuplex?: ((target: { host: string; port: number; signal: AbortSignal }) => unknown) | undefined;
}

/**
 * Opens a connection: by the user's own function if there is one, else through a configured proxy, else by a socket of
 * the runtime. A host that begins with `/` (or `@`) is the directory of a Unix-domain socket.
 *
 * @example
 * ```ts
 * const duplex = await openDuplex({ host: "db.example.com", port: 5432, signal: AbortSignal.timeout(5000) });
 * ```
 *
 * @throws {ConfigError} `CONFIG_WS_PROXY`, `CONFIG_OPEN_DUPLEX`
 * @throws {TransportError} `TRANSPORT_OPEN_FAILED`, `TRANSPORT_ABORTED`, `TRANSPORT_UNAVAILABLE`; when the signal
 * aborts with a DriverError as its reason, that error
 */
export async function openDuplex(target: OpenTarget): Promise<Duplex> {
  const { host, port, wsProxy, openDuplex: open, signal = new AbortController().signal } = target;
  if (open !== undefined) {
    const opening = new Promise((resolve) => {
      signal.throwIfAborted();
      resolve(open({ host, port, signal }));
    });
    opening.catch(() => {}); // told below
    const { takeOwnDuplex } = await loadPart(async () => await import("./own_way.ts"));
    return await takeOwnDuplex(opening, { ...target, signal });
  }
  if (wsProxy === undefined) {
    const { openSocket } = await loadPart(async () => await import("./sockets.ts"));
    return await openSocket(target);
  }
  const url = proxyUrl(wsProxy, host, port);
  const { openWebSocket } = await loadPart(async () => await import("./websocket.ts"));
  return await openWebSocket(url, target);
}
