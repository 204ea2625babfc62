/**
 * Opens the byte stream to a server: the transport, and TLS over it where the policy asks for it.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { openDuplex } from "../duplex/open.ts";
import { TlsError } from "../errors.ts";
import { chooseEngine } from "../tls/choose.ts";
import type { TlsDuplex, TlsInfo, TlsOptions } from "../tls/engine.ts";
import type { TlsPolicy } from "../tls/sslmode.ts";
import type { ConnectState } from "./connect_state.ts";
import { secureThroughProxy } from "./secure_through_proxy.ts";
import { requestSsl, sslRefused } from "./ssl_request.ts";

/** PostgreSQL's name in ALPN, which direct negotiation requires. */
const ALPN_POSTGRESQL = "postgresql";

/** Whether one attempt to connect is with TLS. */
export type Encryption = TlsPolicy["attempts"][number];

/** A connection on which the startup may begin. */
export interface Dialled {
  readonly duplex: Duplex;
  /** Undefined where the connection is not encrypted by us. */
  readonly tls: TlsInfo | undefined;
}

/** Opens the transport and, where this attempt is one with TLS, secures it. Nothing stays open behind an error. */
export async function dial(
  options: ConnectionOptions,
  policy: TlsPolicy,
  kind: Encryption,
  state: ConnectState,
): Promise<Dialled> {
  let transport: Duplex | undefined;
  const closeOnAbort = () => transport?.close(state.signal.reason);
  state.signal.addEventListener("abort", closeOnAbort, { once: true });
  try {
    state.signal.throwIfAborted();
    const { wsProxy } = options;
    if (kind === "tls" && wsProxy !== undefined && options.openDuplex === undefined) {
      const tls = tlsOptions(options, policy, state.signal);
      const secured = await secureThroughProxy({ options, wsProxy, policy, tls, state });
      transport = secured.duplex;
      return secured.tls ? checked(secured, options, state) : { duplex: secured.duplex, tls: undefined };
    }
    transport = await openTransport(options, state);
    if (state.signal.aborted) closeOnAbort();
    if (kind === "plain") return { duplex: transport, tls: undefined };
    return await secure(transport, options, policy, state);
  } catch (cause) {
    transport?.close(cause);
    throw state.located(cause);
  } finally {
    state.signal.removeEventListener("abort", closeOnAbort);
  }
}

/** Opens the transport, and leaves it plain. */
async function openTransport(options: ConnectionOptions, state: ConnectState): Promise<Duplex> {
  const { host, port, wsProxy, webSocket, openDuplex: open, keepAlive, keepAliveInitialDelayMillis } = options;
  state.phase = "open";
  const duplex = await openDuplex({
    host,
    port,
    wsProxy,
    webSocket,
    openDuplex: open,
    keepAlive,
    keepAliveInitialDelayMillis,
    signal: state.signal,
  });
  state.transport = duplex.info.transport;
  state.timings.opened = state.elapsed();
  return duplex;
}

/**
 * Turns TLS on over a fresh transport.
 *
 * @throws {TlsError} `TLS_REFUSED_BY_SERVER`, `TLS_ALPN`, `TLS_UNAVAILABLE`, `TLS_CERTIFICATE`, ...
 */
async function secure(
  transport: Duplex,
  options: ConnectionOptions,
  policy: TlsPolicy,
  state: ConnectState,
): Promise<Dialled> {
  state.phase = "tls";
  if (options.tls.negotiation === "postgres" && !await requestSsl(transport)) {
    if (policy.refusedByServer === "plain") return { duplex: transport, tls: undefined };
    throw sslRefused();
  }
  const { tlsEngine, crypto } = options;
  const wish = tlsOptions(options, policy, state.signal);
  const engine = await chooseEngine(transport, wish, { tlsEngine, crypto, systemRoots: options.tls.systemRoots });
  return checked({ duplex: await engine.connect(transport, wish), engine: engine.name }, options, state);
}

/** A connection in TLS, and the name of the engine that was chosen for it. */
interface Secured {
  readonly duplex: TlsDuplex;
  readonly engine: string;
}

/** A secured connection, where it is one that may be used. */
function checked({ duplex, engine }: Secured, { tls }: ConnectionOptions, state: ConnectState): Dialled {
  if (tls.negotiation === "direct" && duplex.tls.alpn !== ALPN_POSTGRESQL) {
    duplex.close("no ALPN");
    throw new TlsError(
      "TLS_ALPN",
      `direct TLS needs a server that agrees on ALPN "${ALPN_POSTGRESQL}" (PostgreSQL 17+): set sslnegotiation=postgres`,
    );
  }
  state.timings.secured = state.elapsed();
  // An engine that hands over to another one leaves it to that to say its name.
  return { duplex, tls: { ...duplex.tls, engine: duplex.tls.engine ?? engine } };
}

function tlsOptions(options: ConnectionOptions, policy: TlsPolicy, signal: AbortSignal): TlsOptions {
  const { host, tls } = options;
  return {
    serverName: tls.serverName ?? host,
    verify: policy.verify,
    roots: tls.rootCerts,
    alpn: tls.negotiation === "direct" ? [ALPN_POSTGRESQL] : undefined,
    clientCertificate: tls.clientCertificate,
    needsPeerCertificate: options.channelBinding === "require",
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    nodeOptions: tls.nodeOptions,
    signal,
  };
}
