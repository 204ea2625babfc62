/**
 * What takes the place of src/duplex/platform_websocket.ts in pages, which all have a WebSocket.
 *
 * @module
 */

import type { WebSocketFactory, WebSocketLike } from "../../src/duplex/websocket.ts";

/** What makes WebSockets where the options bring none. */
export function platformWebSocket(): Promise<WebSocketFactory> {
  const { WebSocket } = globalThis as unknown as { WebSocket: new (url: string, protocols: string[]) => WebSocketLike };
  return Promise.resolve((url, protocols) => new WebSocket(url, protocols));
}
