/**
 * The way to the database that a program brings itself. Loaded where there is one.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { loadPart } from "../part.ts";
import type { Duplex } from "./duplex.ts";
import { openFailed } from "./failures.ts";
import type { StreamPair } from "./streams.ts";
import { remoteName, type Target } from "./target.ts";
import { unlessAborted } from "./waiting.ts";

/**
 * What a program's own function opens, as a Duplex; what comes after the target's signal has aborted is closed.
 *
 * @throws {ConfigError} `CONFIG_OPEN_DUPLEX`
 * @throws {TransportError} as `openDuplex`
 */
export async function takeOwnDuplex(opening: Promise<unknown>, target: Target): Promise<Duplex> {
  const { host, port, signal } = target;
  let opened: unknown;
  try {
    opened = await unlessAborted(opening, signal, (late) => discard(late));
  } catch (cause) {
    throw openFailed("openDuplex", target, cause);
  }
  if (isDuplex(opened)) return opened;
  if (isStreamPair(opened)) {
    try {
      const { fromStreams } = await loadPart(async () => await import("./streams.ts"));
      return fromStreams(opened, { transport: "streams", remote: remoteName(target) });
    } catch (cause) {
      discard(opened);
      throw cause;
    }
  }
  throw new ConfigError(
    "CONFIG_OPEN_DUPLEX",
    "openDuplex must give a Duplex, a pair {readable, writable} of web streams, or a promise of one of them",
    { host, port, phase: "open" },
  );
}

function discard(late: unknown): void {
  if (isDuplex(late)) return late.close("opened too late");
  if (!isStreamPair(late)) return;
  late.readable.cancel().catch(() => {});
  late.writable.abort().catch(() => {});
}

function isDuplex(value: unknown): value is Duplex {
  if (typeof value !== "object" || value === null) return false;
  const { read, write, closeWrite, close } = value as Record<string, unknown>;
  return [read, write, closeWrite, close].every((method) => typeof method === "function");
}

function isStreamPair(value: unknown): value is StreamPair {
  if (typeof value !== "object" || value === null) return false;
  const { readable, writable } = value as { readable?: { getReader?: unknown }; writable?: { getWriter?: unknown } };
  return typeof readable?.getReader === "function" && typeof writable?.getWriter === "function";
}
