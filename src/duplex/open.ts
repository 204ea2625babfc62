/**
 * Chooses how a database is reached, and opens it.
 *
 * @module
 */

import { builtinModule } from "../builtin_module.ts";
import { ConfigError, DriverError, TransportError } from "../errors.ts";
import type { Duplex } from "./duplex.ts";
import { openFailed } from "./failures.ts";
import { proxyUrl } from "./proxy_url.ts";
import type { StreamPair } from "./streams.ts";
import type { Target } from "./target.ts";
import { remoteName, unixSocketPath } from "./target.ts";
import { unlessAborted } from "./waiting.ts";

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
  if (target.openDuplex !== undefined) return await openByUser(target, target.openDuplex);
  if (target.wsProxy !== undefined) return await openByProxy(target, target.wsProxy);
  // The names are what each runtime alone has; Deno and workerd also have Node's modules.
  const runtime = globalThis as {
    Deno?: { connect?: unknown };
    navigator?: { userAgent?: string };
    TCPSocket?: unknown;
  };
  if (typeof runtime.Deno?.connect === "function") return (await import("./deno.ts")).openDeno(target);
  if (runtime.navigator?.userAgent === "Cloudflare-Workers") {
    assertTcp(target, "cloudflare");
    return (await import("./cloudflare.ts")).openCloudflare(target);
  }
  if (builtinModule("node:net") !== undefined) return (await import("./node.ts")).openNode(target);
  if (typeof runtime.TCPSocket === "function") {
    assertTcp(target, "direct-sockets");
    return (await import("./direct_sockets.ts")).openDirectSocket(target);
  }
  throw new TransportError(
    "TRANSPORT_UNAVAILABLE",
    "this runtime has no sockets that are known here (Node must be 20.16 or later): set wsProxy to reach the database " +
      "through a WebSocket proxy, or openDuplex to open the connection yourself",
    { host: target.host, port: target.port, phase: "open" },
  );
}

async function openByUser(target: OpenTarget, open: NonNullable<OpenTarget["openDuplex"]>): Promise<Duplex> {
  const { host, port } = target;
  const signal = target.signal ?? new AbortController().signal;
  let opened: unknown;
  try {
    signal.throwIfAborted();
    opened = await unlessAborted(Promise.resolve(open({ host, port, signal })), signal, (late) => discard(late));
  } catch (cause) {
    throw openFailed("openDuplex", target, cause);
  }
  if (isDuplex(opened)) return opened;
  if (isStreamPair(opened)) {
    const { fromStreams } = await import("./streams.ts");
    return fromStreams(opened, { transport: "streams", remote: remoteName(target) });
  }
  throw new ConfigError(
    "CONFIG_OPEN_DUPLEX",
    "openDuplex must give a Duplex, a pair {readable, writable} of web streams, or a promise of one of them",
    { host, port, phase: "open" },
  );
}

async function openByProxy(target: OpenTarget, wsProxy: NonNullable<OpenTarget["wsProxy"]>): Promise<Duplex> {
  const url = urlThroughProxy(target, wsProxy);
  const { openWebSocket } = await import("./websocket.ts");
  return await openWebSocket(url, target);
}

/**
 * The URL by which a target is reached through a proxy.
 *
 * @throws {ConfigError} `CONFIG_WS_PROXY`
 */
export function urlThroughProxy(target: Target, wsProxy: NonNullable<OpenTarget["wsProxy"]>): string {
  const { host, port } = target;
  if (unixSocketPath(target) !== undefined) {
    throw new ConfigError("CONFIG_WS_PROXY", "a Unix-domain socket cannot be reached through wsProxy: leave one out", {
      host,
      port,
      phase: "config",
    });
  }
  try {
    return proxyUrl(wsProxy, host, port);
  } catch (cause) {
    if (cause instanceof DriverError) throw cause;
    throw new ConfigError("CONFIG_WS_PROXY", "the wsProxy function threw", { host, port, phase: "config", cause });
  }
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

function discard(late: unknown): void {
  if (isDuplex(late)) return late.close("opened too late");
  if (!isStreamPair(late)) return;
  late.readable.cancel().catch(() => {});
  late.writable.abort().catch(() => {});
}

function isDuplex(value: unknown): value is Duplex {
  if (typeof value !== "object" || value === null) return false;
  const { read, write, closeWrite, close } = value as Record<string, unknown>;
  return [read, write, closeWrite, close].every((method) => typeof method === "function");
}

function isStreamPair(value: unknown): value is StreamPair {
  if (typeof value !== "object" || value === null) return false;
  const { readable, writable } = value as { readable?: { getReader?: unknown }; writable?: { getWriter?: unknown } };
  return typeof readable?.getReader === "function" && typeof writable?.getWriter === "function";
}
