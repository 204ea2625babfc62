import assert from "node:assert/strict";
import { test } from "node:test";
import { WebSocket as NpmWebSocket } from "ws";
import type { WebSocketFactory, WebSocketLike } from "../../src/duplex/websocket.ts";
import { openWebSocket } from "../../src/duplex/websocket.ts";
import { wsFactory } from "../../src/duplex/ws.ts";
import type { Request } from "../fixtures/peer_behaviour.ts";
import type { Address } from "../fixtures/peers.ts";
import { REFUSAL, startPeers } from "../fixtures/peers.ts";
import { testContract } from "./duplex_suite.ts";

const target = { host: "db.example.com", port: 5432 };
const own = "WebSocket" in globalThis;
const ownFactory: WebSocketFactory = (url, protocols) =>
  new globalThis.WebSocket(url, protocols) as unknown as WebSocketLike;

const implementations: [name: string, factory: () => Promise<WebSocketFactory>, skip: string | false][] = [
  ["the runtime's WebSocket", () => Promise.resolve(ownFactory), own ? false : "this runtime has no WebSocket"],
  ["npm ws", wsFactory, false],
];

const urlOf = ({ host, port }: Address, path = "/v1") => `ws://${host}:${port}${path}?address=db.example.com:5432`;

for (const [name, factory, skip] of implementations) {
  testContract(name, async ({ webSocket, mute }) => {
    const options = { webSocket: await factory() };
    return {
      halfClose: false,
      resets: true,
      pausesPeer: name === "npm ws",
      writeWaits: true,
      open: () => openWebSocket(urlOf(webSocket), target, options),
      openAborted: (signal) => openWebSocket(urlOf(mute), { ...target, signal }, options),
    };
  }, skip);
}
