/**
 * How many connections each client has. Pure.
 *
 * @module
 */

import { parseIp } from "./address.ts";

const IPV6_NETWORK_BYTES = 8; // a /64: whoever has one address of it has all of them

const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]; // ::ffff:0:0/96, how IPv6 sockets show IPv4 clients

/** Counts by address, as the proxy sees it; behind a load balancer all clients are one. */
export class ClientCounts {
  readonly #counts = new Map<string, number>();

  /** How many connections this client has. */
  of(address: string): number {
    return this.#counts.get(clientOf(address)) ?? 0;
  }

  /** One more, or one less. */
  add(address: string, change: 1 | -1): void {
    const client = clientOf(address);
    const count = this.of(address) + change;
    if (count > 0) this.#counts.set(client, count);
    else this.#counts.delete(client);
  }
}

/** What tells clients apart: an IPv4 address, mapped or not, or the network of an IPv6 one. */
function clientOf(address: string): string {
  const ip = parseIp(address.split("%")[0]);
  if (ip === undefined || ip.family === 4) return address;
  const mapped = MAPPED.every((byte, index) => byte === ip.bytes[index]);
  return mapped ? ip.bytes.slice(MAPPED.length).join(".") : ip.bytes.slice(0, IPV6_NETWORK_BYTES).join();
}
