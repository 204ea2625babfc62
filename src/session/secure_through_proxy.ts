/**
 * TLS through a WebSocket proxy: a proxy that knows `pgduplex.v1` makes the SSLRequest exchange next to the database and
 * takes the ClientHello along with the upgrade, so that upgrade and handshake are one turn; any other proxy is none the
 * worse for it.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import { openWithFirstWrite } from "../duplex/deferred_open.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { urlThroughProxy } from "../duplex/open.ts";
import type { OpenedThroughProxy } from "../duplex/proxy_opening.ts";
import { describeUrl } from "../duplex/proxy_url.ts";
import { remoteName } from "../duplex/target.ts";
import { chooseEngine } from "../tls/choose.ts";
import type { TlsDuplex, TlsOptions } from "../tls/engine.ts";
import type { TlsPolicy } from "../tls/sslmode.ts";
import type { ConnectState } from "./connect_state.ts";
import { readSslAnswer, requestSsl, sslRefused } from "./ssl_request.ts";

/** What is to be secured, and through which proxy. */
export interface ThroughProxy {
  readonly options: ConnectionOptions;
  readonly wsProxy: NonNullable<ConnectionOptions["wsProxy"]>;
  readonly policy: TlsPolicy;
  readonly tls: TlsOptions;
  readonly state: ConnectState;
}

/**
 * Opens and secures a connection; plain where the server refuses TLS and the policy is content with that. On failure
 * nothing stays open.
 *
 * @throws {TlsError} `TLS_REFUSED_BY_SERVER`, and what the engine throws
 * @throws {TransportError} what the opening throws
 */
export async function secureThroughProxy(
  input: ThroughProxy,
): Promise<{ duplex: TlsDuplex; engine: string; tls: true } | { duplex: Duplex; tls: false }> {
  const { options, wsProxy, policy, tls, state } = input;
  state.phase = "open";
  state.transport = "websocket";
  const { host, port, tlsEngine, crypto } = options;
  const url = urlThroughProxy({ host, port }, wsProxy);
  const info = { transport: "websocket", remote: `${remoteName({ host, port })} through ${describeUrl(url)}` };

  // What an engine makes of a failed opening is not what went wrong.
  let failure: { readonly error: unknown } | undefined;
  let plain: Duplex | undefined;
  const transport = openWithFirstWrite(info, async (first, closed) => {
    try {
      const opened = await open(url, input, first);
      if (await isReadyForTls(opened, first, options, closed)) return opened.duplex;
      if (policy.refusedByServer === "plain") plain = opened.duplex;
      else opened.duplex.close("the server refuses TLS");
      throw sslRefused();
    } catch (error) {
      failure = { error };
      throw error;
    }
  });

  const closeOnAbort = () => transport.close(state.signal.reason);
  state.signal.addEventListener("abort", closeOnAbort, { once: true });
  try {
    const wish = { tlsEngine, crypto, systemRoots: options.tls.systemRoots };
    const engine = await chooseEngine(transport, tls, wish);
    return { duplex: await engine.connect(transport, tls), engine: engine.name, tls: true };
  } catch (error) {
    transport.close(error);
    if (plain !== undefined) return { duplex: plain, tls: false };
    throw failure === undefined ? error : failure.error;
  } finally {
    state.signal.removeEventListener("abort", closeOnAbort);
  }
}

async function open(url: string, { options, state }: ThroughProxy, first: Uint8Array): Promise<OpenedThroughProxy> {
  const { host, port, webSocket } = options;
  const { openThroughProxy } = await import("../duplex/proxy_opening.ts");
  const sslRequest = options.tls.negotiation === "postgres";
  const opened = await openThroughProxy(url, { host, port, webSocket, signal: state.signal }, { sslRequest, first });
  state.timings.opened = state.elapsed();
  state.phase = "tls";
  return opened;
}

/** Does what the proxy has left to do; false where the server refuses TLS. */
async function isReadyForTls(
  { duplex, progress }: OpenedThroughProxy,
  first: Uint8Array,
  { tls }: ConnectionOptions,
  closed: AbortSignal,
): Promise<boolean> {
  if (progress === "done") return true;
  const close = () => duplex.close(closed.reason);
  closed.addEventListener("abort", close, { once: true });
  if (closed.aborted) close();
  try {
    const accepted = progress === "ssl-requested"
      ? await readSslAnswer(duplex)
      : tls.negotiation === "direct" || await requestSsl(duplex);
    if (accepted) await duplex.write(first);
    return accepted;
  } catch (error) {
    duplex.close(error);
    throw error;
  } finally {
    closed.removeEventListener("abort", close);
  }
}
