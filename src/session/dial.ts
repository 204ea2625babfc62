/**
 * Opens the byte stream to a server: the transport, and TLS over it where the policy asks for it.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { openDuplex } from "../duplex/open.ts";
import { ProtocolError, TlsError, TransportError } from "../errors.ts";
import { Backend } from "../protocol/codes.ts";
import { sslRequest } from "../protocol/frontend.ts";
import { MessageWriter } from "../protocol/message_writer.ts";
import { chooseEngine } from "../tls/choose.ts";
import type { TlsInfo, TlsOptions } from "../tls/engine.ts";
import type { TlsPolicy } from "../tls/sslmode.ts";
import type { ConnectState } from "./connect_state.ts";

/** PostgreSQL's name in ALPN, which direct negotiation requires. */
const ALPN_POSTGRESQL = "postgresql";

const TLS_ACCEPTED = 0x53; // 'S'
const TLS_REFUSED = 0x4e; // 'N'

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
  const { host, port, wsProxy, openDuplex: open, keepAlive, keepAliveInitialDelayMillis } = options;
  state.phase = "open";
  const duplex = await openDuplex({
    host,
    port,
    wsProxy,
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
  const direct = options.tls.negotiation === "direct";
  if (!direct && !await serverAcceptsTls(transport)) {
    if (policy.refusedByServer === "plain") return { duplex: transport, tls: undefined };
    throw new TlsError(
      "TLS_REFUSED_BY_SERVER",
      "the server does not support TLS: turn it on there (ssl = on), or set sslmode=disable if the network is yours",
    );
  }
  const engine = await chooseEngine(transport);
  const duplex = await engine.connect(transport, tlsOptions(options, policy, direct, state.signal));
  if (direct && duplex.tls.alpn !== ALPN_POSTGRESQL) {
    duplex.close("no ALPN");
    throw new TlsError(
      "TLS_ALPN",
      `direct TLS needs a server that agrees on ALPN "${ALPN_POSTGRESQL}" (PostgreSQL 17+): set sslnegotiation=postgres`,
    );
  }
  state.timings.secured = state.elapsed();
  return { duplex, tls: duplex.tls };
}

function tlsOptions(
  { host, tls }: ConnectionOptions,
  policy: TlsPolicy,
  direct: boolean,
  signal: AbortSignal,
): TlsOptions {
  return {
    serverName: tls.serverName ?? host,
    verify: policy.verify,
    roots: tls.rootCerts,
    alpn: direct ? [ALPN_POSTGRESQL] : undefined,
    clientCertificate: tls.clientCertificate,
    nodeOptions: tls.nodeOptions,
    signal,
  };
}

/**
 * SSLRequest and its one-byte answer. More than one byte is refused: it would be plaintext that somebody slipped in to
 * be read as if it had come through TLS (CVE-2021-23222).
 *
 * @throws {ProtocolError} `PROTOCOL_SSL_ANSWER`
 */
async function serverAcceptsTls(transport: Duplex): Promise<boolean> {
  const writer = new MessageWriter();
  sslRequest(writer);
  await transport.write(writer.take());
  const answer = await transport.read();
  if (answer === null) {
    throw new TransportError(
      "CONNECTION_ENDED",
      "Connection terminated unexpectedly: the server closed the connection instead of answering SSLRequest",
    );
  }
  if (answer.length === 1 && answer[0] === TLS_ACCEPTED) return true;
  if (answer.length === 1 && answer[0] === TLS_REFUSED) return false;
  throw new ProtocolError("PROTOCOL_SSL_ANSWER", `the server answered SSLRequest ${wrongly(answer)}`);
}

/** What an answer other than `S` or `N` is; none of its bytes are shown (CVE-2024-10977). */
function wrongly(answer: Uint8Array): string {
  switch (answer[0]) {
    case Backend.ErrorResponse:
      return "with an error, which is not shown since anybody on the way could have written it: see the server's log";
    case TLS_ACCEPTED:
    case TLS_REFUSED:
      return `and sent ${answer.length - 1} bytes more, unencrypted: somebody on the way may have added them`;
    default:
      return "with neither 'S' nor 'N': is this a PostgreSQL server?";
  }
}
