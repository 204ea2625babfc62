/**
 * What the proxy counts.
 *
 * @module
 */

import type { RelayMeter } from "./relay.ts";

/** A snapshot of the proxy's counters. Bytes are those of messages, without framing. */
export interface ProxyMetrics {
  /** Connections open or being dialled now. */
  readonly connections: number;
  /** Connections relayed since the start. */
  readonly relayed: number;
  /** Upgrade requests that were answered with an HTTP error since the start. */
  readonly refused: number;
  /** Bytes relayed to targets since the start. */
  readonly bytesToTarget: number;
  /** Bytes relayed to clients since the start. */
  readonly bytesToClient: number;
  /** Bytes that the relays hold now, since one of their sides is slower than the other. */
  readonly bytesHeld: number;
  /** The most that {@linkcode ProxyMetrics.bytesHeld} ever was. */
  readonly bytesHeldPeak: number;
}

/** The counters of one proxy. */
export class Meter implements RelayMeter {
  connections = 0;
  relayed = 0;
  refused = 0;
  bytesToTarget = 0;
  bytesToClient = 0;
  #held = 0;
  #heldPeak = 0;

  /** Counts bytes that are held until they are released with a negative number. */
  hold(bytes: number): void {
    this.#held += bytes;
    this.#heldPeak = Math.max(this.#heldPeak, this.#held);
  }

  snapshot(): ProxyMetrics {
    const { connections, relayed, refused, bytesToTarget, bytesToClient } = this;
    return {
      connections,
      relayed,
      refused,
      bytesToTarget,
      bytesToClient,
      bytesHeld: this.#held,
      bytesHeldPeak: this.#heldPeak,
    };
  }
}
