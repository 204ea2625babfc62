import assert from "node:assert/strict";
import { test } from "node:test";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { fromStreams } from "../../src/duplex/streams.ts";
import { TlsError } from "../../src/errors.ts";
import { chooseEngine, type EngineWish } from "../../src/tls/choose.ts";
import type { TlsDuplex, TlsEngine, TlsOptions } from "../../src/tls/engine.ts";
import { systemRoots } from "../../src/tls/roots.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const options: TlsOptions = { serverName: "db.example.com", verify: { chain: true, name: true } };
const wish: EngineWish = { tlsEngine: "auto", crypto: "auto", systemRoots: false };

function stream(): Duplex {
  const roomy = { highWaterMark: 8 };
  return fromStreams(new TransformStream<Uint8Array, Uint8Array>({}, roomy, roomy), {
    transport: "streams",
    remote: "db:5432",
  });
}

/** A socket whose platform's TLS is as given. */
function socket(startTls: (options: TlsOptions) => Promise<TlsDuplex>): Duplex {
  return Object.assign(stream(), { startTls });
}

const unable = (code: string) => () => Promise.reject(new TlsError(code, "the platform cannot"));

/** An engine that only notes what it is asked for. */
class NotingEngine implements TlsEngine {
  readonly name = "noting";
  readonly bringsPublicRoots = true;
  asked: TlsOptions | undefined;

  connect(duplex: Duplex, options: TlsOptions): Promise<TlsDuplex> {
    this.asked = options;
    return Promise.resolve(Object.assign(duplex, { tls: {} }));
  }
}

test("who does the TLS follows from the connection, the options and the wish", { skip: withoutCore }, async () => {
  const custom = new NotingEngine();
  const nodeOptions = { checkServerIdentity: () => undefined };
  const cases: [what: string, overSocket: boolean, Partial<EngineWish>, Partial<TlsOptions>, name: string][] = [
    ["a socket", true, {}, {}, "platform"],
    ["a socket, with Node's options", true, {}, { nodeOptions }, "platform"],
    ["a stream", false, {}, {}, "wolfssl"],
    ["a stream, with the runtime's roots", false, { systemRoots: true }, {}, "wolfssl"],
    ["a stream, with Node's options", false, {}, { nodeOptions }, "node"],
    ["a stream, with TLS 1.3 alone", false, {}, { minVersion: "TLSv1.3" }, "wolfssl"],
    ["a stream, with TLS 1.1", false, {}, { minVersion: "TLSv1.1" }, "node"],
    ["a stream, with TLS 1.1 at most", false, {}, { maxVersion: "TLSv1.1" }, "node"],
    ["the platform's, on a socket", true, { tlsEngine: "platform" }, {}, "platform"],
    ["the platform's, over a stream", false, { tlsEngine: "platform" }, {}, "node"],
    ["wolfSSL, on a socket", true, { tlsEngine: "wolfssl" }, {}, "wolfssl"],
    ["wolfSSL, with Node's options", false, { tlsEngine: "wolfssl" }, { nodeOptions }, "wolfssl"],
    ["another, on a socket", true, { tlsEngine: custom }, {}, "noting"],
    ["another, over a stream", false, { tlsEngine: custom, systemRoots: true }, {}, "noting"],
  ];
  for (const [what, overSocket, wished, asked, name] of cases) {
    const transport = overSocket ? socket(unable("TLS_HANDSHAKE")) : stream();
    const engine = await chooseEngine(transport, { ...options, ...asked }, { ...wish, ...wished });
    assert.equal(engine.name, name, what);
  }
});

test("what the platform cannot honour goes to the wolfSSL engine, over the same connection", {
  skip: withoutCore,
}, async () => {
  const duplex = socket(unable("TLS_OPTION_UNSUPPORTED"));
  const engine = await chooseEngine(duplex, options, wish);
  const connecting = engine.connect(duplex, options);
  connecting.catch(() => {});
  // The stream echoes, so that the engine is answered by its own ClientHello.
  await assert.rejects(connecting, { name: "TlsError", code: "TLS_HANDSHAKE" });
  await duplex.closed;
});

test("every other failure of the platform's TLS is one", async () => {
  for (const code of ["TLS_CERTIFICATE", "TLS_HANDSHAKE"]) {
    const duplex = socket(unable(code));
    const engine = await chooseEngine(duplex, options, wish);
    await assert.rejects(engine.connect(duplex, options), { code });
    await duplex.closed;
  }
});

test("options of Node's own that a platform cannot honour go to Node's TLS, where there is one", async () => {
  const duplex = socket(unable("TLS_OPTION_UNSUPPORTED"));
  const asked = { ...options, nodeOptions: { checkServerIdentity: () => undefined } };
  const engine = await chooseEngine(duplex, asked, wish);
  // The stream echoes, so that Node's TLS is answered by its own ClientHello.
  await assert.rejects(engine.connect(duplex, asked), { driverCode: "TLS_HANDSHAKE" });
  await duplex.closed;
});

test("the runtime's roots are given to an engine that is not the platform's, where they are asked for", async () => {
  const cases: [systemRoots: boolean, roots: readonly string[] | undefined, expected: readonly string[] | undefined][] =
    [
      [true, undefined, systemRoots()],
      [true, ["PEM"], ["PEM"]],
      [false, undefined, undefined],
    ];
  for (const [asked, roots, expected] of cases) {
    const noting = new NotingEngine();
    const engine = await chooseEngine(stream(), options, { ...wish, tlsEngine: noting, systemRoots: asked });
    await engine.connect(stream(), { ...options, roots });
    assert.equal(noting.asked?.roots === expected || String(noting.asked?.roots) === String(expected), true);
    assert.equal(noting.asked?.publicRoots ?? false, false, "what the runtime shows is enough");
  }
});

test("the runtime's roots are read once, and are certificates", () => {
  const roots = systemRoots() ?? assert.fail("this runtime shows its roots");
  assert.ok(roots.length > 50, `${roots.length} roots`);
  for (const pem of roots) assert.match(pem, /^-----BEGIN CERTIFICATE-----\r?\n/);
  assert.equal(systemRoots(), roots);
  assert.ok(Object.isFrozen(roots));
});
