/**
 * The sockets that runtimes have, and which of them this one has. Loaded where nothing else leads to the database.
 *
 * @module
 */

import { builtinModule } from "../builtin_module.ts";
import { TransportError } from "../errors.ts";
import { loadPart } from "../part.ts";
import type { Duplex } from "./duplex.ts";
import { type Target, unixSocketPath } from "./target.ts";

/**
 * Opens a socket of the runtime's own.
 *
 * @throws {TransportError} `TRANSPORT_UNAVAILABLE` where it has none that is known here; as `openDuplex`
 */
export async function openSocket(target: Target): Promise<Duplex> {
  // The names are what each runtime alone has; Deno and workerd also have Node's modules.
  const runtime = globalThis as {
    Deno?: { connect?: unknown };
    navigator?: { userAgent?: string };
    TCPSocket?: unknown;
  };
  if (typeof runtime.Deno?.connect === "function") {
    const { openDeno } = await loadPart(async () => await import("./deno.ts"));
    return await openDeno(target);
  }
  if (runtime.navigator?.userAgent === "Cloudflare-Workers") {
    assertTcp(target, "cloudflare");
    const { openCloudflare } = await loadPart(async () => await import("./cloudflare.ts"));
    return await openCloudflare(target);
  }
  if (builtinModule("node:net") !== undefined) {
    const { openNode } = await loadPart(async () => await import("./node.ts"));
    return await openNode(target);
  }
  if (typeof runtime.TCPSocket === "function") {
    assertTcp(target, "direct-sockets");
    const { openDirectSocket } = await loadPart(async () => await import("./direct_sockets.ts"));
    return await openDirectSocket(target);
  }
  throw new TransportError(
    "TRANSPORT_UNAVAILABLE",
    "this runtime has no sockets that are known here (Node must be 20.16 or later): set wsProxy to reach the database " +
      "through a WebSocket proxy, or openDuplex to open the connection yourself",
    { host: target.host, port: target.port, phase: "open" },
  );
}

function assertTcp(target: Target, transport: string): void {
  if (unixSocketPath(target) === undefined) return;
  const { host, port } = target;
  throw new TransportError("TRANSPORT_UNAVAILABLE", "there are no Unix-domain sockets here: set host to a name", {
    host,
    port,
    transport,
    phase: "open",
  });
}
