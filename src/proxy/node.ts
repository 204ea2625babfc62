/**
 * The proxy's server, over `node:http` and npm `ws`, which work the same under Node and under Deno.
 *
 * @module
 */

import { lookup } from "node:dns/promises";
import { Buffer } from "node:buffer";
import { setMaxListeners } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex as NodeStream } from "node:stream";
import { type WebSocket, WebSocketServer } from "ws";
import type { Duplex } from "../duplex/duplex.ts";
import { openNode } from "../duplex/node.ts";
import { deferred } from "../duplex/waiting.ts";
import { TransportError } from "../errors.ts";
import { ClientCounts } from "./client_counts.ts";
import { dial, type Dialled, type Dialler } from "./dial.ts";
import { type Answer, answer, decide, type Decision, RELAY_PATH, type RequestHead, serializeAnswer } from "./http.ts";
import type { ProxyEvent } from "./events.ts";
import { Meter, type ProxyMetrics } from "./metrics.ts";
import { type ProxyOptions, type ResolvedProxyOptions, resolveProxyOptions } from "./options.ts";
import { type Opened, openTarget } from "./opening.ts";
import { relay } from "./relay.ts";
import { watchClient } from "./waiting_client.ts";
import { peerFromWebSocket } from "./websocket_peer.ts";

/** A running proxy. */
export interface Proxy {
  /** Where WebSockets connect, such as `ws://127.0.0.1:5488/v1`; clients add `?address=host:port`. */
  readonly url: string;
  /** The port that it listens on. */
  readonly port: number;
  /** Connections open or being dialled. */
  readonly connections: number;
  /** True where the rules let in every public host. */
  readonly wideOpen: boolean;
  /** What it has counted so far. */
  metrics(): ProxyMetrics;
  /**
   * Takes no more connections, gives those that are open some time to end (`drainMillis`, default 10 s), ends the rest
   * with code 1001 and resolves when all is released. Idempotent; a second call with a shorter time hurries the first.
   */
  close(options?: { readonly drainMillis?: number | undefined }): Promise<void>;
}

const DEFAULT_DRAIN_MILLIS = 10_000;
const HEAD_TIMEOUT_MILLIS = 10_000; // for a request's head to arrive
const HEAD_CHECK_MILLIS = 5_000; // how often that is looked at
const MAX_UNDECIDED = 256; // connections that have not asked yet, or are being refused, besides those that are relayed
const CLIENT_LEFT = 499; // as web servers log it; there is nobody left to answer
const KEEP_ALIVE_MILLIS = 30_000; // of silence on the TCP side before the kernel probes

/**
 * Starts the proxy and resolves once it listens.
 *
 * @throws {ConfigError} `PROXY_NOT_RESTRICTED` without an allow-list, and for options that cannot be
 * @throws {TransportError} `PROXY_LISTEN_FAILED`
 *
 * @example
 * ```ts
 * const proxy = await startProxy({ allow: ["db.example.com:5432"], listen: { host: "0.0.0.0", port: 8080 } });
 * console.log(proxy.url);
 * await proxy.close();
 * ```
 */
export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const resolved = resolveProxyOptions(options);
  const proxy = new NodeProxy(resolved);
  await proxy.listen();
  return proxy;
}

class NodeProxy implements Proxy {
  readonly #options: ResolvedProxyOptions;
  readonly #dialler: Dialler;
  readonly #meter = new Meter();
  readonly #clients = new ClientCounts();
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  readonly #stop = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  /** The subprotocols chosen for requests that are about to be upgraded. */
  readonly #protocols = new WeakMap<IncomingMessage, string>();
  #lastId = 0;
  #draining: { timer: ReturnType<typeof setTimeout>; done: Promise<void> } | undefined;

  constructor(options: ResolvedProxyOptions) {
    this.#options = options;
    setMaxListeners(0, this.#stop.signal); // each connection listens, and leaves with its end
    this.#dialler = {
      resolve: options.resolve ?? resolveBySystem,
      connect: (address) => openNode({ ...address, keepAlive: true, keepAliveInitialDelayMillis: KEEP_ALIVE_MILLIS }),
      timeoutMillis: options.dialTimeoutMillis,
    };
    // What comes through is encrypted already, or should be: compressing it costs memory and gains nothing.
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: options.maxMessageBytes,
      handleProtocols: (_offered, request) => this.#protocols.get(request) ?? false,
      ...{ closeTimeout: options.lingerMillis },
    });
    this.#server = createServer({
      noDelay: true,
      headersTimeout: HEAD_TIMEOUT_MILLIS,
      requestTimeout: HEAD_TIMEOUT_MILLIS,
      connectionsCheckingInterval: HEAD_CHECK_MILLIS,
    });
    // Beyond that nobody is answered: who says nothing would cost a socket each.
    this.#server.maxConnections = options.maxConnections + MAX_UNDECIDED;
    this.#server.on("request", (request, response) => this.#onRequest(request, response));
    this.#server.on("upgrade", (request, socket, head) => this.#own(this.#onUpgrade(request, socket, head)));
    this.#server.on("clientError", (_error, socket) => socket.destroy());
  }

  get port(): number {
    return (this.#server.address() as AddressInfo | null)?.port ?? this.#options.port;
  }

  get url(): string {
    const { host } = this.#options;
    return `ws://${host.includes(":") ? `[${host}]` : host}:${this.port}${RELAY_PATH}`;
  }

  get connections(): number {
    return this.#meter.connections;
  }

  get wideOpen(): boolean {
    return this.#options.policy.wideOpen;
  }

  metrics(): ProxyMetrics {
    return this.#meter.snapshot();
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (cause: Error) =>
        reject(
          new TransportError("PROXY_LISTEN_FAILED", `the proxy cannot listen on ${host}:${port}: ${cause.message}`, {
            cause,
            phase: "open",
          }),
        );
      this.#server.once("error", onError);
      this.#server.listen(port, host, () => {
        this.#server.off("error", onError);
        // Such as too many open files: the connection is lost, the proxy goes on.
        this.#server.on("error", () => {});
        resolve();
      });
    });
  }

  async close({ drainMillis = DEFAULT_DRAIN_MILLIS }: { drainMillis?: number | undefined } = {}): Promise<void> {
    clearTimeout(this.#draining?.timer);
    const timer = setTimeout(() => this.#stop.abort(), drainMillis);
    this.#draining = { timer, done: this.#draining?.done ?? this.#drain() };
    await this.#draining.done;
    clearTimeout(timer);
  }

  async #drain(): Promise<void> {
    const { promise: closed, resolve } = deferred<void>();
    this.#server.close(() => resolve());
    while (this.#tasks.size > 0) await Promise.all(this.#tasks);
    this.#server.closeAllConnections();
    await closed;
    clearTimeout(this.#draining?.timer);
  }

  /** Everything that goes on for a connection is waited for by `close`. */
  #own(task: Promise<void>): void {
    const owned = task.finally(() => this.#tasks.delete(owned));
    this.#tasks.add(owned);
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    request.resume();
    const decision = this.#decide(request);
    // An upgrade comes by the other event; what looks like one here is none that the server understands.
    const { status, body, headers } = decision.kind === "answer" ? decision.answer : answer(400, "not an upgrade");
    response.writeHead(status, { ...headers, "content-length": new TextEncoder().encode(body).length });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  async #onUpgrade(request: IncomingMessage, socket: NodeStream, head: Uint8Array): Promise<void> {
    const id = ++this.#lastId;
    const { remoteAddress = "unknown", remotePort = 0 } = request.socket;
    const client = remoteAddress.includes(":") ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
    const decision = this.#decide(request);
    if (decision.kind === "answer") return await this.#refuse({ id, client, socket }, decision.answer);
    this.#meter.connections++;
    this.#clients.add(remoteAddress, 1);
    const closed = await this.#connect({ id, client, socket }, request, head, decision);
    this.#meter.connections--;
    this.#clients.add(remoteAddress, -1);
    if (closed !== undefined) this.#options.onEvent(closed);
  }

  /**
   * Dials first and upgrades then, so that whoever asked can be told why it failed; resolves when the connection is
   * over, with what there is to tell of it.
   */
  async #connect(
    upgrade: Upgrade,
    request: IncomingMessage,
    head: Uint8Array,
    wish: Wish,
  ): Promise<ProxyEvent | undefined> {
    const { id, client, socket } = upgrade;
    const { target } = wish;
    const begun = performance.now();
    const waiting = watchClient(socket, head, this.#stop.signal);
    const dialled = await this.#reach(wish, waiting.over);
    const ahead = waiting.take();
    if (waiting.over.aborted) {
      if (dialled.ok) dialled.duplex.close();
      this.#own(
        this.#refuse(
          upgrade,
          answer(CLIENT_LEFT, `not connected to ${target.text}: the client left, or the proxy stops`),
        ),
      );
      return undefined;
    }
    if (!dialled.ok) {
      this.#own(this.#refuse(upgrade, answer(dialled.status, dialled.reason)));
      return undefined;
    }
    const { duplex, address, opened: { protocol, early } = {} } = dialled;
    if (protocol !== undefined) this.#protocols.set(request, protocol);
    const webSocket = await this.#upgrade(upgrade, request, ahead, duplex);
    if (webSocket === undefined) return undefined;
    const opened = performance.now();
    this.#meter.relayed++;
    this.#options.onEvent({ kind: "opened", id, client, target: target.text, address, dialMillis: opened - begun });
    const report = await relay(peerFromWebSocket(webSocket, this.#meter, this.#options.pingIntervalMillis), duplex, {
      idleTimeoutMillis: this.#options.idleTimeoutMillis,
      lingerMillis: this.#options.lingerMillis,
      signal: this.#stop.signal,
      meter: this.#meter,
      early,
    });
    return { kind: "closed", id, client, target: target.text, ...report, millis: performance.now() - opened };
  }

  /** Dials the target and does with it what the client wishes. */
  async #reach({ target, reach, opening }: Wish, over: AbortSignal): Promise<Reached> {
    const dialled = await dial(target, reach, this.#dialler, over);
    if (!dialled.ok || opening === undefined) return dialled;
    const opened = await openTarget(dialled.duplex, opening, this.#options.dialTimeoutMillis, over);
    if (opened.ok) return { ...dialled, opened };
    dialled.duplex.close(opened.reason);
    return opened;
  }

  /** Undefined where the client left meanwhile; the target is then released. */
  #upgrade(
    { socket }: Upgrade,
    request: IncomingMessage,
    head: Uint8Array,
    duplex: Duplex,
  ): Promise<WebSocket | undefined> {
    const { promise, resolve } = deferred<WebSocket | undefined>();
    const onClose = () => {
      duplex.close("the client left before the upgrade");
      resolve(undefined);
    };
    if (socket.destroyed) {
      onClose();
      return promise;
    }
    socket.once("close", onClose);
    this.#webSockets.handleUpgrade(request, socket, Buffer.from(head.buffer as ArrayBuffer), (webSocket) => {
      socket.off("close", onClose);
      resolve(webSocket);
    });
    return promise;
  }

  /** Answers with an HTTP error; resolves when the connection is over. */
  async #refuse({ id, client, socket }: Upgrade, refusal: Answer): Promise<void> {
    this.#meter.refused++;
    this.#options.onEvent({ kind: "refused", id, client, status: refusal.status, reason: refusal.body.trim() });
    const { promise: over, resolve } = deferred<void>();
    const destroy = () => socket.destroy();
    socket.once("close", () => resolve());
    if (socket.destroyed) resolve();
    socket.on("error", destroy); // whoever asked may be gone
    // What the client sent ahead is read and dropped: closing over unread bytes would reset the connection, and the
    // client might never see the answer.
    socket.once("end", destroy);
    socket.resume();
    socket.end(serializeAnswer(refusal));
    const timer = setTimeout(destroy, this.#options.lingerMillis);
    this.#stop.signal.addEventListener("abort", destroy, { once: true });
    await over;
    clearTimeout(timer);
    this.#stop.signal.removeEventListener("abort", destroy);
  }

  #decide(request: IncomingMessage): ReturnType<typeof decide> {
    const head: RequestHead = {
      method: request.method ?? "",
      url: request.url ?? "",
      header(name) {
        const value = request.headers[name];
        return typeof value === "string" ? value : undefined;
      },
    };
    const { policy, origins, maxConnections, maxConnectionsPerClient } = this.#options;
    return decide(head, {
      policy,
      origins,
      full: this.#meter.connections >= maxConnections,
      crowded: this.#clients.of(request.socket.remoteAddress ?? "unknown") >= maxConnectionsPerClient,
      draining: this.#draining !== undefined,
    });
  }
}

/** A connection on which an upgrade was asked for. */
interface Upgrade {
  readonly id: number;
  readonly client: string;
  readonly socket: NodeStream;
}

/** What a client asks for, and is allowed. */
type Wish = Extract<Decision, { kind: "relay" }>;

/** A target that is ready for its client; `opened` where the client had a wish. */
type Reached =
  | Extract<Dialled, { ok: true }> & { readonly opened?: Extract<Opened, { ok: true }> }
  | Extract<Dialled | Opened, { ok: false }>;

async function resolveBySystem(host: string): Promise<readonly string[]> {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
}
