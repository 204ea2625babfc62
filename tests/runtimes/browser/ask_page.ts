/**
 * A page of somebody's own, in Chromium, and what becomes of it.
 *
 * @module
 */

import { extname, join } from "node:path";
import { devTools } from "../direct_sockets/devtools.ts";
import { startChromium } from "./browsers.ts";
import { rejection } from "./rejection.ts";

const DEADLINE_MILLIS = 60_000;
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".json": "application/json",
};

/**
 * Serves a folder on loopback, as any web server would, opens its page in Chromium, and gives what an expression comes to
 * there, awaited. Fails where the page throws.
 *
 * @param policy A Content-Security-Policy. Default: none.
 */
export async function askPage(
  chromium: string,
  folder: string,
  expression: string,
  policy?: string,
): Promise<string> {
  const server = serveFolder(folder, policy);
  try {
    const browser = await startChromium(chromium, "about:blank", ["--remote-debugging-pipe"]);
    try {
      const answer = ask(devTools(browser.pipe), `${server.origin}/index.html`, expression);
      return await Promise.race([answer, browser.ended, rejection(AbortSignal.timeout(DEADLINE_MILLIS))]);
    } finally {
      await browser.close();
    }
  } finally {
    await server.close();
  }
}

async function ask({ send, next }: ReturnType<typeof devTools>, url: string, expression: string): Promise<string> {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const session = String(sessionId);
  const thrown = next("Runtime.exceptionThrown").then(({ exceptionDetails }) => {
    const { text, exception } = exceptionDetails as { text: string; exception?: { description?: string } };
    throw new Error(`the page failed: ${exception?.description ?? text}`);
  });
  thrown.catch(() => {}); // it is raced
  await send("Runtime.enable", {}, session);
  await send("Page.enable", {}, session);
  const loaded = next("Page.domContentEventFired");
  await send("Page.navigate", { url }, session);
  await Promise.race([loaded, thrown]);
  const call = send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true }, session);
  const { result } = await Promise.race([call, thrown]) as { result: { value: string } };
  return result.value;
}

/** Serves a folder on loopback, to pages of any origin. */
export function serveFolder(folder: string, policy?: string): { readonly origin: string; close(): Promise<void> } {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    const { pathname } = new URL(request.url);
    const type = TYPES[extname(pathname)];
    const bytes = type && await Deno.readFile(join(folder, pathname)).catch(() => undefined);
    if (!type || !bytes) return new Response("not found", { status: 404 });
    const headers = new Headers({ "content-type": type, "access-control-allow-origin": "*" });
    if (policy !== undefined) headers.set("content-security-policy", policy);
    return new Response(bytes, { headers });
  });
  return { origin: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
}
