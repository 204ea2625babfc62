/**
 * Opening a connection through a WebSocket proxy with the first bytes in the upgrade request, where the proxy knows how.
 *
 * @module
 */

import { setRecent } from "../recent.ts";
import type { Duplex } from "./duplex.ts";
import { offerOf, type Opening, PROXY_PROTOCOL, SSL_REQUEST } from "./proxy_protocol.ts";
import { describeUrl } from "./proxy_url.ts";
import type { Target } from "./target.ts";
import { openWebSocket } from "./websocket.ts";

/** A connection through a proxy, and how far the opening got with it. */
export interface OpenedThroughProxy {
  readonly duplex: Duplex;
  /**
   * `done`: as wished. `ssl-requested`: SSLRequest was sent, its answer is to be read; the first bytes were not sent.
   * `connected`: nothing was sent.
   */
  readonly progress: "done" | "ssl-requested" | "connected";
}

/** More proxies than one program talks to. */
const MAX_REMEMBERED = 64;
/** A proxy may be replaced by another, and an opening may fail for a reason that does not last. */
const REMEMBERED_MILLIS = 10 * 60_000;

interface Remembered {
  readonly knows: boolean;
  /** By `performance.now()`. */
  readonly at: number;
}

/** A cache, and the only state of this module: by the proxy's URL without query, whether it knows the subprotocol. */
const remembered = new Map<string, Remembered>();

/**
 * Opens a WebSocket to a proxy with a wish for more than relaying.
 *
 * Browsers and most WebSockets fail where a subprotocol is offered and none is chosen, without saying why. So an opening
 * that fails is repeated once without the offer, unless what failed is known to be something else; a proxy for which
 * that helps is remembered for ten minutes.
 *
 * @throws {TransportError} as `openWebSocket`
 */
export async function openThroughProxy(url: string, target: Target, opening: Opening): Promise<OpenedThroughProxy> {
  const proxy = describeUrl(url);
  const knows = recall(proxy);
  const protocols = knows === false ? undefined : offerOf(opening);
  if (protocols === undefined) return { duplex: await openWebSocket(url, target), progress: "connected" };
  try {
    const duplex = await openWebSocket(url, target, { protocols });
    const progress = progressOf(duplex.protocol);
    remember(proxy, progress !== "connected");
    return { duplex, progress };
  } catch (error) {
    if (knows || target.signal?.aborted || !mayBeTheOffer(error)) throw error;
  }
  const duplex = await openWebSocket(url, target);
  remember(proxy, false);
  return { duplex, progress: "connected" };
}

function progressOf(chosen: string): OpenedThroughProxy["progress"] {
  if (chosen === PROXY_PROTOCOL) return "done";
  return chosen === SSL_REQUEST ? "ssl-requested" : "connected";
}

/** HTTP statuses with which a server may answer an offer that it does not like, or does not understand. */
const ABOUT_THE_REQUEST = ["400", "426", "431"];

/** A status shows where the WebSocket tells it (npm `ws`, Deno). */
function mayBeTheOffer(error: unknown): boolean {
  const status = error instanceof Error && /(?:HTTP|status code:?) (\d{3})\b/.exec(error.message)?.[1];
  return !status || ABOUT_THE_REQUEST.includes(status);
}

function recall(proxy: string): boolean | undefined {
  const found = remembered.get(proxy);
  return found !== undefined && performance.now() - found.at < REMEMBERED_MILLIS ? found.knows : undefined;
}

function remember(proxy: string, knows: boolean): void {
  setRecent(remembered, proxy, { knows, at: performance.now() }, MAX_REMEMBERED);
}
