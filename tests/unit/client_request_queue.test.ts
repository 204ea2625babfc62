import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred } from "../../src/duplex/waiting.ts";
import { Place } from "../../src/client/place.ts";
import type { Request } from "../../src/client/request.ts";
import { RequestQueue } from "../../src/client/request_queue.ts";
import type { Session } from "../../src/session/session.ts";

const session = {} as Session;

/** A request that writes down what becomes of it. */
class Recorded implements Request {
  readonly signal: AbortSignal | undefined;
  readonly #name: string;
  readonly #log: string[];
  readonly timeoutMillis: number;
  loading: Promise<unknown> | undefined;

  constructor(name: string, log: string[], rest: Partial<Pick<Request, "loading" | "signal" | "timeoutMillis">> = {}) {
    this.#name = name;
    this.#log = log;
    this.loading = rest.loading;
    this.signal = rest.signal;
    this.timeoutMillis = rest.timeoutMillis ?? 0;
  }

  start(): void {
    this.#log.push(this.#name);
  }

  failed(error: Error): void {
    this.#log.push(`${this.#name}: ${error.message}`);
  }
}

/** A queue, what has become of its requests, and a way to let one of them be loaded. */
function setUp() {
  const log: string[] = [];
  const queue: RequestQueue = new RequestQueue({ host: "peer" }, () => queue.startAll(session));
  const code = deferred<void>();
  const slow = new Recorded("slow", log);
  slow.loading = code.promise.then(() => slow.loading = undefined);
  return { log, queue, slow, code };
}

test("what is asked for behind a request that is still being loaded waits for it", async () => {
  const { log, queue, slow, code } = setUp();
  for (const request of [new Recorded("first", log), slow, new Recorded("last", log)]) queue.add(request);
  queue.startAll(session);
  assert.deepEqual(log, ["first"]);
  assert.equal(queue.holds, true);
  code.resolve();
  await slow.loading;
  await Promise.resolve();
  assert.deepEqual(log, ["first", "slow", "last"]);
  assert.equal(queue.holds, false);
});

test("a request whose code cannot be loaded fails alone", async () => {
  const { log, queue, slow, code } = setUp();
  for (const request of [slow, new Recorded("last", log)]) queue.add(request);
  const loading = slow.loading;
  code.reject(new Error("offline"));
  await assert.rejects(loading ?? Promise.resolve());
  await Promise.resolve();
  assert.deepEqual(log, ["slow: offline", "last"]);
});

test("a request that is given up while it waits lets those behind it go on", () => {
  const { log, queue, code } = setUp();
  const abort = new AbortController();
  const given = new Recorded("given up", log, { signal: abort.signal, loading: code.promise });
  queue.add(given);
  queue.add(new Recorded("last", log));
  queue.startAll(session);
  abort.abort();
  assert.deepEqual(log, ["given up: the query was aborted by its AbortSignal [peer, during query]", "last"]);
});

test("what a request asks for while it starts goes with it", () => {
  const log: string[] = [];
  const queue = new RequestQueue({}, () => {});
  const holding: boolean[] = [];
  queue.add({ timeoutMillis: 0, signal: undefined, start: () => void holding.push(queue.holds), failed: () => {} });
  queue.add(new Recorded("last", log));
  assert.equal(queue.holds, true);
  queue.startAll(session);
  assert.deepEqual([holding, log, queue.holds], [[false], ["last"], false]);
});

test("where there will be no session, all fail in their order", () => {
  const { log, queue, slow } = setUp();
  for (const request of [slow, new Recorded("last", log)]) queue.add(request);
  queue.failAll(() => new Error("ended"));
  assert.deepEqual(log, ["slow: ended", "last: ended"]);
  assert.equal(queue.holds, false);
});

test("a place is taken once its code is loaded, and tells what was done there", async () => {
  const place = new Place(({ Transactions }, given, timeoutMillis) => {
    assert.equal(given, session);
    return [typeof Transactions, timeoutMillis];
  });
  assert.notEqual(place.loading, undefined);
  await place.loading;
  assert.equal(place.loading, undefined);
  place.start(session, 7);
  assert.deepEqual(await place.taken, ["function", 7]);
  assert.equal(new Place(() => {}).loading, undefined);
});
