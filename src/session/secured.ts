/**
 * TLS over a transport that is ready for it.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { TlsError } from "../errors.ts";
import { chooseEngine } from "../tls/choose.ts";
import type { TlsInfo } from "../tls/engine.ts";
import type { TlsPolicy } from "../tls/sslmode.ts";
import type { ConnectState } from "./connect_state.ts";

/** PostgreSQL's name in ALPN, which direct negotiation requires. */
const ALPN_POSTGRESQL = "postgresql";

/** A connection on which the startup may begin. */
export interface Dialled {
  readonly duplex: Duplex;
  /** Undefined where the connection is not encrypted by us. */
  readonly tls: TlsInfo | undefined;
}

/**
 * Turns TLS on, by the engine that suits.
 *
 * @throws {TlsError} `TLS_ALPN`, `TLS_UNAVAILABLE`, `TLS_CERTIFICATE`, ...
 */
export async function secure(
  transport: Duplex,
  options: ConnectionOptions,
  { verify }: TlsPolicy,
  state: ConnectState,
): Promise<Dialled> {
  const { host, tls, tlsEngine, crypto, channelBinding } = options;
  const direct = tls.negotiation === "direct";
  const wanted = {
    serverName: tls.serverName ?? host,
    verify,
    roots: tls.rootCerts,
    alpn: direct ? [ALPN_POSTGRESQL] : undefined,
    clientCertificate: tls.clientCertificate,
    needsPeerCertificate: channelBinding === "require",
    minVersion: tls.minVersion,
    maxVersion: tls.maxVersion,
    nodeOptions: tls.nodeOptions,
    signal: state.signal,
  };
  const engine = await chooseEngine(transport, wanted, { tlsEngine, crypto, systemRoots: tls.systemRoots });
  const duplex = await engine.connect(transport, wanted);
  if (direct && duplex.tls.alpn !== ALPN_POSTGRESQL) {
    duplex.close("no ALPN");
    throw new TlsError(
      "TLS_ALPN",
      `direct TLS needs a server that agrees on ALPN "${ALPN_POSTGRESQL}" (PostgreSQL 17+): set sslnegotiation=postgres`,
    );
  }
  state.timings.secured = state.elapsed();
  // An engine that hands over to another one leaves it to that to say its name.
  return { duplex, tls: { ...duplex.tls, engine: duplex.tls.engine ?? engine.name } };
}
