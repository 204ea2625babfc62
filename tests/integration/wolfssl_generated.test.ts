/**
 * The generated parts of the engine, its core and the list of public authorities: loaded when they are needed and not
 * before, and missed with words that say what to do.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { openNode } from "../../src/duplex/node.ts";
import type { TlsEngine, TlsOptions } from "../../src/tls/engine.ts";
import { embeddedModule } from "../../wolfssl/module.ts";
import { certificates } from "../fixtures/certificates.ts";
import { type PeerAddresses, startPeers } from "../fixtures/peers.ts";
import { engineWith } from "../fixtures/replaced_modules.ts";
import { withoutCore, withoutRoots } from "../fixtures/wolfssl.ts";

const pki = await certificates();
const strict = { serverName: "localhost", verify: { chain: true, name: true } };

/** Nothing, deflated; and what is not deflated. */
const EMPTY_MODULE = "AwA=";
const CUT_OFF = "AGFzbQ==";

/** Connects over a connection that must be gone afterwards, whatever became of it. */
async function connect(engine: TlsEngine, { tls }: PeerAddresses, options: Partial<TlsOptions>): Promise<void> {
  const duplex = await openNode(tls);
  try {
    const secured = await engine.connect(duplex, { ...strict, ...options });
    secured.close();
  } finally {
    await duplex.closed;
  }
}

test("a chain to a private authority is refused by the public ones", { skip: withoutRoots }, async () => {
  const peers = await startPeers();
  try {
    await using replaced = await engineWith({});
    await assert.rejects(connect(replaced.wolfssl(), peers.addresses, { publicRoots: true }), {
      name: "TlsError",
      code: "TLS_CERTIFICATE",
      message: /issued by CN=pgduplex test root.*neither a trusted root nor sent by the server/,
    });
  } finally {
    await peers.close();
  }
});

test("roots that are given, or the engine's own, do not load the public ones", { skip: withoutRoots }, async () => {
  const peers = await startPeers();
  const scope = globalThis as { publicRootsLoaded?: number };
  try {
    await using replaced = await engineWith({
      "mozilla_roots.js": `globalThis.publicRootsLoaded = (globalThis.publicRootsLoaded ?? 0) + 1;
        export const base64 = "";`,
    });
    const engine = replaced.wolfssl();
    await connect(engine, peers.addresses, { roots: [pki.ca.cert] });
    await connect(engine, peers.addresses, { roots: [pki.ca.cert], publicRoots: true });
    await assert.rejects(connect(engine, peers.addresses, {}), { code: "TLS_CERTIFICATE" });
    assert.equal(scope.publicRootsLoaded, undefined);
    await assert.rejects(connect(engine, peers.addresses, { publicRoots: true }), { code: "TLS_ROOTS_UNAVAILABLE" });
    assert.equal(scope.publicRootsLoaded, 1);
  } finally {
    delete scope.publicRootsLoaded;
    await peers.close();
  }
});

const damages: [
  name: string,
  modules: Record<string, string | null>,
  options: Partial<TlsOptions>,
  code: string,
  advice: RegExp,
][] = [
  ["no core", { "core_wasm.js": null }, {}, "TLS_CORE_MISSING", /deno task build:wasm/],
  [
    "a core that is no base64",
    { "core_wasm.js": 'export const deflatedBase64 = "?";' },
    {},
    "TLS_CORE_INVALID",
    /again/,
  ],
  [
    "a core of nothing",
    { "core_wasm.js": `export const deflatedBase64 = "${EMPTY_MODULE}";` },
    {},
    "TLS_CORE_INVALID",
    /again/,
  ],
  [
    "a core that is cut off",
    { "core_wasm.js": `export const deflatedBase64 = "${CUT_OFF}";` },
    {},
    "TLS_CORE_INVALID",
    /again/,
  ],
  ["no list", { "mozilla_roots.js": null }, { publicRoots: true }, "TLS_ROOTS_UNAVAILABLE", /deno task build:roots/],
  [
    "a list that is cut off",
    { "mozilla_roots.js": 'export const base64 = "MII=";' },
    { publicRoots: true },
    "TLS_ROOTS_UNAVAILABLE",
    /again/,
  ],
];

for (const [name, modules, options, code, advice] of damages) {
  test(`${name}: the connect says so and lets the connection go`, { skip: withoutCore }, async () => {
    const peers = await startPeers();
    try {
      await using replaced = await engineWith(modules);
      const engine = replaced.wolfssl();
      const failing = connect(engine, peers.addresses, {
        roots: options.publicRoots ? undefined : [pki.ca.cert],
        ...options,
      });
      await assert.rejects(failing, (error: Error & { code?: string }) => {
        assert.deepEqual([error.name, error.code], ["TlsError", code]);
        assert.match(error.message, advice);
        assert.ok(error.cause instanceof Error);
        return true;
      });
    } finally {
      await peers.close();
    }
  });
}

test("a list of no authorities is damaged, too", { skip: withoutRoots }, async () => {
  const peers = await startPeers();
  try {
    await using replaced = await engineWith({ "mozilla_roots.js": 'export const base64 = "";' });
    const failing = connect(replaced.wolfssl(), peers.addresses, { publicRoots: true });
    await assert.rejects(failing, { code: "TLS_ROOTS_UNAVAILABLE" });
  } finally {
    await peers.close();
  }
});

test("a module that is not the core is refused as what it is", { skip: withoutCore }, async () => {
  const peers = await startPeers();
  try {
    await using replaced = await engineWith({});
    // The smallest module that there is: magic number and version.
    const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
    const failing = connect(replaced.wolfssl({ module }), peers.addresses, { roots: [pki.ca.cert] });
    await assert.rejects(failing, { name: "TlsError", code: "TLS_CORE_INVALID" });
  } finally {
    await peers.close();
  }
});

test(
  "the core asks its host for bytes, randomness and the time, and for nothing else",
  { skip: withoutCore },
  async () => {
    const imports = WebAssembly.Module.imports(await embeddedModule());
    assert.deepEqual(imports.map(({ module, name, kind }) => `${kind} ${module}.${name}`).sort(), [
      "function host.host_now",
      "function host.host_prepared_key",
      "function host.host_prepared_secret",
      "function host.host_random",
      "function host.host_receive",
      "function host.host_send",
      "function host.host_verify_chain",
    ]);
  },
);
