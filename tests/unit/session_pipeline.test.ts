import assert from "node:assert/strict";
import { test } from "node:test";
import { QueryRequest } from "../../src/client/query/run.ts";
import { deferred } from "../../src/duplex/waiting.ts";
import { openDuplex } from "../../src/duplex/open.ts";
import { FrameReader } from "../../src/protocol/frame_reader.ts";
import { MessageWriter } from "../../src/protocol/message_writer.ts";
import { ExtendedQuery } from "../../src/session/extended_query.ts";
import type { Exchange } from "../../src/session/exchange.ts";
import type { QueryHandler } from "../../src/session/query_exchange.ts";
import type { SessionEvents } from "../../src/session/session_options.ts";
import { Session } from "../../src/session/session.ts";
import { SimpleQuery } from "../../src/session/simple_query.ts";
import { types } from "../../src/types/registry.ts";
import { wire } from "../fixtures/bytes.ts";

const READY = wire("'Z' 00000005 'I'");
const DONE = wire("'C' 0000000d 'SELECT 0' 00 'Z' 00000005 'I'");
const COPY_IN = wire("'G' 00000007 00 0000");
const COPY_FAILED = wire("'E' 0000001b 'SERROR' 00 'C57014' 00 'Mfailed' 00 00 'Z' 00000005 'I'");
const FATAL = wire("'E' 0000001c 'VFATAL' 00 'C57P01' 00 'Mgoodbye' 00 00");

interface Setup {
  readonly events?: SessionEvents;
  readonly requestCancel?: () => Promise<void>;
  /** Whether each write waits until it is taken by {@linkcode Peer.takeWrite}. */
  readonly slow?: boolean;
}

/** The server's end of a session that has started. */
interface Peer {
  readonly session: Session;
  /** The writes so far, as the types of the messages in each: `QQ`, `PBDES`. */
  readonly writes: string[];
  /** Resolves with all writes so far once there are so many. */
  written(count: number): Promise<readonly string[]>;
  /** Lets a slow transport take its next write. */
  takeWrite(): void;
  answer(...bytes: readonly Uint8Array[]): void;
  hangUp(): void;
}

async function startPeer(
  { events = {}, requestCancel = () => Promise.resolve(), slow = false }: Setup = {},
): Promise<Peer> {
  const writes: string[] = [];
  let onWrite = () => {};
  let release = () => {};
  const controller = deferred<ReadableStreamDefaultController<Uint8Array>>();
  const readable = new ReadableStream<Uint8Array>({ start: (given) => controller.resolve(given) });
  const writable = new WritableStream<Uint8Array>({
    write(bytes) {
      writes.push(messageTypes(bytes));
      onWrite();
      if (slow) return new Promise<void>((resolve) => release = resolve);
    },
  }, { highWaterMark: slow ? 1 : 1_000 });
  const duplex = await openDuplex({ host: "peer", port: 5432, openDuplex: () => ({ readable, writable }) });
  const session = new Session({
    duplex,
    frames: new FrameReader(),
    writer: new MessageWriter(),
    place: { host: "peer", port: 5432, transport: "streams" },
    events,
    idleTimeoutMillis: 0,
    requestCancel,
  });
  session.start();
  const { enqueue, close } = await controller.promise.then((given) => ({
    enqueue: (bytes: Uint8Array) => given.enqueue(bytes),
    close: () => given.close(),
  }));
  return {
    session,
    writes,
    async written(count) {
      while (writes.length < count) await new Promise<void>((resolve) => onWrite = resolve);
      return writes;
    },
    takeWrite: () => release(),
    answer: (...bytes) => bytes.forEach((part) => enqueue(part.slice())),
    hangUp: close,
  };
}

function messageTypes(bytes: Uint8Array): string {
  let types = "";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length; at += 1 + view.getUint32(at + 1)) types += String.fromCharCode(bytes[at]);
  return types;
}

/** Resolves with the tags of its results, or rejects. */
function outcome(make: (handler: QueryHandler) => Exchange, submit: (exchange: Exchange) => void): Promise<string[]> {
  const tags: string[] = [];
  return new Promise((resolve, reject) => {
    const sink = { fields() {}, row() {}, complete: (tag: string | null) => void tags.push(tag ?? "empty") };
    submit(make({ result: () => sink, done: () => resolve(tags), failed: reject }));
  });
}

const simple = ({ session }: Peer, text = "select") =>
  outcome((handler) => new SimpleQuery(text, handler), (exchange) => session.submit(exchange));

const extended = ({ session }: Peer, text = "select", name?: string) =>
  outcome(
    (handler) => new ExtendedQuery({ text, name, values: [] }, session.statements, handler),
    (exchange) => session.submit(exchange),
  );

/** As a client has it. */
function asClient({ session }: Peer): Promise<unknown> {
  return new Promise((done, failed) => {
    const defaults = { types, binary: false, datesAsUTC: false };
    new QueryRequest({ text: "select" }, defaults, 0, { done, failed }).start(session, 0);
  });
}

test("what is submitted in one turn of the event loop leaves in one write", async () => {
  const peer = await startPeer();
  const outcomes = [
    simple(peer),
    extended(peer),
    extended(peer, "named", "n"),
    extended(peer, "named", "n"),
    simple(peer),
  ];
  assert.deepEqual(await peer.written(1), ["QPBDESPBDESBDESQ"]);
  peer.answer(...outcomes.map(() => DONE));
  assert.deepEqual(await Promise.all(outcomes), outcomes.map(() => ["SELECT 0"]));
  assert.equal(peer.writes.length, 1);
});

test("what has become large leaves before the end of the turn, and what cannot be encoded behind it leaves no trace", async () => {
  const peer = await startPeer();
  const large = "x".repeat(50_000);
  const ask = () => outcome((handler) => new SimpleQuery(large, handler), (exchange) => peer.session.submit(exchange));
  const outcomes = [ask(), ask()];
  const refused = outcome(
    (handler) => new SimpleQuery(`${large}\0`, handler),
    (exchange) => peer.session.submit(exchange),
  );
  outcomes.push(ask());
  await assert.rejects(refused, { code: "STRING_CONTAINS_NUL" });
  assert.deepEqual(await peer.written(2), ["QQ", "Q"]);
  peer.answer(...outcomes.map(() => DONE));
  assert.deepEqual(await Promise.all(outcomes), outcomes.map(() => ["SELECT 0"]));
});

test("a slow transport gathers what comes meanwhile into one write", async () => {
  const peer = await startPeer({ slow: true });
  const outcomes = [simple(peer)];
  await peer.written(1);
  for (let turn = 0; turn < 5; turn++) {
    outcomes.push(simple(peer));
    await nextTurn();
  }
  assert.deepEqual(peer.writes, ["Q"]);
  peer.takeWrite();
  assert.deepEqual(await peer.written(2), ["Q", "QQQQQ"]);
  peer.answer(...outcomes.map(() => DONE));
  await Promise.all(outcomes);
});

/** A turn of the event loop: all microtasks, and then some. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

test("a COPY waits for what is before it, and holds back what is behind it", async () => {
  for (const copy of [simple, extended]) {
    const peer = await startPeer();
    const before = [simple(peer), extended(peer)];
    const copying = copy(peer, "copy t from stdin");
    const behind = [simple(peer), extended(peer)];
    assert.deepEqual(await peer.written(1), ["QPBDES"]);
    peer.answer(DONE);
    await before[0];
    await nextTurn();
    assert.equal(peer.writes.length, 1);
    peer.answer(DONE);
    const began = copy === simple ? "Q" : "PBDES";
    assert.deepEqual((await peer.written(2))[1], began);
    peer.answer(COPY_IN);
    // In the extended protocol the server has ignored the first Sync.
    assert.deepEqual((await peer.written(3))[2], copy === simple ? "f" : "fS");
    peer.answer(COPY_FAILED);
    await assert.rejects(copying, { code: "57014" });
    assert.deepEqual((await peer.written(4))[3], "QPBDES");
    peer.answer(DONE, DONE);
    await Promise.all([...before, ...behind]);
  }
});

test("what cannot be encoded leaves no byte behind", async () => {
  const peer = await startPeer();
  const first = simple(peer);
  await assert.rejects(extended(peer, "a\0b"), { code: "STRING_CONTAINS_NUL", host: "peer", safeToRetry: true });
  const last = simple(peer);
  peer.answer(DONE, DONE);
  await Promise.all([first, last]);
  assert.equal(peer.writes.join(""), "QQ");
});

test("answers are told apart wherever they are cut", async () => {
  const answers = wire(
    "'C' 0000000d 'SELECT 1' 00 'C' 0000000d 'SELECT 2' 00 'Z' 00000005 'I'" +
      "'S' 0000000c 'name' 00 'ab' 00 'C' 0000000d 'SELECT 3' 00 'Z' 00000005 'I'",
  );
  for (let cut = 1; cut < answers.length; cut++) {
    const peer = await startPeer();
    const outcomes = [simple(peer), simple(peer)];
    peer.answer(answers.subarray(0, cut), answers.subarray(cut));
    assert.deepEqual(await Promise.all(outcomes), [["SELECT 1", "SELECT 2"], ["SELECT 3"]]);
    assert.equal(peer.session.parameters.get("name"), "ab");
  }
});

test("a server that talks nonsense ends the session for all, with one error that is placed", async () => {
  const cases: readonly (readonly [name: string, answer: Uint8Array, code: string])[] = [
    ["a row without columns", wire("'D' 0000000a 0001 00000000"), "PROTOCOL_UNEXPECTED_MESSAGE"],
    ["a row of the wrong width", wire("'T' 00000006 0000 'D' 0000000a 0001 00000000"), "PROTOCOL_MALFORMED"],
    ["an unknown type of message", wire("'?' 00000004"), "PROTOCOL_MESSAGE_TYPE"],
    ["a message of another protocol", wire("'HTTP/1.1 200 OK'"), "PROTOCOL_MESSAGE_LENGTH"],
    ["an answer to something else", wire("'3' 00000004"), "PROTOCOL_UNEXPECTED_MESSAGE"],
    [
      "one ReadyForQuery too many",
      wire("'Z' 00000005 'I' 'Z' 00000005 'I' 'Z' 00000005 'I'"),
      "PROTOCOL_UNEXPECTED_MESSAGE",
    ],
    ["a status that is none", wire("'Z' 00000005 '?'"), "PROTOCOL_MALFORMED"],
  ];
  for (const [name, answer, code] of cases) {
    const ended = deferred<Error | undefined>();
    const peer = await startPeer({ events: { end: ended.resolve } });
    const outcomes = Promise.allSettled([asClient(peer), asClient(peer)]);
    peer.answer(answer);
    const error = await ended.promise as Error & { code: string; host: string };
    assert.deepEqual([error.code, error.host], [code, "peer"], `${name}: ${error.message}`);
    for (const each of await outcomes) if (each.status === "rejected") assert.equal(each.reason, error);
    await assert.rejects(simple(peer), { code: "CONNECTION_NOT_USABLE", safeToRetry: true });
  }
});

test("while a cancel is on its way nothing new is sent; what is abandoned reports once", async () => {
  const delivered = deferred<void>();
  let requests = 0;
  const peer = await startPeer({ requestCancel: () => ++requests === 1 ? delivered.promise : Promise.resolve() });
  const controller = new AbortController();
  const abandoned = outcome(
    (handler) => new SimpleQuery("select", handler),
    (exchange) => peer.session.submit(exchange, { signal: controller.signal }),
  );
  await peer.written(1);
  controller.abort();
  await assert.rejects(abandoned, { code: "ABORTED" });
  const next = simple(peer);
  peer.answer(READY);
  await nextTurn();
  assert.deepEqual([peer.writes, requests], [["Q"], 1]);
  delivered.resolve();
  await peer.written(2);
  peer.answer(DONE);
  assert.deepEqual(await next, ["SELECT 0"]);
});

test("an abandoned query whose turn comes while a cancel is on its way is cancelled next", async () => {
  const requests = [deferred<void>(), deferred<void>()];
  const second = deferred<void>();
  let asked = 0;
  const peer = await startPeer({
    requestCancel: () => {
      if (asked === 1) second.resolve();
      return requests[asked++].promise;
    },
  });
  const controller = new AbortController();
  const abandoned = [1, 2].map(() =>
    outcome(
      (handler) => new SimpleQuery("select", handler),
      (exchange) => peer.session.submit(exchange, { signal: controller.signal }),
    )
  );
  await peer.written(1);
  controller.abort();
  for (const each of abandoned) await assert.rejects(each, { code: "ABORTED" });
  peer.answer(READY); // the first has ended before its cancel is known to be delivered
  await nextTurn();
  assert.equal(asked, 1);
  requests[0].resolve();
  await second.promise;
  peer.answer(READY);
  requests[1].resolve();
  const next = simple(peer);
  peer.answer(DONE);
  await next;
});

test("a cancel that has hit nothing, having overtaken its query, is repeated", async () => {
  const twice = deferred<void>();
  let requests = 0;
  const peer = await startPeer({
    requestCancel: () => {
      if (++requests === 2) twice.resolve();
      return Promise.resolve();
    },
  });
  const controller = new AbortController();
  const abandoned = outcome(
    (handler) => new SimpleQuery("select", handler),
    (exchange) => peer.session.submit(exchange, { signal: controller.signal }),
  );
  controller.abort();
  await assert.rejects(abandoned, { code: "ABORTED" });
  await twice.promise;
  peer.answer(READY);
  const next = simple(peer);
  peer.answer(DONE);
  await next;
});

test("the server's last words are the reason: of the query that was running, else of the end", async () => {
  for (const running of [true, false]) {
    const ended = deferred<Error | undefined>();
    const peer = await startPeer({ events: { end: ended.resolve } });
    const outcomes = running ? Promise.allSettled([simple(peer), simple(peer)]) : Promise.resolve([]);
    peer.answer(FATAL);
    peer.hangUp();
    const codes = (await outcomes).map((each) => each.status === "rejected" && each.reason.code);
    const error = await ended.promise as Error & { code: string; cause?: { code: string } };
    if (running) assert.deepEqual([codes, error.cause?.code], [["57P01", "ECONNRESET"], "57P01"]);
    else assert.equal(error.code, "57P01");
  }
});
