/**
 * Parts of the package that are loaded when they are first needed.
 *
 * @module
 */

import { ClientError } from "./errors.ts";

/** Longer than any network takes for a small file. */
const LOAD_DEADLINE_MILLIS = 60_000;

/**
 * Loads a part by its `import()`. One that could not be loaded is tried again when it is needed again.
 *
 * @throws {ClientError} `PART_NOT_LOADED`, also where it takes longer than a minute
 */
export function loadPart<T>(load: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const failed = (cause: unknown) =>
      reject(
        new ClientError(
          "PART_NOT_LOADED",
          "the part of pgduplex that does this could not be loaded: a page needs all files of the package, not its entry alone",
          { safeToRetry: true, cause },
        ),
      );
    const timer = setTimeout(() => failed(new Error("nothing came within a minute")), LOAD_DEADLINE_MILLIS);
    // Whoever has given up is not kept by it, where the runtime knows the idea.
    (timer as { unref?(): void }).unref?.();
    load().then(resolve, failed).finally(() => clearTimeout(timer));
  });
}
