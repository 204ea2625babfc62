/**
 * The WebSocket-to-TCP proxy: relays bytes that it need not understand, to targets that it was told to allow.
 *
 * @module
 */

export { type Proxy, startProxy } from "./node.ts";
export type { OriginOptions } from "./origin.ts";
export type { ProxyOptions } from "./options.ts";
export type { PolicyOptions } from "./policy.ts";
export { describeEvent, type ProxyEvent } from "./events.ts";
export type { ProxyMetrics } from "./metrics.ts";
export type { RelayCause } from "./relay.ts";
