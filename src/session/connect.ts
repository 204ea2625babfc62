/**
 * Connects: every attempt that the TLS policy allows, and in each one repetition where speaking first was a wrong guess.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import { unixSocketPath } from "../duplex/target.ts";
import { AbortError, AuthenticationError, DatabaseError, DriverError, TimeoutError, TlsError } from "../errors.ts";
import { type TlsPath, type TlsPolicy, tlsPolicy } from "../tls/sslmode.ts";
import { requestCancel } from "./cancel.ts";
import { ConnectState, type ConnectTimings } from "./connect_state.ts";
import { dial, type Encryption } from "./dial.ts";
import { GuessRefused } from "./guess.ts";
import { rememberedMethod, rememberMethod } from "./method_memory.ts";
import type { Session, SessionEvents } from "./session.ts";
import { type StartedSession, startSession } from "./startup.ts";

/** What a connect reports, and what may end it early. */
export interface ConnectInput {
  readonly options: ConnectionOptions;
  readonly events: SessionEvents;
  /**
   * Called at most once, when the last authentication message is about to be sent: what is submitted to the session now
   * saves a turn, and fails if the connect fails.
   */
  readonly onLastMessage?: ((session: Session) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A session that is ready for queries. */
export interface Connected {
  readonly session: Session;
  readonly timings: ConnectTimings;
}

/**
 * Opens a connection, authenticates, and starts the session.
 *
 * @throws {DriverError} whatever failed, with its place; `TIMEOUT_CONNECT` after `connectionTimeoutMillis`
 */
export async function connect(input: ConnectInput): Promise<Connected> {
  const controller = new AbortController();
  const release = attachLimits(input, controller);
  try {
    return await connectByPolicy(input, controller.signal);
  } finally {
    release();
  }
}

async function connectByPolicy(input: ConnectInput, signal: AbortSignal): Promise<Connected> {
  const { options } = input;
  const policy = tlsPolicy(options.tls, pathOf(options));
  const password = await askPassword(options);
  const [first, ...others] = policy.attempts;
  let failure: unknown;
  try {
    return await attempt(input, policy, first, password, signal);
  } catch (error) {
    failure = error;
  }
  for (const next of others) {
    if (!mayTryOtherwise(failure)) break;
    try {
      return await attempt(input, policy, next, password, signal);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

/** A way of the user's own may lead anywhere, so it is trusted no more than a proxy. */
function pathOf({ host, port, wsProxy, openDuplex }: ConnectionOptions): TlsPath {
  if (wsProxy !== undefined || openDuplex !== undefined) return "websocket";
  return unixSocketPath({ host, port }) === undefined ? "socket" : "local";
}

async function attempt(
  input: ConnectInput,
  policy: TlsPolicy,
  kind: Encryption,
  password: string | undefined,
  signal: AbortSignal,
): Promise<Connected> {
  try {
    return await start(input, policy, kind, password, signal, true);
  } catch (error) {
    if (!(error instanceof GuessRefused)) throw error;
    return await start(input, policy, kind, password, signal, false);
  }
}

async function start(
  input: ConnectInput,
  policy: TlsPolicy,
  kind: Encryption,
  password: string | undefined,
  signal: AbortSignal,
  mayGuess: boolean,
): Promise<Connected> {
  const { options, events, onLastMessage = () => {} } = input;
  const state = new ConnectState(options, signal);
  const dialled = await dial(options, policy, kind, state);
  const key = {
    host: options.host,
    port: options.port,
    user: options.user,
    database: options.database,
    encrypted: dialled.tls !== undefined,
  };
  const closeOnAbort = () => dialled.duplex.close(signal.reason);
  signal.addEventListener("abort", closeOnAbort, { once: true });
  try {
    if (signal.aborted) closeOnAbort();
    const started: StartedSession = await startSession({
      ...dialled,
      options,
      state,
      password,
      remembered: rememberedMethod(key),
      mayGuess,
      session: {
        events,
        idleTimeoutMillis: options.idleTimeoutMillis,
        requestCancel: (session) => requestCancel(options, policy, dialled.tls !== undefined, session),
      },
      onLastMessage,
    });
    rememberMethod(key, started.method);
    started.session.start();
    return { session: started.session, timings: state.timings };
  } catch (error) {
    if (error instanceof GuessRefused && error.method !== undefined) rememberMethod(key, error.method);
    throw error;
  } finally {
    signal.removeEventListener("abort", closeOnAbort);
  }
}

/** libpq's rule: another attempt follows where TLS failed, or where the server turned us away. */
function mayTryOtherwise(error: unknown): boolean {
  return error instanceof TlsError || error instanceof DatabaseError;
}

async function askPassword({ password, host, port }: ConnectionOptions): Promise<string | undefined> {
  if (typeof password !== "function") return password;
  let answer: unknown;
  try {
    answer = await password();
  } catch (cause) {
    throw new AuthenticationError("AUTH_PASSWORD_FUNCTION", "the function given as password failed", {
      host,
      port,
      phase: "authentication",
      cause,
    });
  }
  if (typeof answer === "string") return answer;
  throw new AuthenticationError(
    "AUTH_PASSWORD_TYPE",
    "Password must be a string: the function given returned something else",
    {
      host,
      port,
      phase: "authentication",
    },
  );
}

/** The connect's deadline and the caller's signal, as one AbortController. */
function attachLimits({ options, signal }: ConnectInput, controller: AbortController): () => void {
  const { host, port, connectionTimeoutMillis } = options;
  const onAbort = () =>
    controller.abort(
      new AbortError("ABORTED", "the connect was aborted by its AbortSignal", {
        host,
        port,
        cause: signal?.reason,
        safeToRetry: true,
      }),
    );
  if (signal?.aborted) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = connectionTimeoutMillis > 0
    ? setTimeout(() => controller.abort(timedOut(host, port, connectionTimeoutMillis)), connectionTimeoutMillis)
    : undefined;
  return () => {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  };
}

function timedOut(host: string, port: number, millis: number): DriverError {
  return new TimeoutError(
    "TIMEOUT_CONNECT",
    `timeout expired: no connection within ${millis} ms (connectionTimeoutMillis)`,
    { host, port, safeToRetry: true },
  );
}
