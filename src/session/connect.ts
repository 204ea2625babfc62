/**
 * Connects: every attempt that the TLS policy allows, and in each one repetition where speaking first was a wrong guess.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import { unixSocketPath } from "../duplex/target.ts";
import { unlessAborted, unlessGivenUp } from "../duplex/waiting.ts";
import { AbortError, DatabaseError, type DriverError, type ErrorPlace, TimeoutError, TlsError } from "../errors.ts";
import { loadPart } from "../part.ts";
import type { TlsInfo } from "../tls/engine.ts";
import { type TlsPath, type TlsPolicy, tlsPolicy } from "../tls/sslmode.ts";
import { ConnectState, type ConnectTimings } from "./connect_state.ts";
import { dial, type Encryption } from "./dial.ts";
import { GuessRefused } from "./guess.ts";
import { rememberedLogin, rememberLogin } from "./method_memory.ts";
import { askPassword, needsPassword } from "./password.ts";
import { passwordFromFile } from "./password_file.ts";
import type { SessionEvents } from "./session_options.ts";
import type { Session } from "./session.ts";
import { startSession } from "./startup.ts";
import type { StatementCache } from "./statement_cache.ts";

/** What a connect reports, and what may end it early. */
export interface ConnectInput {
  readonly options: ConnectionOptions;
  readonly events: SessionEvents;
  /**
   * Called at most once, when the last authentication message of the last attempt is about to be sent: what is submitted
   * to the session now saves a turn, and fails if the connect fails.
   */
  readonly onLastMessage?: ((session: Session) => void) | undefined;
  /** Called when the server is ready, before the answers to what was submitted early are read. */
  readonly onReady?: ((connected: Connected) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A session that is ready for queries. */
export interface Connected {
  readonly session: Session;
  readonly timings: ConnectTimings;
  /** Undefined where the connection is not encrypted by us. */
  readonly tls: TlsInfo | undefined;
}

/**
 * Opens a connection, authenticates, and starts the session.
 *
 * @throws {DriverError} whatever failed, with its place; `TIMEOUT_CONNECT` after `connectionTimeoutMillis`
 */
export async function connect(input: ConnectInput): Promise<Connected> {
  const { hosts, targetSessionAttrs } = input.options;
  if (hosts.length > 1 || targetSessionAttrs !== "any") {
    const hosts = loadPart(async () => await import("./hosts.ts"));
    const { connectToAny } = await withinLimits(input, (signal) => unlessAborted(hosts, signal, () => {}));
    return await connectToAny(input, connectToOne);
  }
  return await connectToOne(input);
}

function connectToOne(input: ConnectInput): Promise<Connected> {
  return withinLimits(input, (signal) => connectByPolicy(input, signal));
}

/** Works until the connect's time is over, or its caller gives up: the signal tells. */
async function withinLimits<T>(input: ConnectInput, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const { options: { host, port, connectionTimeoutMillis: millis }, signal } = input;
  const controller = new AbortController();
  const timer = millis > 0 ? setTimeout(() => controller.abort(timedOut(host, port, millis)), millis) : undefined;
  const giveUp = () => controller.abort(abortedBy(signal, { host, port }));
  try {
    return await unlessGivenUp(signal, giveUp, () => work(controller.signal));
  } finally {
    clearTimeout(timer);
  }
}

async function connectByPolicy(input: ConnectInput, signal: AbortSignal): Promise<Connected> {
  const { options } = input;
  const startedAt = performance.now();
  const policy = tlsPolicy(options.tls, pathOf(options));
  const password = await askPassword(options, signal);
  const last = policy.attempts.length - 1;
  for (let index = 0;; index++) {
    const kind = policy.attempts[index];
    // What is submitted early would fail with an attempt that another one follows.
    const onLastMessage = index === last ? input.onLastMessage : undefined;
    try {
      return await attempt({ ...input, onLastMessage, policy, kind, password, signal, startedAt });
    } catch (error) {
      if (index === last || !mayTryOtherwise(error)) throw error;
    }
  }
}

/** A way of the user's own may lead anywhere, so it is trusted no more than a proxy. */
function pathOf({ host, port, wsProxy, openDuplex }: ConnectionOptions): TlsPath {
  if (wsProxy !== undefined || openDuplex !== undefined) return "websocket";
  return unixSocketPath({ host, port }) === undefined ? "socket" : "local";
}

/** One attempt, of those that the policy allows. */
interface Attempt extends ConnectInput {
  readonly policy: TlsPolicy;
  readonly kind: Encryption;
  readonly password: string | undefined;
  readonly signal: AbortSignal;
  /** When the connect began, by `performance.now()`. */
  readonly startedAt: number;
}

async function attempt(input: Attempt): Promise<Connected> {
  try {
    return await start(input, undefined);
  } catch (error) {
    if (!(error instanceof GuessRefused)) throw error;
    return await start(input, error);
  }
}

/** `refusal` is why this is a repetition, where it is one. */
async function start(input: Attempt, refusal: GuessRefused | undefined): Promise<Connected> {
  const { options, policy, kind, signal, startedAt, events, onLastMessage = () => {} } = input;
  const state = new ConnectState(options, signal, startedAt);
  const kept = await unlessAborted(statementCache(options), signal, () => {});
  const { duplex, tls } = await dial(options, policy, kind, state);
  const { host, port, user, database } = options;
  const encrypted = tls !== undefined;
  const key = { host, port, user, database, encrypted };
  const known = rememberedLogin(key);
  const startup = async () =>
    await startSession({
      duplex,
      tls,
      options,
      state,
      // A server that is known to ask is told without waiting for the question.
      password: input.password ?? (needsPassword(known?.method) ? await passwordFromFile(options) : undefined),
      remembered: known?.method,
      mayGuess: refusal === undefined && !known?.politely,
      session: {
        events,
        idleTimeoutMillis: options.idleTimeoutMillis,
        kept,
        requestCancel: async (session, wanted) => {
          const { requestCancel } = await loadPart(async () => await import("./cancel.ts"));
          await requestCancel(options, policy, encrypted, session, wanted);
        },
      },
      onLastMessage,
    });
  try {
    const { session, method } = await unlessGivenUp(signal, () => duplex.close(signal.reason), startup);
    // It gave no reason, and a login without the guess succeeds: what it dislikes is being spoken to first.
    const disliked = refusal !== undefined && refusal.method === undefined;
    rememberLogin(key, { method, politely: disliked || (known?.politely ?? false) });
    const connected = { session, timings: state.timings, tls };
    input.onReady?.(connected);
    session.start();
    return connected;
  } catch (error) {
    if (error instanceof GuessRefused && error.method !== undefined) {
      rememberLogin(key, { method: error.method, politely: false });
    }
    throw error;
  }
}

async function statementCache({ statementCache: size }: ConnectionOptions): Promise<StatementCache | undefined> {
  if (size === 0) return undefined;
  const { StatementCache } = await loadPart(async () => await import("./statement_cache.ts"));
  return new StatementCache(size);
}

/** What TLS fails with for reasons of this side's. */
const INABILITIES: ReadonlySet<string> = new Set([
  "TLS_OPTION_UNSUPPORTED",
  "TLS_OPTION_INVALID",
  "TLS_UNAVAILABLE",
  "TLS_ROOTS_UNAVAILABLE",
  "TLS_ENGINE_MISSING",
  "TLS_CORE_MISSING",
  "TLS_CORE_INVALID",
  "TLS_MEMORY",
]);

/**
 * libpq's rule: another attempt follows where TLS could not be agreed, or where the server turned us away before it had
 * authenticated us. What this platform's TLS cannot do is no reason to go without.
 */
function mayTryOtherwise(error: unknown): boolean {
  if (error instanceof TlsError) return !INABILITIES.has(error.driverCode);
  return error instanceof DatabaseError && error.phase === "authentication";
}

/** The caller gave up. */
function abortedBy(signal: AbortSignal | undefined, place: ErrorPlace): AbortError {
  const cause: unknown = signal?.reason;
  if (cause instanceof AbortError) return cause.addPlace(place);
  const message = "the connect was aborted by its AbortSignal";
  return new AbortError("ABORTED", message, { ...place, cause, safeToRetry: true });
}

function timedOut(host: string, port: number, millis: number): DriverError {
  return new TimeoutError("TIMEOUT_CONNECT", "timeout expired", {
    host,
    port,
    safeToRetry: true,
    verbatim: true,
    hint: `There was no connection within ${millis} ms (connectionTimeoutMillis).`,
  });
}
