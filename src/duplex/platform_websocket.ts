/**
 * The WebSocket that there is: the runtime's own, or npm `ws` on Node. A page has its own version of this file.
 *
 * @module
 */

import { loadPart } from "../part.ts";
import type { WebSocketFactory, WebSocketLike } from "./websocket.ts";

/**
 * What makes WebSockets where the options bring none.
 *
 * @throws {TransportError} `TRANSPORT_UNAVAILABLE` where there is none, and npm `ws` is not installed
 */
export async function platformWebSocket(): Promise<WebSocketFactory> {
  const { WebSocket, navigator } = globalThis as unknown as {
    WebSocket?: new (url: string, protocols: string[]) => WebSocketLike;
    navigator?: { userAgent?: string };
  };
  const own: WebSocketFactory | undefined = WebSocket && ((url, protocols) => new WebSocket(url, protocols));
  // Node's own, from 22 on, keeps the process alive whatever it is told, and does not say why it was refused.
  if (own !== undefined && !navigator?.userAgent?.startsWith("Node.js/")) return own;
  const { wsFactory } = await loadPart(async () => await import("./ws.ts"));
  return await wsFactory(own);
}
