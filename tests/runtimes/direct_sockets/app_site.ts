/**
 * The files of an Isolated Web App, served from loopback as Chrome's developer mode takes them.
 *
 * @module
 */

import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

/** An app that is served. */
export interface AppSite {
  readonly origin: string;
  close(): Promise<void>;
}

/** What the browser demands of such an app, and the policy that it then enforces. */
const HEADERS = {
  "content-security-policy":
    "default-src 'self'; base-uri 'none'; object-src 'none'; script-src 'self' 'wasm-unsafe-eval'; " +
    "connect-src 'self' https: wss: ws:; require-trusted-types-for 'script'",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

const ICON_SIZE = 144; // pixels; smaller ones are refused

const MANIFEST = {
  name: "pgduplex",
  short_name: "pgduplex",
  version: "1.0.0",
  id: "/",
  start_url: "/",
  scope: "/",
  display: "standalone",
  isolated_storage: true,
  icons: [{ src: "/icon.png", sizes: `${ICON_SIZE}x${ICON_SIZE}`, type: "image/png", purpose: "any" }],
  // Direct Sockets, and leave to reach servers on loopback with them.
  permissions_policy: Object.fromEntries(
    [
      ...["cross-origin-isolated", "direct-sockets", "direct-sockets-private"],
      ...["local-network-access", "local-network", "loopback-network"],
    ].map((feature) => [feature, ["self"]]),
  ),
};

const PAGE = `<!doctype html><meta charset="utf-8"><title>pgduplex</title>
<link rel="manifest" href="/.well-known/manifest.webmanifest">
<script type="module" src="/app.mjs"></script>`;

/** Serves the app whose scripts are in `folder`. */
export function serveApp(folder: string): AppSite {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/":
        return respond(PAGE, "text/html; charset=utf-8");
      case "/.well-known/manifest.webmanifest":
        return respond(JSON.stringify(MANIFEST), "application/manifest+json");
      case "/icon.png":
        return respond(icon(), "image/png");
    }
    if (!/^\/[\w-]+\.mjs$/.test(pathname)) return new Response("not found", { status: 404 });
    const script = await Deno.readFile(join(folder, pathname)).catch(() => undefined);
    return script === undefined ? new Response("not found", { status: 404 }) : respond(script, "text/javascript");
  });
  return { origin: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
}

function respond(body: BodyInit, type: string): Response {
  return new Response(body, { headers: { ...HEADERS, "content-type": type } });
}

/** A black square as PNG: 8 bits of greyscale per pixel, each line with the filter type before it. */
function icon(): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array([0, 0, 0, ICON_SIZE, 0, 0, 0, ICON_SIZE, 8, 0, 0, 0, 0]);
  const pixels = deflateSync(new Uint8Array((1 + ICON_SIZE) * ICON_SIZE));
  const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  return Uint8Array.from([
    ...signature,
    ...pngChunk("IHDR", header),
    ...pngChunk("IDAT", pixels),
    ...pngChunk("IEND", new Uint8Array()),
  ]);
}

function pngChunk(type: string, data: Uint8Array): Uint8Array {
  const chunk = new Uint8Array(12 + data.length);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length);
  chunk.set(new TextEncoder().encode(type), 4);
  chunk.set(data, 8);
  view.setUint32(8 + data.length, crc32(chunk.subarray(4, 8 + data.length)));
  return chunk;
}
