/**
 * One connection after authentication: a pipeline of exchanges over a Duplex.
 *
 * Requests are written as they come and answered in order; each ends at its own ReadyForQuery, so that one failing does
 * not touch the next.
 *
 * @module
 */

import type { Duplex } from "../duplex/duplex.ts";
import { DatabaseError, DriverError, type ErrorPlace, type Phase } from "../errors.ts";
import { decodeNotification, decodeParameterStatus, decodeReadyForQuery } from "../protocol/backend.ts";
import * as Backend from "../protocol/backend_types.ts";
import type { TransactionStatus } from "../protocol/codes.ts";
import type { FrameReader } from "../protocol/frame_reader.ts";
import { decodeResponseFields } from "../protocol/response_fields.ts";
import { Canceller } from "./canceller.ts";
import { closeCleanly } from "./close.ts";
import type { SessionEvents, SessionOptions } from "./session_options.ts";
import type { Exchange, ExchangeContext } from "./exchange.ts";
import {
  broken,
  cancelFailed,
  copyInPipeline,
  encodingFailed,
  endedByClient,
  notUsable,
  peerEnded,
  queryAborted,
  queryTimedOut,
  unexpectedMessage,
} from "./failures.ts";
import { Fifo } from "./fifo.ts";
import { IdleWatch } from "./idle_watch.ts";
import { Outbox } from "./outbox.ts";
import { type GivenUp, type Patience, watchPatience } from "./patience.ts";
import { ofAnotherRequest, RequestScope } from "./request_scope.ts";
import { RunTimeParameters } from "./run_time_parameters.ts";
import type { StatementCache } from "./statement_cache.ts";
import type { PreparedStatement } from "./statements.ts";

/** How long a connection may take to end after writing has failed, or the server has said that it ends it. */
const LAST_WORDS_DEADLINE_MILLIS = 1_000;

/**
 * A pipeline of exchanges. It fails as a whole and once: whoever waits is told, and it is never used again.
 *
 * @example
 * ```ts
 * session.submit(new SimpleQuery("select 1", handler), { timeoutMillis: 5000 });
 * ```
 */
export class Session {
  processId = 0;
  secretKey: Uint8Array = new Uint8Array(0);
  transactionStatus: TransactionStatus | undefined;
  /** The server's run-time parameters, such as `server_version`, kept current. */
  readonly parameters: RunTimeParameters = new RunTimeParameters();
  readonly place: ErrorPlace;
  readonly duplex: Duplex;
  /** Named statements that were sent to be parsed, with their text. */
  readonly statements: Map<string, PreparedStatement> = new Map();
  /** Of the statements without a name those that are kept prepared. */
  readonly kept: StatementCache | undefined;

  readonly #frames: FrameReader;
  readonly #outbox: Outbox;
  readonly #events: SessionEvents;
  readonly #context: ExchangeContext;
  readonly #canceller: Canceller;
  readonly #sent = new Fifo<Exchange>();
  readonly #waiting = new Fifo<Exchange>();
  /** How many were refused and have not heard of it yet. */
  #refusing = 0;
  readonly #scope = new RequestScope();
  #failure: Error | undefined;
  #started = false;
  #over = false;
  #ending: Promise<void> | undefined;
  #fatal: DatabaseError | undefined;
  #endsSoon = false;
  readonly #idleness: IdleWatch;

  constructor(options: SessionOptions) {
    this.duplex = options.duplex;
    this.place = options.place;
    this.kept = options.kept;
    this.#frames = options.frames;
    this.#outbox = new Outbox(options.writer, options.duplex, (cause) => this.#writeFailed(cause));
    this.#events = options.events;
    this.#canceller = new Canceller({
      request: (wanted) => options.requestCancel(this, wanted),
      delivered: () => this.#sendWaiting(),
      failed: (cause) => this.destroy(cancelFailed(this.#during("query"), cause)),
    });
    this.#idleness = new IdleWatch(options.idleTimeoutMillis, () => this.outstanding === 0, () => void this.end());
    this.#context = {
      writer: options.writer,
      flush: () => this.#outbox.flush(),
      alone: () => this.#sent.length === 1,
      drained: () => this.#outbox.drained(),
    };
  }

  /** Exchanges that wait for their end, sent or not. */
  get outstanding(): number {
    return this.#sent.length + this.#waiting.length;
  }

  /** Whether something has the connection to itself, or will have: whoever asks next is answered after its end. */
  get occupied(): boolean {
    for (const exchanges of [this.#sent, this.#waiting]) {
      for (const exchange of exchanges) if (exchange.exclusive) return true;
    }
    return false;
  }

  /** Those that hear the answers still to come, in their order. */
  get handlers(): readonly unknown[] {
    return [...this.#sent, ...this.#waiting].filter(({ abandoned }) => !abandoned).map(({ handler }) => handler);
  }

  /** Why the session is over, where it was not ended on purpose. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** False once the session is over or on its way there. */
  get usable(): boolean {
    return this.#failure === undefined && this.#ending === undefined;
  }

  /** Whether it belongs to another request of a Worker than the one that runs, and so is of no use here. */
  get foreign(): boolean {
    return !this.#scope.here;
  }

  /**
   * Queues an exchange; it is written in this turn of the event loop unless something exclusive stands before it. What
   * fails does so once this has returned, so that the caller can listen first.
   */
  submit(exchange: Exchange, patience?: Patience): void {
    if (this.#failure !== undefined || this.#ending !== undefined) {
      return this.#refuse(exchange, notUsable(this.#during("close"), this.#failure));
    }
    if (this.foreign) return this.#refuse(exchange, ofAnotherRequest(this.#during("query")));
    if (patience?.signal?.aborted) {
      return this.#refuse(exchange, queryAborted(this.#during("query"), patience.signal));
    }
    if (this.#maySend(exchange)) {
      if (!this.#send(exchange)) return;
    } else this.#waiting.push(exchange);
    if (patience !== undefined) watchPatience(exchange, patience, (why) => this.#abandon(exchange, why));
  }

  /** Begins to read answers; the startup calls it once the server is ready. */
  start(): void {
    this.#started = true;
    this.#idleness.start();
    const current = this.#sent.peek();
    if (current?.abandoned) this.#canceller.cancel(current);
    this.#readAnswers().catch((cause) => this.destroy(broken(this.#here(), cause)));
  }

  /**
   * Ends the session cleanly: Terminate after what was written, then the transport's end. What is still outstanding is
   * not waited for, since it might never end; it fails.
   */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  /** Keeps back what has not left yet, of whoever ends the session in the same breath. */
  keepBack(): void {
    this.#outbox.writer.rollBack(0);
  }

  /** Ends the session at once. Every outstanding exchange fails with `error`. */
  destroy(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#idleness.stop();
    this.duplex.close(error);
    this.#outbox.close();
    const current = this.#sent.peek();
    for (const exchange of [...this.#sent, ...this.#waiting]) {
      // What the server said last belongs to what it was doing.
      this.#failExchange(exchange, exchange === current && this.#fatal !== undefined ? this.#fatal : error);
    }
    this.#sent.clear();
    this.#waiting.clear();
    this.#announceEnd(error);
  }

  /** Takes the ParameterStatus that the frames stand at; the startup calls it, too. */
  parameterStatus(): void {
    const { bytes, start, end } = this.#frames;
    const { parameter, value } = decodeParameterStatus(bytes, start, end);
    this.parameters.report(parameter, value);
    this.#events.parameterStatus?.(parameter, value);
  }

  // -- writing

  #maySend(exchange: Exchange): boolean {
    if (this.#waiting.length > 0 || this.#canceller.underWay) return false;
    return exchange.exclusive ? this.#sent.length === 0 : !this.#exclusiveInFlight();
  }

  #exclusiveInFlight(): boolean {
    return this.#sent.peek()?.exclusive ?? false;
  }

  /** Encodes the exchange; false where it could not be, which concerns it alone. */
  #send(exchange: Exchange): boolean {
    try {
      this.#outbox.encode(exchange, this.#context);
    } catch (error) {
      const failure = encodingFailed(error);
      this.#refuse(exchange, failure instanceof DriverError ? failure.addPlace(this.#during("query")) : failure);
      return false;
    }
    this.#sent.push(exchange);
    this.#outbox.flush();
    return true;
  }

  #sendWaiting(): void {
    for (let next = this.#waiting.peek(); next !== undefined; next = this.#waiting.peek()) {
      if (this.#canceller.underWay) return;
      if (next.exclusive ? this.#sent.length > 0 : this.#exclusiveInFlight()) return;
      this.#waiting.shift();
      this.#send(next);
    }
  }

  /** The reading side knows better why the connection broke: the server's last words may still be there to be read. */
  #writeFailed(cause: unknown): void {
    this.#endSoon(() => this.destroy(broken(this.#here(), cause)));
  }

  /** Nothing can come but the end. Whoever owes it to us is not waited for without end. */
  #endSoon(end: () => void): void {
    if (this.#endsSoon) return;
    this.#endsSoon = true;
    const deadline = setTimeout(end, LAST_WORDS_DEADLINE_MILLIS);
    this.duplex.closed.then(() => clearTimeout(deadline));
  }

  // -- reading

  async #readAnswers(): Promise<void> {
    const { duplex } = this;
    const frames = this.#frames;
    while (this.#failure === undefined) {
      for (let type = frames.next(); type !== 0; type = frames.next()) {
        const held = this.#dispatch(type);
        if (held !== undefined) await held;
        if (this.#failure !== undefined) return;
      }
      const chunk = await duplex.read();
      if (chunk === null) return this.#peerEnded();
      frames.push(chunk);
    }
  }

  #dispatch(type: number): Promise<void> | void {
    const frames = this.#frames;
    switch (type) {
      case Backend.ReadyForQuery:
        return this.#readyForQuery(decodeReadyForQuery(frames.bytes, frames.start, frames.end));
      case Backend.ErrorResponse:
        return this.#errorResponse();
      case Backend.NoticeResponse:
        return this.#events.notice?.(
          decodeResponseFields(frames.bytes, frames.start, frames.end),
          frames.end - frames.start + 4,
        );
      case Backend.NotificationResponse:
        return this.#events.notification?.(
          decodeNotification(frames.bytes, frames.start, frames.end),
          frames.end - frames.start + 4,
        );
      case Backend.ParameterStatus:
        return this.parameterStatus();
    }
    const exchange = this.#sent.peek();
    if (exchange === undefined) throw unexpectedMessage(type);
    if (type === Backend.CopyInResponse && !exchange.exclusive && this.#sent.length > 1) {
      throw copyInPipeline();
    }
    return exchange.handle(type, frames, this.#context);
  }

  #readyForQuery(status: TransactionStatus): void {
    this.transactionStatus = status;
    const exchange = this.#sent.peek();
    if (exchange === undefined) throw unexpectedMessage(Backend.ReadyForQuery);
    if (exchange.continues(status)) return;
    this.#sent.shift();
    exchange.release?.();
    exchange.ready(status);
    const next = this.#sent.peek();
    if (next?.abandoned) this.#canceller.cancel(next);
    if (this.#waiting.length > 0) this.#sendWaiting();
    if (this.#sent.length === 0) {
      this.#idleness.begin();
      this.#tellDrained();
    }
  }

  #tellDrained(): void {
    if (this.outstanding === 0 && this.#refusing === 0 && this.usable) this.#events.drain?.();
  }

  #errorResponse(): void {
    const { bytes, start, end } = this.#frames;
    const report = decodeResponseFields(bytes, start, end);
    const error = new DatabaseError(report, { ...this.#here(), length: end - start + 4 });
    const exchange = this.#sent.peek();
    const fatal = report.severity === "FATAL" || report.severity === "PANIC";
    if (exchange === undefined || fatal) this.#fatal = error;
    if (exchange === undefined) {
      // The server takes a while to leave, and whoever asked meanwhile would be told that it has.
      if (fatal) this.destroy(error);
      return;
    }
    exchange.error(error);
    if (!fatal) return;
    this.#endSoon(() => this.#peerEnded());
    // No ReadyForQuery follows: who waits hears of it before anybody hears that the connection has ended.
    this.#failExchange(exchange, error);
    exchange.abandoned = true;
  }

  #peerEnded(): void {
    if (this.#ending !== undefined) return;
    // What the server said last is the reason itself, unless it belongs to a query.
    const reason = this.#sent.length === 0 ? this.#fatal : undefined;
    this.destroy(reason ?? peerEnded("", { ...this.#here(), cause: this.#fatal }));
  }

  // -- giving up on one exchange

  /**
   * Tells who waits at once; the server is asked to cancel, and the rest of its answer is read and dropped. Until that
   * request was delivered nothing new is sent, so that it cannot hit what comes later; what was in flight already may be
   * hit where the cancelled exchange ends by itself in that moment.
   */
  #abandon(exchange: Exchange, why: GivenUp): void {
    const place = this.#during("query");
    const error = why.by === "timeout" ? queryTimedOut(place, why.timeoutMillis) : queryAborted(place, why.signal);
    if (this.#waiting.remove(exchange)) {
      error.safeToRetry = true;
      return this.#failExchange(exchange, error);
    }
    exchange.release?.();
    // Before it is told: whoever hears of it may end the session, which would tell it again.
    exchange.abandoned = true;
    exchange.fail(error);
    // Before the start there is no key to cancel with yet.
    if (this.#started && this.#sent.peek() === exchange) this.#canceller.cancel(exchange);
  }

  // -- the end

  async #end(): Promise<void> {
    if (this.#failure !== undefined) return;
    this.#idleness.stop();
    if (this.outstanding > 0) {
      this.destroy(endedByClient(this.#during("close")));
      return;
    }
    // With the connection of another request nothing can be done; a Worker closes what a request leaves when that ends.
    if (!this.foreign) await closeCleanly(this.duplex, this.#outbox.writer);
    this.#announceEnd(undefined);
  }

  #announceEnd(error: Error | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#events.end?.(error);
  }

  /** Fails what was not sent, once its submitter had the chance to listen. */
  #refuse(exchange: Exchange, error: Error): void {
    if (error instanceof DriverError) error.safeToRetry = true;
    this.#refusing++;
    queueMicrotask(() => {
      this.#refusing--;
      this.#failExchange(exchange, error);
      this.#tellDrained();
    });
  }

  #failExchange(exchange: Exchange, error: Error): void {
    exchange.release?.();
    if (!exchange.abandoned) exchange.fail(error);
  }

  // -- errors

  #here(): ErrorPlace {
    return this.#during(this.#sent.length > 0 ? "query" : "idle");
  }

  #during(phase: Phase): ErrorPlace {
    return { ...this.place, phase };
  }
}
