/**
 * Cancelling what a session is doing: a CancelRequest over a connection of its own, encrypted where the session is.
 *
 * @see PostgreSQL documentation, "Message Flow", "Canceling Requests in Progress"
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import type { Duplex } from "../duplex/duplex.ts";
import { unlessGivenUp } from "../duplex/waiting.ts";
import { TimeoutError } from "../errors.ts";
import { cancelRequest } from "../protocol/frontend.ts";
import { MessageWriter } from "../protocol/message_writer.ts";
import type { TlsPolicy } from "../tls/sslmode.ts";
import { ConnectState } from "./connect_state.ts";
import { dial } from "./dial.ts";

/** A cancel that takes longer than this helps nobody. */
const CANCEL_DEADLINE_MILLIS = 5_000;

/** What identifies the session to cancel. */
export interface CancelTarget {
  readonly processId: number;
  readonly secretKey: Uint8Array;
}

/**
 * Asks the server to cancel, and resolves once it has passed the request on, which it shows by closing the connection.
 * The server never says whether there was anything to cancel.
 *
 * @param wanted Asked once there is a connection: what was to be cancelled may have ended meanwhile, and the request would
 * hit what came behind it.
 */
export async function requestCancel(
  options: ConnectionOptions,
  policy: TlsPolicy,
  encrypted: boolean,
  target: CancelTarget,
  wanted: () => boolean,
): Promise<void> {
  const controller = new AbortController();
  const { host, port } = options;
  const deadline = setTimeout(
    () =>
      controller.abort(
        new TimeoutError(
          "TIMEOUT_CANCEL",
          `the server did not take a CancelRequest within ${CANCEL_DEADLINE_MILLIS} ms`,
          { host, port },
        ),
      ),
    CANCEL_DEADLINE_MILLIS,
  );
  const state = new ConnectState(options, controller.signal);
  try {
    const { duplex } = await dial(options, policy, encrypted ? "tls" : "plain", state);
    const { signal } = controller;
    try {
      if (!wanted()) return;
      await unlessGivenUp(signal, () => duplex.close(signal.reason), async () => {
        const writer = new MessageWriter();
        cancelRequest(writer, target.processId, target.secretKey);
        await duplex.write(writer.take());
        await untilClosed(duplex, signal);
      });
    } catch (cause) {
      throw state.located(cause);
    } finally {
      duplex.close("cancel request delivered");
    }
  } finally {
    clearTimeout(deadline);
  }
}

/** Once the request is delivered, a reset is an end like any other. */
async function untilClosed(duplex: Duplex, signal: AbortSignal): Promise<void> {
  try {
    while (await duplex.read() !== null);
  } catch (error) {
    if (signal.aborted) throw error;
  }
}
