import assert from "node:assert/strict";
import { EventEmitter as NodeEmitter, once } from "node:events";
import { test } from "node:test";
import { EventEmitter } from "../../scripts/npm/event_emitter.ts";

type Emitter = EventEmitter | NodeEmitter;
type Log = (...what: unknown[]) => unknown;

/** What a program does with an emitter; it must go the same with Node's. */
const cases: readonly [name: string, use: (emitter: Emitter, log: Log) => void][] = [
  ["nobody listens", (emitter, log) => log(emitter.emit("row", 1))],
  ["listeners are called in order, with the arguments and the emitter as this", (emitter, log) => {
    emitter.on("row", (...args) => log("one", ...args));
    emitter.addListener("row", function (this: unknown) {
      log(this === emitter);
    });
    emitter.prependListener("row", () => log("first"));
    log(emitter.emit("row", 1, 2));
  }],
  ["once", (emitter, log) => {
    emitter.once("end", () => log("once"));
    emitter.prependOnceListener("end", () => log("before"));
    log(emitter.emit("end"), emitter.emit("end"));
  }],
  ["an error that nobody listens to is thrown", (emitter) => emitter.emit("error", new RangeError("gone"))],
  ["an error that is none is thrown as one", (emitter) => emitter.emit("error", undefined)],
  ["an error that somebody listens to is not", (emitter, log) => {
    emitter.on("error", log);
    log(emitter.emit("error", "text"));
  }],
  ["off takes the one that was added last", (emitter, log) => {
    const twice = () => log("twice");
    emitter.on("row", twice).on("row", () => log("between")).on("row", twice).off("row", twice);
    emitter.removeListener("row", () => {});
    emitter.emit("row");
    log(emitter.listenerCount("row"), emitter.listenerCount("row", twice));
  }],
  ["what is added or removed by a listener counts from the next event on", (emitter, log) => {
    const second = () => log("second");
    emitter.on("row", () => emitter.off("row", second).on("row", () => log("late")));
    emitter.on("row", second);
    emitter.emit("row");
    log("again");
    emitter.emit("row");
  }],
  ["once is over before it is called", (emitter, log) => {
    emitter.once("row", () => log(emitter.emit("row")));
    emitter.emit("row");
  }],
  ["a once can be taken back", (emitter, log) => {
    emitter.once("row", log).off("row", log as () => void);
    log(emitter.emit("row"));
  }],
  ["names and listeners", (emitter, log) => {
    const symbol = Symbol.for("s");
    const listener = () => {};
    emitter.on("b", listener).on("a", listener).once(symbol, listener);
    log(emitter.eventNames(), emitter.listeners(symbol)[0] === listener, emitter.listeners("none"));
    emitter.removeAllListeners("b");
    log(emitter.eventNames(), emitter.listenerCount("b"));
    emitter.removeAllListeners();
    log(emitter.eventNames());
  }],
  ["newListener and removeListener", (emitter, log) => {
    const listener = () => {};
    emitter.on("newListener", (name, one) => log("new", name, one === listener, emitter.listenerCount(name)));
    emitter.on("removeListener", (name, one) => log("removed", name, one === listener, emitter.listenerCount(name)));
    emitter.on("row", listener).off("row", listener);
    emitter.once("end", listener).emit("end");
    emitter.on("row", listener).on("row", listener).removeAllListeners();
    log(emitter.eventNames());
  }],
  ["a listener must be a function", (emitter) => emitter.on("row", 1 as unknown as () => void)],
  ["the greatest number of listeners is kept", (emitter, log) => {
    log(emitter.getMaxListeners(), emitter.setMaxListeners(3) === emitter, emitter.getMaxListeners());
  }],
];

function logOf(emitter: Emitter, use: (emitter: Emitter, log: Log) => void): unknown[] {
  const log: unknown[] = [];
  try {
    use(emitter, (...what) => void log.push(what));
  } catch (error) {
    assert.ok(error instanceof Error);
    log.push("thrown", error instanceof TypeError, error instanceof RangeError ? error.message : undefined);
  }
  return log;
}

for (const [name, use] of cases) {
  test(`as Node's emitter: ${name}`, () => {
    const expected = logOf(new NodeEmitter(), use);
    assert.ok(expected.length > 0);
    assert.deepEqual(logOf(new EventEmitter(), use), expected);
  });
}

test("a class that extends it can be waited for by Node's once", async () => {
  class Client extends EventEmitter {}
  const client = new Client();
  const waiting = once(client as unknown as NodeEmitter, "end");
  client.emit("end", 7);
  assert.deepEqual(await waiting, [7]);
});
