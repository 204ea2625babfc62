/**
 * The site that browsers visit: a page with its scripts, the task, and where the report goes.
 *
 * @module
 */

import { extname, join } from "node:path";
import type { Report, Task } from "../program.ts";

/** A site that is up. */
export interface Site {
  readonly origin: string;
  /** What the page reports. */
  readonly report: Promise<Report>;
  close(): Promise<void>;
}

/** What to serve. */
export interface SiteOptions {
  /** The folder of the scripts. */
  readonly folder: string;
  /** The one that the page begins with. */
  readonly script: string;
  readonly task: Task;
}

const TYPES: Readonly<Record<string, string>> = { ".mjs": "text/javascript", ".wasm": "application/wasm" };

/** Serves a page on loopback. Its policy is as strict as ours lets it be: scripts of its own, and WebAssembly. */
export function openSite({ folder, script, task }: SiteOptions): Site {
  const { promise: report, resolve, reject } = Promise.withResolvers<Report>();
  report.catch(() => {}); // whoever started the browser waits for it
  const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; ` +
    `connect-src 'self' ws://127.0.0.1:*`;
  const page = `<!doctype html><title>pgduplex</title><script type="module" src="/${script}"></script>`;
  const failed = `<script src="/failed.js"></script>`;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/":
        return respond(failed + page, "text/html; charset=utf-8");
      case "/failed.js":
        return respond(REPORT_FAILURES, "text/javascript");
      case "/task":
        return respond(JSON.stringify(task), "application/json");
      case "/report":
        resolve(await request.json());
        return respond("", "text/plain");
      case "/failure":
        reject(new Error(await request.text()));
        return respond("", "text/plain");
      default:
        return await file(pathname);
    }
  });

  function respond(body: BodyInit, type: string): Response {
    return new Response(body, { headers: { "content-type": type, "content-security-policy": policy } });
  }

  async function file(pathname: string): Promise<Response> {
    const type = TYPES[extname(pathname)];
    if (type === undefined || pathname.includes("..")) return new Response("not found", { status: 404 });
    const bytes = await Deno.readFile(join(folder, pathname)).catch(() => undefined);
    return bytes === undefined ? new Response("not found", { status: 404 }) : respond(bytes, type);
  }

  return { origin: `http://127.0.0.1:${server.addr.port}`, report, close: () => server.shutdown() };
}

/** Tells of what the page could not catch. */
const REPORT_FAILURES = `
const tell = (error) => fetch("/failure", { method: "POST", body: String(error?.stack ?? error) });
addEventListener("error", (event) => tell(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => tell(event.reason));
`;
