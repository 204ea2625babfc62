/**
 * What becomes of TLS without Node's modules, as in a browser or a Worker: this file takes them away.
 */

import assert from "node:assert/strict";
import process from "node:process";
import { test } from "node:test";
import type { Duplex } from "../../src/duplex/duplex.ts";
import { fromStreams } from "../../src/duplex/streams.ts";
import { TlsError } from "../../src/errors.ts";
import { chooseEngine } from "../../src/tls/choose.ts";
import type { TlsDuplex, TlsEngine, TlsOptions } from "../../src/tls/engine.ts";
import { systemRoots } from "../../src/tls/roots.ts";

process.getBuiltinModule = (() => undefined) as unknown as typeof process.getBuiltinModule;

const options: TlsOptions = { serverName: "db.example.com", verify: { chain: true, name: true } };

/** An engine that only notes what it is asked for. */
class NotingEngine implements TlsEngine {
  readonly name = "noting";
  asked: TlsOptions | undefined;

  constructor(readonly bringsPublicRoots?: boolean) {}

  connect(duplex: Duplex, options: TlsOptions): Promise<TlsDuplex> {
    this.asked = options;
    return Promise.resolve(Object.assign(duplex, { tls: {} }));
  }
}

/** What the engine is asked where the system's roots are wanted; and the connection. */
async function askSystemRoots(tlsEngine: NotingEngine, more: Partial<TlsOptions> = {}) {
  const duplex = fromStreams(new TransformStream<Uint8Array, Uint8Array>(), {
    transport: "streams",
    remote: "db:5432",
  });
  const wish = { tlsEngine, crypto: "auto", systemRoots: true } as const;
  const engine = await chooseEngine(duplex, options, wish);
  const connecting = engine.connect(duplex, { ...options, ...more });
  connecting.catch(() => {});
  return { duplex, connecting, asked: tlsEngine.asked };
}

test("options of Node's own, where there is no Node's TLS, are refused in the platform's words", async () => {
  const stream = fromStreams(new TransformStream<Uint8Array, Uint8Array>(), {
    transport: "streams",
    remote: "db:5432",
  });
  const refusal = new TlsError("TLS_OPTION_UNSUPPORTED", "the platform cannot");
  const duplex = Object.assign(stream, { startTls: () => Promise.reject(refusal) });
  const asked = { ...options, nodeOptions: { ciphers: "x" } };
  const engine = await chooseEngine(duplex, asked, { tlsEngine: "auto", crypto: "auto", systemRoots: false });
  await assert.rejects(engine.connect(duplex, asked), refusal);
  await duplex.closed;
});

test("this runtime shows no roots", () => {
  assert.equal(systemRoots(), undefined);
});

test("an engine is asked for the public authorities that it brings", async () => {
  const { asked } = await askSystemRoots(new NotingEngine(true));
  assert.deepEqual([asked?.roots, asked?.publicRoots], [undefined, true]);
});

test("roots that were given are enough", async () => {
  for (const engine of [new NotingEngine(true), new NotingEngine()]) {
    const { asked } = await askSystemRoots(engine, { roots: ["PEM"] });
    assert.deepEqual([asked?.roots, asked?.publicRoots], [["PEM"], undefined]);
  }
});

test("an engine that brings none is not asked at all, and the connection is let go", async () => {
  const { asked, connecting, duplex } = await askSystemRoots(new NotingEngine());
  const missing = { name: "TlsError", code: "TLS_ROOTS_UNAVAILABLE", message: /rootCerts.*@pgduplex\/wolfssl/ };
  await assert.rejects(connecting, missing);
  await duplex.closed;
  assert.equal(asked, undefined);
});
