/**
 * Where the password comes from: what was said, or the function that was given. (At last, a file: password_file.ts.)
 *
 * @module
 */

import type { AuthMethod, ConnectionOptions } from "../config/options.ts";
import { unlessAborted } from "../duplex/waiting.ts";
import { AuthenticationError, DriverError } from "../errors.ts";

/**
 * The password that was said, or that the function gives.
 *
 * @throws what the function throws, where it is an Error; {@linkcode AuthenticationError} `AUTH_PASSWORD_FUNCTION`, where
 * it is none
 * @throws {TypeError} `AUTH_PASSWORD_TYPE`, as node-postgres: the function gave no string
 */
export async function askPassword(
  { password, user, database, host, port }: ConnectionOptions,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (typeof password !== "function") return password;
  let answer: unknown;
  try {
    signal.throwIfAborted();
    answer = await unlessAborted(Promise.resolve(password({ user, database, host, port })), signal, () => {});
  } catch (cause) {
    if (signal.aborted && signal.reason instanceof DriverError) {
      throw signal.reason.addPlace({ phase: "authentication" });
    }
    // As in node-postgres, the program gets its own error.
    if (cause instanceof Error) throw cause;
    throw new AuthenticationError("AUTH_PASSWORD_FUNCTION", "the function given as password failed", {
      host,
      port,
      phase: "authentication",
      cause,
    });
  }
  if (typeof answer === "string") return answer;
  const code = "AUTH_PASSWORD_TYPE";
  const fields = { code, driverCode: code, host, port, phase: "authentication" };
  throw Object.assign(new TypeError("Password must be a string"), fields);
}

/** Whether a server that authenticates by this will want a password. */
export function needsPassword(method: AuthMethod | undefined): boolean {
  return method !== undefined && method !== "none" && method !== "oauth";
}
