/**
 * What a proxy tells of its connections, and how a line of log says it. Pure.
 *
 * @module
 */

import type { RelayCause } from "./relay.ts";

/** Something that happened to one connection. `client` is the peer's address as the proxy sees it. */
export type ProxyEvent =
  | {
    readonly kind: "refused";
    readonly id: number;
    readonly client: string;
    readonly status: number;
    readonly reason: string;
  }
  | {
    readonly kind: "opened";
    readonly id: number;
    readonly client: string;
    /** The `host:port` that was asked for... */
    readonly target: string;
    /** ...and the IP address that it led to. */
    readonly address: string;
    /** Milliseconds that resolving and connecting took. */
    readonly dialMillis: number;
  }
  | {
    readonly kind: "closed";
    readonly id: number;
    readonly client: string;
    readonly target: string;
    readonly cause: RelayCause;
    readonly reason: string;
    readonly bytesToTarget: number;
    readonly bytesToClient: number;
    /** Milliseconds that the connection was open. */
    readonly millis: number;
  };

/** One line for a log. Of what a client sent, it contains only what was read as a host and port. */
export function describeEvent(event: ProxyEvent): string {
  const start = `#${event.id} ${event.client}`;
  switch (event.kind) {
    case "refused":
      return `${start} refused with ${event.status}: ${event.reason}`;
    case "opened":
      return `${start} connected to ${event.target} (${event.address}) in ${Math.round(event.dialMillis)} ms`;
    case "closed":
      return `${start} closed after ${(event.millis / 1000).toFixed(1)} s: ${event.reason} ` +
        `(${event.bytesToTarget} bytes to ${event.target}, ${event.bytesToClient} back)`;
  }
}
