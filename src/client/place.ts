/**
 * What few programs ask a client for is loaded when it is first asked for. Its place among the requests is taken at
 * once, so that nothing overtakes it.
 *
 * @module
 */

import { assertSignal } from "../duplex/abort_signal.ts";
import { deferred } from "../duplex/waiting.ts";
import { loadPart } from "../part.ts";
import type { Session } from "../session/session.ts";
import { decodersLoading } from "../types/builtin_decoders.ts";
import type { Request } from "./request.ts";

/** The part of the package that is loaded when it is first needed. */
export type Operations = typeof import("./operations.ts");

/** A cache: modules never change. */
let operations: Operations | undefined;

/** @throws {ClientError} `PART_NOT_LOADED` */
export async function loadOperations(): Promise<Operations> {
  const loading = decodersLoading(); // of any kind, which rows in parts and COPY do not wait for
  const loaded = await loadPart(async () => await import("./operations.ts"));
  await loading;
  return operations = loaded;
}

/** What is done when the place is reached. */
export type Take<T> = (operations: Operations, session: Session, timeoutMillis: number) => T;

/** What a place says of itself; without a timeout it waits for ever. */
type PlaceOptions = Partial<Pick<Request, "timeoutMillis" | "signal" | "handler">>;

/** A request whose code is perhaps still being loaded. */
export class Place<T> implements Request {
  readonly timeoutMillis: number;
  readonly signal: AbortSignal | undefined;
  readonly handler: unknown;
  readonly #take: Take<T>;
  readonly #taken = deferred<Awaited<T>>();
  #operations: Operations | undefined = operations;
  #loading: Promise<unknown> | undefined;

  constructor(take: Take<T>, { timeoutMillis = 0, signal, handler }: PlaceOptions = {}) {
    assertSignal(signal);
    this.#take = take;
    this.timeoutMillis = timeoutMillis;
    this.signal = signal;
    this.handler = handler;
    // Whoever has a use for the outcome asks for it.
    this.taken.catch(() => {});
    if (operations !== undefined) return;
    this.#loading = loadOperations().then((loaded) => {
      this.#operations = loaded;
      this.#loading = undefined;
    });
  }

  /** Resolves with what was done, or rejects where it could not be. */
  get taken(): Promise<Awaited<T>> {
    return this.#taken.promise;
  }

  get loading(): Promise<unknown> | undefined {
    return this.#loading;
  }

  start(session: Session, timeoutMillis: number): void {
    if (this.#operations === undefined) throw new TypeError("a place cannot be taken before its code is loaded");
    try {
      this.#taken.resolve(this.#take(this.#operations, session, timeoutMillis) as Awaited<T>);
    } catch (error) {
      this.#taken.reject(error);
    }
  }

  failed(error: Error): void {
    this.#taken.reject(error);
  }
}
