import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { deferred } from "../../src/duplex/waiting.ts";
import { type Proxy, type ProxyEvent, startProxy } from "../../src/proxy/mod.ts";
import type { ProxyOptions } from "../../src/proxy/mod.ts";
import { connectRaw, connectThrough, echo, nextMessage, readAll, startTarget, tryThrough } from "../fixtures/proxy.ts";
import { type Refused, type TcpTarget, upgradeRequest } from "../fixtures/proxy.ts";

let target: TcpTarget;

before(async () => {
  target = await startTarget(echo);
});

after(() => target.close());

/** Runs a body with a proxy that is closed whatever happens. */
async function withProxy(options: ProxyOptions, body: (proxy: Proxy) => Promise<void>): Promise<void> {
  const proxy = await startProxy(options);
  try {
    await body(proxy);
  } finally {
    await proxy.close({ drainMillis: 0 });
  }
}

async function refusal(proxy: Proxy, address: string): Promise<Refused> {
  const outcome = await tryThrough(proxy.url, address);
  if (!(outcome instanceof WebSocket)) return outcome;
  outcome.terminate();
  throw new Error(`${address} was not refused`);
}

test("a request that is no upgrade to /v1 is told what to do", async () => {
  await withProxy({ dev: true }, async (proxy) => {
    const origin = proxy.url.replace("ws:", "http:").replace("/v1", "");
    const cases: [path: string, method: string, status: number, body: string][] = [
      ["/healthz", "GET", 200, "ok\n"],
      ["/healthz", "HEAD", 200, ""],
      ["/", "GET", 404, "nothing is here: WebSockets connect to /v1?address=host:port\n"],
      ["/v1?address=db:5432", "GET", 426, "this is for WebSockets only: connect with Upgrade: websocket\n"],
      ["/v1?address=db:5432", "POST", 405, "/v1 takes GET only\n"],
    ];
    for (const [path, method, status, body] of cases) {
      const response = await fetch(origin + path, { method });
      assert.equal(response.status, status, `${method} ${path}`);
      assert.equal(await response.text(), body, `${method} ${path}`);
    }
  });
});

test("an upgrade is refused with a status and one line that says why, before anything is dialled", async () => {
  await withProxy({ allow: [target.address, "*.example.com:5432"] }, async (proxy) => {
    const before = target.accepted;
    const cases: [address: string, status: number, body: RegExp][] = [
      ["", 400, /malformed/],
      ["db", 400, /malformed/],
      [`user@${target.address}`, 400, /malformed/],
      [`2130706433:${target.port}`, 400, /malformed/],
      ["localhost:5432", 403, /localhost:5432 is not in the proxy's allow-list/],
      ["127.0.0.1:1", 403, /127\.0\.0\.1:1 is not in/],
    ];
    for (const [address, status, body] of cases) {
      const refused = await refusal(proxy, address);
      assert.equal(refused.status, status, address);
      assert.match(refused.body, body, address);
      assert.match(refused.body, /^[^\n]+\n$/, address);
      assert.equal(refused.headers["content-type"], "text/plain; charset=utf-8");
    }
    assert.equal(target.accepted, before);
    assert.equal(proxy.metrics().refused, cases.length);
  });
});

test("where every host is allowed, this machine and its networks still are not", async () => {
  const resolve = (host: string) => {
    const answers: Record<string, string[]> = {
      "loop.example.com": ["127.0.0.1"],
      "mapped.example.com": ["::ffff:127.0.0.1"],
      "metadata.example.com": ["169.254.169.254"],
      "private.example.com": ["10.0.0.7", "fd12::7"],
    };
    return Promise.resolve(answers[host] ?? ["127.0.0.1", "::1"]);
  };
  await withProxy({ allow: ["*:*"], resolve }, async (proxy) => {
    const before = target.accepted;
    const hosts = ["127.0.0.1", "127.1.2.3", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"];
    const names = ["localhost", "LOCALHOST.", "loop.example.com", "mapped.example.com", "metadata.example.com"];
    for (const host of [...hosts, ...names, "private.example.com", "0.0.0.0", "[::]", "169.254.169.254"]) {
      const refused = await refusal(proxy, `${host}:${target.port}`);
      assert.equal(refused.status, 403, host);
      assert.match(refused.body, /leads to a /, host);
      assert.doesNotMatch(refused.body, /10\.0\.0\.7|fd12/, "the answer tells nothing of the network behind");
    }
    assert.equal(target.accepted, before);
  });
});

test("a name is resolved once, and the address that was checked is dialled", async () => {
  const asked: string[] = [];
  const resolve = (host: string) => {
    asked.push(host);
    return Promise.resolve(asked.length === 1 ? ["169.254.169.254", "127.0.0.1"] : ["169.254.169.254"]);
  };
  const events: ProxyEvent[] = [];
  const options = { allow: ["rebinding.example:*"], resolve, onEvent: (event: ProxyEvent) => void events.push(event) };
  await withProxy(options, async (proxy) => {
    const socket = await connectThrough(proxy.url, `rebinding.example:${target.port}`);
    const echoed = nextMessage(socket);
    socket.send("hello", { binary: true });
    assert.equal(String(await echoed), "hello");
    assert.deepEqual(asked, ["rebinding.example"]);
    assert.ok(events[0].kind === "opened");
    assert.equal(events[0].address, "127.0.0.1");
    assert.equal((await refusal(proxy, `rebinding.example:${target.port}`)).status, 403);
    socket.terminate();
  });
});

test("the system's resolver is used by default", async () => {
  await withProxy({ dev: true }, async (proxy) => {
    const socket = await connectThrough(proxy.url, `localhost:${target.port}`);
    const echoed = nextMessage(socket);
    socket.send("hello", { binary: true });
    assert.equal(String(await echoed), "hello");
    socket.terminate();
  });
});

test("a target that cannot be reached is an HTTP error, since it is dialled before the upgrade", async () => {
  const gone = await startTarget(() => {});
  await gone.close();
  await withProxy({ dev: true }, async (proxy) => {
    const refused = await refusal(proxy, gone.address);
    assert.equal(refused.status, 502);
    assert.equal(refused.body, `cannot connect to ${gone.address}: nothing listens there\n`);
    assert.equal(proxy.connections, 0);
  });
});

test("a name without an address is 502, a resolver that does not answer 504", async () => {
  const cases: [resolve: () => Promise<string[]>, status: number, body: RegExp][] = [
    [() => Promise.reject(new Error("getaddrinfo ENOTFOUND from 10.0.0.2")), 502, /^db\.example cannot be resolved\n$/],
    [() => Promise.resolve([]), 502, /db\.example has no address/],
    [() => Promise.resolve(["what is this"]), 502, /db\.example has no address/],
    [() => new Promise(() => {}), 504, /resolving db\.example took longer/],
  ];
  for (const [resolve, status, body] of cases) {
    await withProxy({ allow: ["db.example:5432"], resolve, dialTimeoutMillis: 50 }, async (proxy) => {
      const refused = await refusal(proxy, "db.example:5432");
      assert.equal(refused.status, status);
      assert.match(refused.body, body);
    });
  }
});

test("one connection too many is 503, until another has ended", async () => {
  const closed = deferred<void>();
  const onEvent = (event: ProxyEvent) => event.kind === "closed" && closed.resolve();
  await withProxy({ dev: true, maxConnections: 1, onEvent }, async (proxy) => {
    const first = await connectThrough(proxy.url, target.address);
    assert.equal(proxy.connections, 1);
    const refused = await refusal(proxy, target.address);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers["retry-after"], "5");
    first.close();
    await closed.promise;
    (await connectThrough(proxy.url, target.address)).terminate();
  });
});

test("one client may have fewer connections than all together", async () => {
  const closed = deferred<void>();
  const onEvent = (event: ProxyEvent) => event.kind === "closed" && closed.resolve();
  await withProxy({ dev: true, maxConnectionsPerClient: 2, onEvent }, async (proxy) => {
    const [first, second] = [
      await connectThrough(proxy.url, target.address),
      await connectThrough(proxy.url, target.address),
    ];
    const refused = await refusal(proxy, target.address);
    assert.equal(refused.status, 429);
    assert.equal(refused.headers["retry-after"], "5");
    first.close();
    await closed.promise;
    (await connectThrough(proxy.url, target.address)).terminate();
    second.terminate();
  });
});

test("connections that ask for nothing are bounded, too", async () => {
  await withProxy({ dev: true, maxConnections: 1 }, async (proxy) => {
    const first = connectRaw(proxy.port);
    await once(first, "connect");
    const closed = deferred<void>();
    const idle = Array.from({ length: 300 }, () => connectRaw(proxy.port).on("close", () => closed.resolve()).resume());
    await closed.promise;
    assert.equal(first.destroyed, false);
    for (const socket of [first, ...idle]) socket.destroy();
  });
});

test("a client that leaves while its target is dialled is not dialled for any longer", async () => {
  const asked = deferred<void>();
  const given = deferred<ProxyEvent>();
  const resolve = () => {
    asked.resolve();
    return new Promise<string[]>(() => {});
  };
  const options = { allow: ["slow.example:1"], resolve, onEvent: given.resolve, dialTimeoutMillis: 600_000 };
  await withProxy(options, async (proxy) => {
    const socket = connectRaw(proxy.port);
    socket.write(upgradeRequest("slow.example:1"));
    await asked.promise;
    assert.equal(proxy.connections, 1);
    socket.destroy();
    const event = await given.promise;
    assert.ok(event.kind === "refused");
    assert.match(event.reason, /the client left/);
  });
});

test("a refusal reaches a client that has sent its first bytes along, and the connection ends", async () => {
  await withProxy({ dev: true, lingerMillis: 60_000 }, async (proxy) => {
    const socket = connectRaw(proxy.port);
    socket.write(upgradeRequest("nowhere") + "x".repeat(100_000));
    const answer = await readAll(socket);
    assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
    socket.end();
    await once(socket, "close");
  });
});

test("a port that is taken is an error that names it", async () => {
  await assert.rejects(startProxy({ dev: true, listen: { port: target.port } }), {
    name: "TransportError",
    code: "PROXY_LISTEN_FAILED",
    message: new RegExp(`127\\.0\\.0\\.1:${target.port}`),
  });
});
