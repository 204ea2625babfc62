/**
 * What to answer to an HTTP request: a plain answer, or an upgrade towards a target that may be dialled. Pure.
 *
 * @module
 */

import { type Opening, readOffer } from "../duplex/proxy_protocol.ts";
import { parseTarget, type Target } from "./address.ts";
import type { OriginPolicy } from "./origin.ts";
import type { Policy, Reach } from "./policy.ts";

/** The head of a request, as any server can give it. */
export interface RequestHead {
  readonly method: string;
  /** Path and query, as in the request line. */
  readonly url: string;
  /** A header's value by its lower-case name. */
  header(name: string): string | undefined;
}

/** An answer of one line of plain text. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is to be done about a request. */
export type Decision =
  | { readonly kind: "answer"; readonly answer: Answer }
  | {
    readonly kind: "relay";
    readonly target: Target;
    readonly reach: Reach;
    /** What to do with the target before the upgrade is answered, where the client speaks `pgduplex.v1`. */
    readonly opening: Opening | undefined;
  };

/** What the decision depends on besides the request. */
export interface ProxyState {
  readonly policy: Policy;
  readonly origins: OriginPolicy;
  /** True once as many connections are open as may be. */
  readonly full: boolean;
  /** True once the client has as many as one client may. */
  readonly crowded: boolean;
  /** True while the proxy shuts down. */
  readonly draining: boolean;
}

/** The path that relays; the existing relays' own. */
export const RELAY_PATH = "/v1";
/** The path that says the proxy is up. */
export const HEALTH_PATH = "/healthz";

const REASON_PHRASES: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  426: "Upgrade Required",
  429: "Too Many Requests",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

/** Decides on a request; nothing was resolved or dialled yet, so that a refusal costs nothing. */
export function decide(request: RequestHead, { policy, origins, full, crowded, draining }: ProxyState): Decision {
  const question = request.url.indexOf("?");
  const path = question === -1 ? request.url : request.url.slice(0, question);
  if (path === HEALTH_PATH) return health(request, draining);
  if (path !== RELAY_PATH) {
    return refuse(404, `nothing is here: WebSockets connect to ${RELAY_PATH}?address=host:port`);
  }
  if (request.method !== "GET") return refuse(405, `${RELAY_PATH} takes GET only`, { allow: "GET" });
  const notWebSocket = refuseHandshake(request);
  if (notWebSocket !== undefined) return notWebSocket;
  const stranger = origins.refuse(request.header("origin"));
  if (stranger !== undefined) return refuse(403, stranger);

  const addresses = new URLSearchParams(question === -1 ? "" : request.url.slice(question)).getAll("address");
  if (addresses.length !== 1) return refuse(400, `expected one address: ${RELAY_PATH}?address=host:port`);
  const target = parseTarget(addresses[0]);
  if (!target.ok) return refuse(400, `the address is malformed: ${target.reason}`);
  const offer = readOffer(request.header("sec-websocket-protocol"));
  if (!offer.ok) return refuse(400, `the subprotocols are malformed: ${offer.reason}`);
  const verdict = policy.judge(target.value);
  if (!verdict.allowed) return refuse(403, verdict.reason);
  if (draining) return refuse(503, "the proxy is shutting down", { "retry-after": "5" });
  if (crowded) return refuse(429, "there are too many connections from this address", { "retry-after": "5" });
  if (full) return refuse(503, "the proxy has no connection to spare", { "retry-after": "5" });
  return { kind: "relay", target: target.value, reach: verdict.reach, opening: offer.opening };
}

/** A one-line plain-text answer that closes its connection. */
export function answer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return {
    status,
    body: `${text}\n`,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      connection: "close",
      ...headers,
    },
  };
}

/** An answer as it goes over the wire, for a connection whose server has left HTTP to us. */
export function serializeAnswer({ status, body, headers }: Answer): string {
  const length = new TextEncoder().encode(body).length;
  const lines = Object.entries({ ...headers, "content-length": String(length) })
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${REASON_PHRASES[status] ?? ""}\r\n${lines.join("")}\r\n${body}`;
}

function health(request: RequestHead, draining: boolean): Decision {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return refuse(405, `${HEALTH_PATH} takes GET and HEAD only`, { allow: "GET, HEAD" });
  }
  return { kind: "answer", answer: draining ? answer(503, "shutting down") : answer(200, "ok") };
}

/** Everything that RFC 6455 §4.2.1 asks of the client's handshake, checked before anything is dialled for it. */
function refuseHandshake(request: RequestHead): Decision | undefined {
  const upgrade = request.header("upgrade")?.toLowerCase();
  if (upgrade !== "websocket" || !/\bupgrade\b/i.test(request.header("connection") ?? "")) {
    return refuse(426, "this is for WebSockets only: connect with Upgrade: websocket", {
      upgrade: "websocket",
      connection: "upgrade, close",
    });
  }
  if (request.header("sec-websocket-version") !== "13") {
    return refuse(426, "only version 13 of WebSocket is spoken here", { "sec-websocket-version": "13" });
  }
  if (!/^[+/0-9A-Za-z]{22}==$/.test(request.header("sec-websocket-key") ?? "")) {
    return refuse(400, "the Sec-WebSocket-Key is missing or is not 16 bytes in base64");
  }
  return undefined;
}

function refuse(status: number, text: string, headers?: Readonly<Record<string, string>>): Decision {
  return { kind: "answer", answer: answer(status, text, headers) };
}
