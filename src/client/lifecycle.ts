/**
 * A client's way from new to ended, and what its requests wait for on it.
 *
 * @module
 */

import type { ConnectionOptions } from "../config/options.ts";
import { onAbort } from "../duplex/abort_signal.ts";
import { type Deferred, deferred } from "../duplex/waiting.ts";
import { AbortError, asError, ClientError, type ConfigError, type ErrorPlace, TransportError } from "../errors.ts";
import { connect, type Connected } from "../session/connect.ts";
import { endedByClient } from "../session/failures.ts";
import type { SessionEvents } from "../session/session_options.ts";
import type { Session } from "../session/session.ts";
import type { PreparedStatement } from "../session/statements.ts";
import type { ClientStage } from "./client_shape.ts";
import type { ConnectionControl } from "./connection/connection.ts";
import type { Request } from "./request.ts";
import { outstandingQueries } from "./outstanding.ts";
import { RequestQueue } from "./request_queue.ts";
import type { ResolvedOptions } from "./resolve_client_options.ts";

interface Connecting {
  readonly at: "connecting";
  readonly abort: AbortController;
  /** Resolves when the connect has succeeded or failed. */
  readonly over: Promise<void>;
  readonly session: Session | undefined;
}

type State =
  | { readonly at: "new" }
  | Connecting
  | { readonly at: "connected"; readonly session: Session }
  | { readonly at: "ended"; readonly error: Error | undefined };

/** Whoever waits for a connect. */
export interface ConnectObserver {
  ready(): void;
  failed(error: Error): void;
}

/** What a client is told of its connection. */
export interface LifecycleEvents extends Omit<SessionEvents, "end"> {
  /** It is connected, and whoever waits for that was told. */
  ready(): void;
  /** The connection is over, or did not come to be; `error` where it broke. */
  over(error: Error | undefined): void;
}

/** The connection of one client. */
export class Lifecycle implements ConnectionControl {
  readonly #options: ConnectionOptions;
  readonly #flaw: ConfigError | undefined;
  readonly #place: ErrorPlace;
  /** Whether the end waits for what is outstanding, as in a pipeline of node-postgres's. */
  readonly #answersFirst: () => boolean;
  readonly #events: LifecycleEvents;
  readonly #queue: RequestQueue;
  #state: State = { at: "new" };
  #connected: Connected | undefined;
  #queried = false;
  #lastSession: Session | undefined;
  /** Whether the connection is over, or will never be. */
  #over = false;
  /** Whoever waits for the connect is being told. */
  #telling = false;
  /** The end that `end` has begun. */
  #closing: Promise<void> | undefined;
  /** Resolves once the session has answered all. */
  #answered: Deferred<void> | undefined;

  constructor({ options, flaw }: ResolvedOptions, answersFirst: () => boolean, events: LifecycleEvents) {
    const { host, port } = options;
    this.#options = options;
    this.#flaw = flaw;
    this.#place = { host, port };
    this.#answersFirst = answersFirst;
    this.#events = events;
    this.#queue = new RequestQueue(this.#place, () => this.#goOn());
  }

  /** From the last message of authentication until the end. */
  get session(): Session | undefined {
    return this.#state.at === "connecting" || this.#state.at === "connected" ? this.#state.session : undefined;
  }

  /** What the connect has brought; undefined until connected. */
  get connected(): Connected | undefined {
    return this.#connected;
  }

  /** Whether `end` was called while it connected, and has not ended yet. */
  get closing(): boolean {
    return this.#closing !== undefined;
  }

  /** Whether `end` was called. */
  get ending(): boolean {
    return this.closing || (this.#state.at === "ended" && this.#state.error === undefined);
  }

  /** What is prepared on the connection; undefined until there is one. */
  get statements(): Map<string, PreparedStatement> | undefined {
    return this.#lastSession?.statements;
  }

  /** Where the client stands. */
  get stage(): ClientStage {
    const { at } = this.#state;
    return {
      at,
      ending: this.ending,
      over: this.#over,
      wasReady: this.#connected !== undefined,
      queried: this.#queried,
      occupied: this.#queue.holds || (this.session?.occupied ?? false),
      failure: this.#state.at === "ended" ? this.#state.error : undefined,
      session: this.#lastSession,
      queries: () => outstandingQueries(this.#lastSession, this.#queue.requests),
    };
  }

  /** Tells the observer of the outcome before any early query has its own. */
  async connect(signal: AbortSignal | undefined, observer: ConnectObserver): Promise<void> {
    if (this.#state.at !== "new") {
      await undefined;
      const used = "Client has already been connected. You cannot reuse a client.";
      return observer.failed(this.error("CLIENT_ALREADY_CONNECTED", used));
    }
    const abort = new AbortController();
    const giveUp = () => abort.abort(signal?.reason);
    const release = onAbort(signal, giveUp);
    if (signal?.aborted) giveUp();
    const { promise: over, resolve: settle } = deferred<void>();
    const connecting: Connecting = { at: "connecting", abort, over, session: undefined };
    this.#state = connecting;
    try {
      if (this.#flaw !== undefined) {
        await undefined; // whoever connects is told once it is done with asking
        throw this.#flaw;
      }
      await connect({
        options: this.#options,
        events: { ...this.#events, drain: () => this.#drained(), end: (error) => this.#sessionEnded(error) },
        onLastMessage: (early) => this.#adopt({ ...connecting, session: early }),
        onReady: (connected) => {
          this.#connected = connected;
          this.#adopt({ at: "connected", session: connected.session });
          this.#telling = true;
          observer.ready();
          this.#events.ready();
          this.#telling = false;
        },
        signal: abort.signal,
      });
    } catch (cause) {
      const error = asError(cause);
      this.#failConnect(error);
      observer.failed(error);
    } finally {
      release();
      settle();
    }
  }

  /** Runs a request as soon as there is a session, behind those that were made before it. */
  run(request: Request): void {
    const state = this.#state;
    this.#queried = true;
    if (state.at === "ended" || this.#closing !== undefined) {
      const error = this.#notQueryable(state.at === "ended" ? state.error : undefined);
      // Once the caller had the chance to listen.
      return queueMicrotask(() => request.failed(error));
    }
    if (state.at === "new" || state.session === undefined || this.#queue.holds || request.loading !== undefined) {
      this.#queue.add(request);
    } else request.start(state.session, request.timeoutMillis);
  }

  /** Ends the connection, or the attempt to make it; resolves once it is closed. */
  async end(): Promise<void> {
    const state = this.#state;
    switch (state.at) {
      case "new":
        this.#queue.failAll(() => this.#notQueryable(undefined));
        this.#state = { at: "ended", error: undefined };
        this.#over = true;
        return;
      case "connecting":
        return await (this.#closing ??= this.#endConnecting(state));
      case "connected":
        this.#state = { at: "ended", error: undefined };
        return await (this.#closing = this.#close(state.session));
      case "ended":
        return await this.#closing;
    }
  }

  /** Breaks the connection, or the attempt to make it: what is outstanding fails by the reason. */
  destroy(reason: Error | undefined): void {
    const error = reason ?? destroyed();
    const state = this.#state;
    if (state.at === "connecting") state.abort.abort(error);
    else if (!this.#over) this.#lastSession?.destroy(error); // also while `end` waits for answers
  }

  /** Keeps the process alive while the connection is open, where the runtime knows that. */
  ref(): void {
    this.session?.duplex.ref?.();
  }

  /** Lets the process exit although it is open. */
  unref(): void {
    this.session?.duplex.unref?.();
  }

  /** An error of the client's own, by which nothing was sent. */
  error(code: string, message: string, cause?: Error): ClientError {
    const because = cause === undefined ? {} : { cause };
    return new ClientError(code, message, { ...this.#place, safeToRetry: true, verbatim: true, ...because });
  }

  /** From here on queries go straight to the session; those that wait go first. */
  #adopt(state: State & { readonly session: Session }): void {
    this.#state = state;
    this.#lastSession = state.session;
    this.#queue.startAll(state.session);
  }

  #failConnect(error: Error): void {
    this.#state = { at: "ended", error: this.#closing === undefined ? error : undefined };
    this.#queue.failAll(() => error);
    this.#over = true;
    this.#events.over(undefined);
  }

  /** What the queue has waited for is there, or will never be. */
  #goOn(): void {
    const session = this.#lastSession;
    if (session === undefined) return;
    this.#queue.startAll(session);
    if (session.outstanding === 0) this.#drained();
  }

  #drained(): void {
    if (this.#queue.holds) return;
    this.#answered?.resolve();
    if (this.#queried) this.#events.drain?.();
  }

  #sessionEnded(error: Error | undefined): void {
    // A connect that fails reports it by its promise.
    if (this.#state.at === "connecting") return;
    const unexpected = this.#state.at === "connected" ? error : undefined;
    if (this.#state.at === "connected") this.#state = { at: "ended", error };
    this.#queue.failAll(() => error ?? this.#notQueryable(undefined));
    this.#answered?.resolve();
    this.#over = true;
    this.#events.over(unexpected);
  }

  async #endConnecting({ abort, over }: Connecting): Promise<void> {
    if (!this.#answersFirst() || !this.#queried) {
      abort.abort(new AbortError("ABORTED", "the client was ended while it connected", { safeToRetry: true }));
    }
    await over;
    if (this.#state.at !== "connected") return;
    // A pipeline is to be answered, or it was too late to abort.
    const { session } = this.#state;
    this.#state = { at: "ended", error: undefined };
    await this.#close(session);
  }

  /** As in node-postgres, a pipeline is answered first; other queries might never be. */
  async #close(session: Session): Promise<void> {
    // In node-postgres, what the callback of connect asks for is sent once that has returned, unless it ends the client.
    if (this.#telling && !this.#answersFirst()) session.keepBack();
    // What fails by this does so once the caller had the chance to listen.
    await undefined;
    if (this.#answersFirst() && (session.outstanding > 0 || this.#queue.holds)) {
      this.#answered = deferred<void>();
      await this.#answered.promise;
    }
    const ended = session.end();
    this.#queue.failAll(() => endedByClient({ ...session.place, phase: "close" }));
    await ended;
  }

  #notQueryable(cause: Error | undefined): ClientError {
    return cause === undefined
      ? this.error("CLIENT_CLOSED", "Client was closed and is not queryable")
      : this.error("CLIENT_BROKEN", "Client has encountered a connection error and is not queryable", cause);
  }
}

function destroyed(): TransportError {
  return new TransportError("CONNECTION_DESTROYED", "Connection terminated unexpectedly", {
    phase: "close",
    verbatim: true,
    hint: "The program ended the connection under its client.",
  });
}
