/**
 * The WebSocket of npm `ws`, for Node: 20 has none, and later ones' can do less. The only place that imports it.
 *
 * @module
 */

import { TransportError } from "../errors.ts";
import { wordsOf } from "./failures.ts";
import { unreachedCode } from "./proxy_words.ts";
import type { WebSocketFactory, WebSocketLike } from "./websocket.ts";

const MAX_MESSAGE = 32 * 1024 * 1024; // a peer can make it buffer one message of this size, in bytes
const MAX_REASON = 1024; // characters of a refusal's body that reach the error

/**
 * Loads npm `ws`; where it is not installed, the runtime's own must do.
 *
 * @throws {TransportError} `TRANSPORT_UNAVAILABLE` where there is neither
 */
export async function wsFactory(own?: WebSocketFactory): Promise<WebSocketFactory> {
  const { WebSocket } = await import("ws").catch((cause) => {
    if (own !== undefined) return { WebSocket: undefined };
    throw new TransportError(
      "TRANSPORT_UNAVAILABLE",
      "this runtime has no WebSocket, and npm ws cannot be loaded: npm install ws, or run on Node 22 or later",
      { transport: "websocket", phase: "open", cause },
    );
  });
  if (WebSocket === undefined) return own as WebSocketFactory;
  return (url, protocols) => {
    // Ciphertext does not compress.
    const socket = new WebSocket(url, protocols, { perMessageDeflate: false, maxPayload: MAX_MESSAGE });
    socket.on("unexpected-response", (_request, response) => {
      // Without this listener the reason, which is in the body, would be lost.
      let body = "";
      const fail = () => {
        const reason = body.slice(0, MAX_REASON).trim();
        const status = `the proxy answered HTTP ${response.statusCode}${reason === "" ? "" : `: ${reason}`}`;
        socket.emit("error", Object.assign(new Error(status), unreachedCode(reason)));
        socket.terminate();
      };
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
        if (body.length >= MAX_REASON) response.destroy();
      });
      response.on("close", fail);
      response.on("error", (error: Error) => body += ` (${wordsOf(error)})`);
    });
    let socketBelow: { ref(): unknown; unref(): unknown } | undefined;
    socket.on("upgrade", (response) => socketBelow = response.socket);
    return Object.assign(socket as unknown as WebSocketLike, {
      ref: () => void socketBelow?.ref(),
      unref: () => void socketBelow?.unref(),
    });
  };
}
