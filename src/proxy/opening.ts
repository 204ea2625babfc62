/**
 * What a client may wish to be done with its target before the upgrade is answered: the SSLRequest exchange, and its first
 * bytes (`duplex/proxy_protocol.ts` has the wish as it is said).
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import { type Opening, PROXY_PROTOCOL, SSL_REQUEST } from "../duplex/proxy_protocol.ts";
import { unlessAborted } from "../duplex/waiting.ts";
import { startDeadline } from "./deadline.ts";

/** How the opening went: what to answer the upgrade with, or why not to. */
export type Opened =
  | {
    readonly ok: true;
    /** The subprotocol to choose. */
    readonly protocol: string;
    /** What the target said already, which is the client's to read. */
    readonly early: Uint8Array | undefined;
  }
  | { readonly ok: false; readonly status: 504; readonly reason: string };

/** PostgreSQL documentation, "Message Formats", SSLRequest: its length, and 1234 and 5679 as 16-bit halves. */
const SSL_REQUEST_MESSAGE = Uint8Array.of(0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f);
const TLS_ACCEPTED = 0x53; // 'S'

/**
 * Does with a freshly dialled target what its client wishes. The first bytes are sent only after a sole `S`; whatever else
 * the target says, or does not, is the client's to judge.
 */
export async function openTarget(
  target: Duplex,
  { sslRequest, first }: Opening,
  timeoutMillis: number,
  signal: AbortSignal,
): Promise<Opened> {
  const deadline = startDeadline(timeoutMillis, signal);
  let protocol = sslRequest ? SSL_REQUEST : PROXY_PROTOCOL;
  try {
    if (sslRequest) {
      await unlessAborted(target.write(SSL_REQUEST_MESSAGE), deadline.signal, () => {});
      const answer = await unlessAborted(target.read(), deadline.signal, () => {});
      const accepted = answer?.length === 1 && answer[0] === TLS_ACCEPTED;
      if (!accepted) return { ok: true, protocol, early: answer ?? undefined };
      protocol = PROXY_PROTOCOL;
    }
    if (first !== undefined) await unlessAborted(target.write(first), deadline.signal, () => {});
    return { ok: true, protocol, early: undefined };
  } catch {
    // A target that broke is told to the client as any other: by how the relay ends.
    if (!deadline.signal.aborted) return { ok: true, protocol, early: undefined };
    return { ok: false, status: 504, reason: "the target did not answer SSLRequest in the time that the proxy waits" };
  } finally {
    deadline.release();
  }
}
