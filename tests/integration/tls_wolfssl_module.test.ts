import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client, type ClientConfig } from "../../mod.ts";
import { wolfssl } from "../../wolfssl/mod.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { projectRoot } from "../fixtures/project.ts";
import { servers } from "../fixtures/servers.ts";
import { withoutCore } from "../fixtures/wolfssl.ts";

const skip = withoutCore;
let server: Server;
let origin: string;
let fetched = 0;

before(async () => {
  if (skip) return;
  const core = await readFile(join(projectRoot(), "wolfssl/core.wasm"));
  server = createServer((request, response) => {
    fetched++;
    if (request.url === "/core.wasm") response.end(core);
    else if (request.url === "/stalled.wasm") response.write("\0asm");
    else if (request.url === "/other.wasm") response.end("<!doctype html>");
    else response.writeHead(404).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server?.close();
  server?.closeAllConnections();
});

async function connect(
  module: WebAssembly.Module | URL,
  engine = wolfssl({ module }),
  options: ClientConfig = {},
): Promise<unknown> {
  const { postgres, certificates } = await servers();
  const connectionString = connectionUrl(postgres, "scram_user", { parameters: { sslmode: "verify-full" } });
  const client = new Client({ connectionString, rootCerts: certificates.ca.cert, tlsEngine: engine, ...options });
  await client.connect();
  await client.end();
  return client.tlsInfo?.engine;
}

test("the core may be a module that the program compiled or imported itself", { skip }, async () => {
  const module = await WebAssembly.compile(await readFile(join(projectRoot(), "wolfssl/core.wasm")));
  assert.equal(await connect(module), "wolfssl");
});

test("the core may be at a URL, from which an engine fetches it once", { skip }, async () => {
  const before = fetched;
  const url = new URL(`${origin}/core.wasm`);
  const engine = wolfssl({ module: url });
  assert.deepEqual(await Promise.all([connect(url, engine), connect(url, engine)]), ["wolfssl", "wolfssl"]);
  assert.equal(fetched, before + 1);
});

const wrong: readonly [path: string, code: string, message: RegExp][] = [
  ["missing.wasm", "TLS_CORE_MISSING", /cannot be fetched from http:.*missing\.wasm: HTTP 404/],
  ["other.wasm", "TLS_CORE_INVALID", /what is at http:.*other\.wasm could not be compiled: it is not core\.wasm/],
];
for (const [path, code, message] of wrong) {
  test(`a URL that leads to no core fails with ${code}`, { skip }, async () => {
    await assert.rejects(connect(new URL(`${origin}/${path}`)), { code, message });
  });
}

test("a core that does not come ends the connect in its time, and that of the next one too", { skip }, async () => {
  const stalled = new URL(`${origin}/stalled.wasm`);
  const engine = wolfssl({ module: stalled });
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(connect(stalled, engine, { connectionTimeoutMillis: 300 }), { code: "TIMEOUT_CONNECT" });
  }
});
