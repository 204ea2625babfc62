import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { Socket } from "node:net";
import process from "node:process";
import { test } from "node:test";
import type { WebSocket } from "ws";
import { deferred } from "../../src/duplex/waiting.ts";
import { type Proxy, type ProxyEvent, type ProxyOptions, startProxy } from "../../src/proxy/mod.ts";
import { pattern } from "../fixtures/pattern.ts";
import { closing, connectRaw, connectThrough, echo, frame, nextMessage, readAll } from "../fixtures/proxy.ts";
import { startTarget, type TcpTarget, tryThrough, upgradeRequest } from "../fixtures/proxy.ts";

const MIB = 1024 * 1024;
// What a relay may hold: a window of 256 KiB each way, and what was on its way when it filled.
const HELD_AT_MOST = MIB;

interface Setting {
  readonly proxy: Proxy;
  readonly target: TcpTarget;
  readonly events: ProxyEvent[];
  /** The report of the first connection that ends. */
  readonly ended: Promise<ProxyEvent & { kind: "closed" }>;
}

/** Runs a body with a proxy and a target, which are closed whatever happens. */
async function withTarget(
  onConnection: (socket: Socket) => void,
  body: (setting: Setting) => Promise<void>,
  options: ProxyOptions = {},
): Promise<void> {
  const target = await startTarget(onConnection);
  const events: ProxyEvent[] = [];
  const { promise: ended, resolve } = deferred<ProxyEvent & { kind: "closed" }>();
  const onEvent = (event: ProxyEvent) => {
    events.push(event);
    if (event.kind === "closed") resolve(event);
  };
  const proxy = await startProxy({ dev: true, onEvent, ...options });
  try {
    await body({ proxy, target, events, ended });
  } finally {
    await proxy.close({ drainMillis: 0 });
    await target.close();
  }
}

/** `total` bytes in chunks of the pattern, and their hash. */
function load(total: number, chunk: number): { chunks: Uint8Array[]; hash: string } {
  const hash = createHash("sha256");
  const chunks: Uint8Array[] = [];
  for (let offset = 0; offset < total; offset += chunk) {
    const bytes = pattern(offset, Math.min(chunk, total - offset));
    hash.update(bytes);
    chunks.push(bytes);
  }
  return { chunks, hash: hash.digest("hex") };
}

/** Hashes what arrives until `total` bytes have. */
function receive(total: number): { take(bytes: Uint8Array): void; hash: Promise<string> } {
  const hash = createHash("sha256");
  const { promise, resolve } = deferred<string>();
  let got = 0;
  return {
    take(bytes) {
      hash.update(bytes);
      got += bytes.length;
      if (got === total) resolve(hash.digest("hex"));
    },
    hash: promise,
  };
}

/** Sends back and forth over another connection until a counter has stood still for fifty round trips. */
async function standstill(proxy: Proxy, clock: TcpTarget, counter: () => number): Promise<void> {
  const socket = await connectThrough(proxy.url, clock.address);
  for (let quiet = 0, seen = counter(); quiet < 50; quiet++) {
    const answer = nextMessage(socket);
    socket.send("tick", { binary: true });
    await answer;
    // The clock's own ticks are counted as well.
    if (counter() - seen > 1000) quiet = 0;
    seen = counter();
  }
  socket.terminate();
}

test("bytes arrive as they were sent, in messages of every size", async () => {
  await withTarget(echo, async ({ proxy, target }) => {
    const socket = await connectThrough(proxy.url, target.address);
    const sizes = [1, 2, 125, 126, 127, 1000, 65535, 65536, 3, 4096, 60000, 0, 7];
    const total = sizes.reduce((sum, size) => sum + size, 0) * 4;
    const back = receive(total);
    socket.on("message", (bytes, isBinary) => {
      assert.equal(isBinary, true);
      back.take(bytes as Uint8Array);
    });
    const sent = createHash("sha256");
    let offset = 0;
    for (let round = 0; round < 4; round++) {
      for (const size of sizes) {
        const bytes = pattern(offset, size);
        offset += size;
        sent.update(bytes);
        socket.send(bytes);
      }
    }
    assert.equal(await back.hash, sent.digest("hex"));
    socket.close();
  });
});

test("fifty megabytes each way at once arrive whole, and little of it is ever held", async () => {
  const total = 50 * MIB;
  const { chunks, hash } = load(total, 65536);
  const there = receive(total);
  const onConnection = (socket: Socket) => {
    socket.on("data", there.take);
    socket.on("end", () => socket.end());
    for (const chunk of chunks) socket.write(chunk);
  };
  await withTarget(onConnection, async ({ proxy, target, ended }) => {
    const socket = await connectThrough(proxy.url, target.address);
    const back = receive(total);
    socket.on("message", (bytes) => back.take(bytes as Uint8Array));
    for (const chunk of chunks) socket.send(chunk);
    assert.deepEqual(await Promise.all([there.hash, back.hash]), [hash, hash]);
    socket.close();
    const report = await ended;
    assert.equal(report.bytesToTarget, total);
    assert.equal(report.bytesToClient, total);
    const { bytesHeld, bytesHeldPeak } = proxy.metrics();
    assert.equal(bytesHeld, 0);
    assert.ok(bytesHeldPeak <= HELD_AT_MOST, `${bytesHeldPeak} bytes were held`);
  });
});

test("a target that does not read makes the client wait", async () => {
  const total = 48 * MIB;
  const { chunks, hash } = load(total, 65536);
  const there = receive(total);
  const accepted = deferred<Socket>();
  const clock = await startTarget(echo);
  const onConnection = (socket: Socket) => accepted.resolve(socket.pause());
  await withTarget(onConnection, async ({ proxy, target }) => {
    const socket = await connectThrough(proxy.url, target.address);
    for (const chunk of chunks) socket.send(chunk);
    await standstill(proxy, clock, () => proxy.metrics().bytesToTarget);
    const { bytesHeldPeak, bytesHeld, bytesToTarget } = proxy.metrics();
    assert.ok(bytesToTarget < total, "everything fitted into the system's buffers: the test sends too little");
    assert.ok(bytesHeld > 0 && bytesHeldPeak <= HELD_AT_MOST, `${bytesHeldPeak} bytes were held`);
    assert.ok(socket.bufferedAmount > 0, "the client had nothing to wait for");

    const reader = await accepted.promise;
    reader.on("data", there.take);
    reader.resume();
    assert.equal(await there.hash, hash);
    assert.ok(proxy.metrics().bytesHeldPeak <= HELD_AT_MOST);
    socket.close();
  });
  await clock.close();
});

test("a client that does not read makes the target wait", async () => {
  const total = 48 * MIB;
  const { chunks, hash } = load(total, 65536);
  const clock = await startTarget(echo);
  const accepted = deferred<Socket>();
  const onConnection = (socket: Socket) => {
    for (const chunk of chunks) socket.write(chunk);
    accepted.resolve(socket);
  };
  await withTarget(onConnection, async ({ proxy, target }) => {
    const socket = await connectThrough(proxy.url, target.address);
    socket.pause();
    const back = receive(total);
    socket.on("message", (bytes) => back.take(bytes as Uint8Array));
    await standstill(proxy, clock, () => proxy.metrics().bytesToClient);
    const { bytesHeldPeak, bytesHeld } = proxy.metrics();
    assert.ok(bytesHeld > 0 && bytesHeldPeak <= HELD_AT_MOST, `${bytesHeldPeak} bytes were held`);
    assert.ok((await accepted.promise).writableLength > 0, "the target had nothing to wait for");

    socket.resume();
    assert.equal(await back.hash, hash);
    assert.ok(proxy.metrics().bytesHeldPeak <= HELD_AT_MOST);
    socket.close();
  });
  await clock.close();
});

test("when the target ends, its last bytes arrive before the goodbye", async () => {
  const { chunks, hash } = load(8 * MIB, 65536);
  const onConnection = (socket: Socket) => {
    for (const chunk of chunks) socket.write(chunk);
    socket.end();
  };
  await withTarget(onConnection, async ({ proxy, target, ended }) => {
    const socket = await connectThrough(proxy.url, target.address);
    const back = receive(8 * MIB);
    socket.on("message", (bytes) => back.take(bytes as Uint8Array));
    assert.deepEqual(await closing(socket), { code: 1000, reason: "the target closed the connection" });
    assert.equal(await back.hash, hash);
    assert.equal((await ended).cause, "target");
  });
});

test("a target that has ended still hears what the client sends until its goodbye", async () => {
  const heard = deferred<string>();
  const onConnection = (socket: Socket) => {
    socket.end("bye");
    readAll(socket).then(heard.resolve);
  };
  await withTarget(onConnection, async ({ proxy, target, ended }) => {
    const client = connectRaw(proxy.port);
    client.write(upgradeRequest(target.address));
    const goodbye = deferred<void>();
    let text = "";
    client.setEncoding("latin1");
    client.on("data", (chunk) => {
      text += chunk;
      if (text.includes("the target closed the connection")) goodbye.resolve();
    });
    await goodbye.promise;
    assert.ok(text.includes("\x82\x03bye"));
    client.write(frame("binary", "late"));
    client.write(frame("close", new Uint8Array([0x03, 0xe8])));
    assert.equal(await heard.promise, "late");
    assert.equal((await ended).bytesToTarget, 4);
    client.destroy();
  });
});

test("when the client says goodbye, the target hears all of it and then the end", async () => {
  const total = 8 * MIB;
  const { chunks, hash } = load(total, 65536);
  const there = receive(total);
  const over = deferred<void>();
  const onConnection = (socket: Socket) => {
    socket.on("data", there.take);
    socket.on("end", () => {
      over.resolve();
      socket.end("words that nobody hears");
    });
  };
  await withTarget(onConnection, async ({ proxy, target, ended }) => {
    const socket = await connectThrough(proxy.url, target.address);
    for (const chunk of chunks) socket.send(chunk);
    socket.close(1000, "done");
    assert.deepEqual(await closing(socket), { code: 1000, reason: "done" });
    assert.equal(await there.hash, hash);
    await over.promise;
    assert.equal((await ended).cause, "client");
  });
});

test("a target that does not end after the client is left to itself after a while", async () => {
  const over = deferred<void>();
  const onConnection = (socket: Socket) => {
    socket.resume();
    socket.on("end", () => over.resolve()); // and keeps its own side open
  };
  const options = { lingerMillis: 50 };
  await withTarget(onConnection, async ({ proxy, target, ended }) => {
    const socket = await connectThrough(proxy.url, target.address);
    socket.close();
    await over.promise;
    assert.equal((await ended).cause, "client");
    assert.equal(proxy.connections, 0);
  }, options);
});

test("a target that resets the connection closes the client's with 1011 and says so", async () => {
  const onConnection = (socket: Socket) => void socket.once("data", () => socket.resetAndDestroy());
  await withTarget(onConnection, async ({ proxy, target, ended }) => {
    const socket = await connectThrough(proxy.url, target.address);
    socket.send("x", { binary: true });
    assert.deepEqual(await closing(socket), { code: 1011, reason: "the target reset the connection" });
    assert.equal((await ended).cause, "target-lost");
  });
});

test("a client that breaks off takes its connection to the target with it", async () => {
  const over = deferred<void>();
  const onConnection = (socket: Socket) => {
    socket.resume();
    socket.on("close", () => over.resolve());
    socket.on("end", () => socket.end());
  };
  await withTarget(onConnection, async ({ proxy, target, ended }) => {
    const socket = await connectThrough(proxy.url, target.address);
    socket.terminate();
    await over.promise;
    assert.equal((await ended).cause, "client-lost");
  });
});

test("messages that break the rules end the connection with the code that fits", async () => {
  const cases: [name: string, send: (socket: WebSocket) => void, code: number, reason: string][] = [
    ["text", (socket) => socket.send("SELECT 1"), 1003, "only binary messages are relayed"],
    ["too long", (socket) => socket.send(new Uint8Array(2049)), 1009, ""],
    [
      "too long in fragments",
      (socket) => {
        socket.send(new Uint8Array(2000), { fin: false });
        socket.send(new Uint8Array(49));
      },
      1009,
      "",
    ],
  ];
  for (const [name, send, code, reason] of cases) {
    const over = deferred<void>();
    const onConnection = (socket: Socket) => void socket.resume().on("close", () => over.resolve());
    const options = { maxMessageBytes: 2048 };
    await withTarget(onConnection, async ({ proxy, target, ended }) => {
      const socket = await connectThrough(proxy.url, target.address);
      socket.on("error", () => {});
      socket.send(new Uint8Array(2048));
      send(socket);
      assert.deepEqual(await closing(socket), { code, reason }, name);
      const report = await ended;
      assert.equal(report.cause, "client-lost", name);
      assert.match(report.reason, /broke the rules/, name);
      assert.equal(proxy.metrics().bytesHeld, 0, name);
    }, options);
    await over.promise;
  }
});

test("a connection over which nothing is sent ends", async () => {
  const over = deferred<void>();
  const onConnection = (socket: Socket) => void socket.resume().on("end", () => over.resolve());
  await withTarget(onConnection, async ({ proxy, target, ended }) => {
    const socket = await connectThrough(proxy.url, target.address);
    assert.deepEqual(await closing(socket), { code: 1001, reason: "nothing was sent either way for 0.06 s" });
    await over.promise;
    assert.equal((await ended).cause, "idle");
  }, { idleTimeoutMillis: 60 });
});

test("a client that cannot be reached any more is given up", async () => {
  await withTarget(echo, async ({ proxy, target, ended }) => {
    const client = connectRaw(proxy.port); // answers no ping
    client.resume();
    client.write(upgradeRequest(target.address));
    assert.equal((await ended).cause, "client-lost");
    client.destroy();
  }, { pingIntervalMillis: 20 });
});

test("a client that answers pings is kept", async () => {
  await withTarget(echo, async ({ proxy, target }) => {
    const socket = await connectThrough(proxy.url, target.address);
    for (let pings = 0; pings < 4; pings++) await once(socket, "ping");
    const echoed = nextMessage(socket);
    socket.send("still here", { binary: true });
    assert.equal(String(await echoed), "still here");
    socket.close();
  }, { pingIntervalMillis: 20 });
});

test("bytes that come with the request, or while the target is dialled, reach it in order", async () => {
  const resolving = deferred<void>();
  const resolved = deferred<string[]>();
  const resolve = () => {
    resolving.resolve();
    return resolved.promise;
  };
  const heard = deferred<string>();
  const onConnection = (socket: Socket) => void readAll(socket).then(heard.resolve);
  await withTarget(onConnection, async ({ proxy, target }) => {
    const client = connectRaw(proxy.port);
    client.write(Buffer.concat([Buffer.from(upgradeRequest(`db.example:${target.port}`)), frame("binary", "one ")]));
    await resolving.promise;
    client.write(frame("binary", "two "));
    // Another connection's round trip, so that the proxy has read the second frame.
    assert.ok("status" in await tryThrough(proxy.url, "nowhere"));
    resolved.resolve(["127.0.0.1"]);
    await once(client, "data");
    client.write(frame("binary", "three"));
    client.write(frame("close", new Uint8Array([0x03, 0xe8])));
    assert.equal(await heard.promise, "one two three");
    client.destroy();
  }, { allow: ["db.example:*"], resolve });
});

test("more than a little that comes before the upgrade waits, and is not lost", async () => {
  const total = 8 * MIB;
  const { chunks, hash } = load(total, 65536);
  const there = receive(total);
  const clock = await startTarget(echo);
  const resolved = deferred<string[]>();
  const resolve = (host: string) => host === "db.example" ? resolved.promise : Promise.resolve(["127.0.0.1"]);
  await withTarget((socket) => void socket.on("data", there.take), async ({ proxy, target }) => {
    const client = connectRaw(proxy.port);
    client.write(upgradeRequest(`db.example:${target.port}`));
    for (const chunk of chunks) {
      const length = new Uint8Array(8);
      new DataView(length.buffer).setBigUint64(0, BigInt(chunk.length));
      client.write(Buffer.concat([Uint8Array.from([0x82, 0xff, ...length, 0, 0, 0, 0]), chunk]));
    }
    await standstill(proxy, clock, () => client.bytesWritten - client.writableLength);
    assert.ok(client.writableLength > 0, "the client had nothing to wait for");
    resolved.resolve(["127.0.0.1"]);
    assert.equal(await there.hash, hash);
    client.destroy();
  }, { allow: ["*:*"], allowPrivate: true, resolve });
  await clock.close();
});

test("compression and subprotocols that are not known are not agreed to", async () => {
  await withTarget(echo, async ({ proxy, target }) => {
    const client = connectRaw(proxy.port);
    const offers = "Sec-WebSocket-Protocol: chat, pgduplex.v2\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    client.write(upgradeRequest(target.address).replace(/\r\n$/, offers));
    client.setEncoding("latin1");
    const [answer] = await once(client, "data");
    assert.match(answer, /^HTTP\/1\.1 101 /);
    assert.doesNotMatch(answer, /sec-websocket-(protocol|extensions)/i);
    client.destroy();
  });
});

test("a proxy that drains takes no more, lets connections end, and ends them when the time is over", async () => {
  await withTarget(echo, async ({ proxy, target }) => {
    const first = await connectThrough(proxy.url, target.address);
    const second = await connectThrough(proxy.url, target.address);
    let drained = false;
    const draining = proxy.close({ drainMillis: 600_000 }).then(() => drained = true);
    await assert.rejects(tryThrough(proxy.url, target.address), { code: "ECONNREFUSED" });

    const echoed = nextMessage(first);
    first.send("still served", { binary: true });
    assert.equal(String(await echoed), "still served");
    first.close();
    await closing(first);
    assert.equal(drained, false);

    const secondClosed = closing(second);
    await proxy.close({ drainMillis: 0 });
    assert.deepEqual(await secondClosed, { code: 1001, reason: "the proxy is shutting down" });
    await draining;
    assert.equal(proxy.connections, 0);
  });
});

test("events tell of each connection", async () => {
  await withTarget(echo, async ({ proxy, target, events, ended }) => {
    const socket = await connectThrough(proxy.url, target.address);
    const echoed = nextMessage(socket);
    socket.send("hello", { binary: true });
    await echoed;
    socket.close();
    await ended;
    assert.deepEqual(events.map((event) => event.kind), ["opened", "closed"]);
    const [opened, closed] = events;
    assert.ok(opened.kind === "opened" && closed.kind === "closed");
    assert.equal(opened.id, closed.id);
    assert.equal(opened.target, target.address);
    assert.equal(opened.address, "127.0.0.1");
    assert.match(opened.client, /^(127\.0\.0\.1|\[::ffff:127\.0\.0\.1\]):\d+$/);
    assert.equal(closed.bytesToTarget, 5);
    assert.equal(closed.bytesToClient, 5);
  });
});

test("the runtime's own WebSocket is served", {
  skip: typeof globalThis.WebSocket === "undefined" ? "this runtime has no WebSocket of its own" : false,
}, async () => {
  await withTarget(echo, async ({ proxy, target }) => {
    const socket = new globalThis.WebSocket(`${proxy.url}?address=${target.address}`);
    socket.binaryType = "arraybuffer";
    const { promise, resolve } = deferred<ArrayBuffer>();
    socket.onopen = () => socket.send(new Uint8Array([1, 2, 3]));
    socket.onmessage = (event) => resolve(event.data);
    assert.deepEqual(new Uint8Array(await promise), new Uint8Array([1, 2, 3]));
    const closed = deferred<CloseEvent>();
    socket.onclose = closed.resolve;
    socket.close(1000);
    assert.equal((await closed.promise).code, 1000);
  });
});

test("however many connections there are, the runtime has nothing to warn of", async () => {
  const warnings: string[] = [];
  const onWarning = ({ message }: Error) => void warnings.push(message);
  process.on("warning", onWarning);
  try {
    await withTarget(echo, async ({ proxy, target }) => {
      const clients = await Promise.all(Array.from({ length: 24 }, () => connectThrough(proxy.url, target.address)));
      assert.equal(proxy.metrics().connections, 24);
      await new Promise(setImmediate); // a warning is emitted in the next tick
      for (const client of clients) client.close();
      await Promise.all(clients.map(closing));
    });
  } finally {
    process.off("warning", onWarning);
  }
  assert.deepEqual(warnings, []);
});
