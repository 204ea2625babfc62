/**
 * Resolves a target once, checks each address, and dials the ones that may be dialled.
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import { codeOf } from "../duplex/failures.ts";
import { unreachedWords, UNRESOLVED } from "../duplex/proxy_words.ts";
import { unlessAborted } from "../duplex/waiting.ts";
import { type IpAddress, parseIp, type Target } from "./address.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import { type Reach, refuseAddress } from "./policy.ts";

/** How names are resolved and connections opened, and how long both may take together. */
export interface Dialler {
  /** All addresses of a name; rejects where it has none. */
  resolve(host: string): Promise<readonly string[]>;
  connect(address: { host: string; port: number; signal: AbortSignal }): Promise<Duplex>;
  /** Milliseconds from the request to the connection. */
  readonly timeoutMillis: number;
}

/** A connection, or the HTTP status and words that say why there is none. */
export type Dialled =
  | { readonly ok: true; readonly duplex: Duplex; readonly address: string }
  | { readonly ok: false; readonly status: 403 | 502 | 504; readonly reason: string };

const MAX_ADDRESSES = 8; // of one name; the rest are not tried

/** Dials a target that the allow-list allows. `signal` gives up, because whoever asked is gone. */
export async function dial(target: Target, reach: Reach, dialler: Dialler, signal: AbortSignal): Promise<Dialled> {
  const deadline = startDeadline(dialler.timeoutMillis, signal);
  try {
    return await dialWithin(deadline, target, reach, dialler);
  } finally {
    deadline.release();
  }
}

async function dialWithin(deadline: Deadline, target: Target, reach: Reach, dialler: Dialler): Promise<Dialled> {
  let addresses: readonly IpAddress[];
  try {
    addresses = target.ip ? [target.ip] : await resolve(target.host, dialler, deadline.signal);
  } catch {
    return deadline.signal.aborted
      ? failure(504, `resolving ${target.host} took longer than the proxy waits`)
      : failure(502, `${target.host} ${UNRESOLVED}`);
  }
  const refusals = addresses.map((ip) => refuseAddress(reach, ip));
  const allowed = addresses.filter((_, index) => refusals[index] === undefined);
  if (allowed.length > 0) return await connectToOne(allowed, deadline, target, dialler);
  return addresses.length === 0
    ? failure(502, `${target.host} has no address`)
    : failure(403, `${target.text} leads to ${refusals[0]}`);
}

/** Tries one address after the other; one that swallows packets must leave time for the next. */
async function connectToOne(
  addresses: readonly IpAddress[],
  deadline: Deadline,
  target: Target,
  { connect }: Dialler,
): Promise<Dialled> {
  let failed = failure(502, `cannot connect to ${target.text}`);
  for (const [index, ip] of addresses.entries()) {
    const attempt = startDeadline(deadline.left() / (addresses.length - index), deadline.signal);
    try {
      const duplex = await connect({ host: ip.text, port: target.port, signal: attempt.signal });
      return { ok: true, duplex, address: ip.text };
    } catch (error) {
      failed = attempt.signal.aborted
        ? failure(504, `cannot connect to ${target.text}: nobody answered in the time that the proxy waits`)
        : failure(502, `cannot connect to ${target.text}: ${wordsFor(error)}`);
      if (deadline.signal.aborted) break;
    } finally {
      attempt.release();
    }
  }
  return failed;
}

async function resolve(host: string, dialler: Dialler, signal: AbortSignal): Promise<IpAddress[]> {
  const found = await unlessAborted(dialler.resolve(host), signal, () => {});
  return found.slice(0, MAX_ADDRESSES).map(parseIp).filter((ip) => ip !== undefined);
}

function wordsFor(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return unreachedWords(codeOf(cause));
}

function failure(status: 403 | 502 | 504, reason: string): Dialled {
  return { ok: false, status, reason };
}
