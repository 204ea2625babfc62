/**
 * TLS through a WebSocket proxy, where the engine's first bytes open the connection and travel along with the opening.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import { openWithFirstWrite } from "../duplex/deferred_open.ts";
import type { Duplex } from "../duplex/duplex.ts";
import type { OpenedThroughProxy } from "../duplex/proxy_opening.ts";
import { describeUrl, proxyUrl } from "../duplex/proxy_url.ts";
import { remoteName } from "../duplex/target.ts";
import { unlessGivenUp } from "../duplex/waiting.ts";
import type { TlsPolicy } from "../tls/sslmode.ts";
import { loadPart } from "../part.ts";
import type { ConnectState } from "./connect_state.ts";
import { type Dialled, secure } from "./secured.ts";
import { readSslAnswer, requestSsl, sslRefused } from "./ssl_request.ts";

/**
 * Opens and secures a connection; plain where the server refuses TLS and the policy is content with that. On failure
 * nothing stays open.
 *
 * @throws {TlsError} `TLS_REFUSED_BY_SERVER`, and what the engine throws
 * @throws {TransportError} what the opening throws
 */
export async function secureThroughProxy(
  options: ConnectionOptions,
  wsProxy: NonNullable<ConnectionOptions["wsProxy"]>,
  policy: TlsPolicy,
  state: ConnectState,
): Promise<Dialled> {
  state.transport = "websocket";
  const { host, port, webSocket, tls } = options;
  const { signal } = state;
  const url = proxyUrl(wsProxy, host, port);
  const info = { transport: "websocket", remote: `${remoteName({ host, port })} through ${describeUrl(url)}` };
  const sslRequest = tls.negotiation === "postgres";

  // What an engine makes of a failed opening is not what went wrong.
  let failure: { readonly error: unknown } | undefined;
  let plain: Duplex | undefined;
  const transport = openWithFirstWrite(info, async (first, closed) => {
    try {
      const { openThroughProxy } = await loadPart(async () => await import("../duplex/proxy_opening.ts"));
      const opened = await openThroughProxy(url, { host, port, webSocket, signal }, { sslRequest, first });
      const { duplex } = opened;
      state.timings.opened = state.elapsed();
      state.phase = "tls";
      if (await isReadyForTls(opened, first, sslRequest, closed)) return duplex;
      if (policy.refusedByServer === "plain") plain = duplex;
      else duplex.close("the server refuses TLS");
      throw sslRefused();
    } catch (error) {
      failure = { error };
      throw error;
    }
  });
  try {
    const close = () => transport.close(signal.reason);
    return await unlessGivenUp(signal, close, () => secure(transport, options, policy, state));
  } catch (error) {
    transport.close(error);
    if (plain !== undefined) return { duplex: plain, tls: undefined };
    throw failure === undefined ? error : failure.error;
  }
}

/** Does what the proxy has left to do; false where the server refuses TLS. */
async function isReadyForTls(
  { duplex, progress }: OpenedThroughProxy,
  first: Uint8Array,
  sslRequest: boolean,
  closed: AbortSignal,
): Promise<boolean> {
  if (progress === "done") return true;
  try {
    return await unlessGivenUp(closed, () => duplex.close(closed.reason), async () => {
      const accepted = progress === "ssl-requested"
        ? await readSslAnswer(duplex)
        : !sslRequest || await requestSsl(duplex);
      if (accepted) await duplex.write(first);
      return accepted;
    });
  } catch (error) {
    duplex.close(error);
    throw error;
  }
}
