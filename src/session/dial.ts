/**
 * Opens the byte stream to a server: the transport, and TLS over it where the policy asks for it.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import { openDuplex } from "../duplex/open.ts";
import { unlessAborted, unlessGivenUp } from "../duplex/waiting.ts";
import type { TlsPolicy } from "../tls/sslmode.ts";
import type { ConnectState } from "./connect_state.ts";
import { type Dialled, secure } from "./secured.ts";
import { secureThroughProxy } from "./secure_through_proxy.ts";
import { requestSsl, sslRefused } from "./ssl_request.ts";

/** Whether one attempt to connect is with TLS. */
export type Encryption = TlsPolicy["attempts"][number];

/** Opens the transport and, where this attempt is one with TLS, secures it. Nothing stays open behind an error. */
export async function dial(
  options: ConnectionOptions,
  policy: TlsPolicy,
  kind: Encryption,
  state: ConnectState,
): Promise<Dialled> {
  try {
    state.signal.throwIfAborted();
    state.phase = "open";
    const { wsProxy } = options;
    const dialling = kind === "tls" && wsProxy !== undefined && options.openDuplex === undefined
      ? secureThroughProxy(options, wsProxy, policy, state)
      : dialDirectly(options, policy, kind, state);
    // What has to be loaded for it may never come, and closing the transport does not end the wait for it.
    return await unlessAborted(dialling, state.signal, ({ duplex }) => duplex.close(state.signal.reason));
  } catch (cause) {
    throw state.located(cause);
  }
}

/** @throws {TlsError} `TLS_REFUSED_BY_SERVER`, and what the opening and the engine throw */
async function dialDirectly(
  options: ConnectionOptions,
  policy: TlsPolicy,
  kind: Encryption,
  state: ConnectState,
): Promise<Dialled> {
  const { host, port, wsProxy, webSocket, openDuplex: ownWay, keepAlive, keepAliveInitialDelayMillis } = options;
  const { signal } = state;
  const address = { host, port, wsProxy, webSocket, openDuplex: ownWay, keepAlive, keepAliveInitialDelayMillis };
  const transport = await openDuplex({ ...address, signal });
  state.transport = transport.info.transport;
  state.timings.opened = state.elapsed();
  const plain = { duplex: transport, tls: undefined };
  if (kind === "plain") return plain;
  state.phase = "tls";
  try {
    return await unlessGivenUp(signal, () => transport.close(signal.reason), async () => {
      const accepted = options.tls.negotiation === "direct" || await requestSsl(transport);
      if (accepted) return await secure(transport, options, policy, state);
      if (policy.refusedByServer === "plain") return plain;
      throw sslRefused();
    });
  } catch (error) {
    transport.close(error);
    throw error;
  }
}
