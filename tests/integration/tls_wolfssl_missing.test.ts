/**
 * What happens where `@pgduplex/wolfssl` is not installed.
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { projectRoot } from "../fixtures/project.ts";
import { servers } from "../fixtures/servers.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";
import { ON_DENO } from "../fixtures/transports.ts";

const skip = ON_DENO && "on Deno the checkout's import map reaches everywhere";

const { postgres, certificates } = await servers();
const proxy = await startProxy({ dev: true });
after(() => proxy.close({ drainMillis: 0 }));

/** The library, in a folder from which no package can be found. */
async function withoutPackages(): Promise<typeof import("../../mod.ts")> {
  const folder = temporaryFolder("alone");
  after(() => folder.remove());
  const file = join(folder.path, "mod.mjs");
  await build({
    entryPoints: [join(projectRoot(), "mod.ts")],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["@pgduplex/wolfssl", "events"],
    // npm ws is CommonJS, which asks for Node's modules by require.
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
    logLevel: "error",
  });
  return await import(pathToFileURL(file).href);
}

test("without the wolfSSL engine, a WebSocket is secured by Node's TLS", { skip }, async () => {
  const { Client } = await withoutPackages();
  const client = new Client({
    connectionString: connectionUrl(postgres, "scram_user"),
    rootCerts: certificates.ca.cert,
    wsProxy: proxy.url,
  });
  await client.connect();
  const { rows } = await client.query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  assert.deepEqual(rows, [{ ssl: true }]);
  await client.end();
});

test("asked for by name, it is missed with words that say what to install, and nothing goes on without it", {
  skip,
}, async () => {
  const { Client } = await withoutPackages();
  for (const sslmode of ["verify-full", "prefer"] as const) {
    const client = new Client({
      connectionString: connectionUrl(postgres, "scram_user"),
      ...{ sslmode, uselibpqcompat: true, rootCerts: certificates.ca.cert },
      ...{ tlsEngine: "wolfssl", wsProxy: proxy.url } as const,
    });
    await assert.rejects(client.connect(), {
      name: "TlsError",
      code: "TLS_ENGINE_MISSING",
      message: /npm install @pgduplex\/wolfssl \(licensed under GPL-3\.0-or-later\)/,
      phase: "tls",
    }, sslmode);
  }
});
