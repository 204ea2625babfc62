/**
 * Direct Sockets: an Isolated Web App in Chromium, whose `TCPSocket` reaches the database without a proxy.
 *
 * @module
 */

import { startChromium } from "../browser/browsers.ts";
import { rejection } from "../browser/rejection.ts";
import { bundle } from "../bundle.ts";
import { findOrInstall } from "../install.ts";
import { run } from "../../../scripts/run.ts";
import type { Report, Task } from "../program.ts";
import type { Runtime } from "../runtime.ts";
import { serveApp } from "./app_site.ts";
import { type DevTools, devTools } from "./devtools.ts";

const FLAGS = ["--enable-features=IsolatedWebApps,IsolatedWebAppDevMode", "--remote-debugging-pipe"];

/** Chromium's Direct Sockets. */
export const directSockets: Runtime = {
  name: "direct-sockets",
  title: "Isolated Web App",
  group: "Isolated Web App (Chromium)",
  combinations: [{ transport: "direct-sockets", tls: "wolfssl" }],
  async prepare(stage) {
    const program = await findOrInstall("chromium", "chromium");
    const folder = await bundle(await stage.consumer(), {
      entryPoints: ["direct_sockets/app.ts"],
      folder: "direct-sockets",
      format: "esm",
      conditions: ["browser"],
    });
    return {
      version: /\d[\d.]*/.exec(await run(program, ["--version"]))?.[0] ?? "unknown",
      run: (_combination, task, signal) => runApp(program, folder, task, signal),
    };
  },
};

async function runApp(program: string, folder: string, task: Task, signal: AbortSignal): Promise<Report> {
  const site = serveApp(folder);
  try {
    const browser = await startChromium(program, "about:blank", FLAGS);
    try {
      const app = runInApp(devTools(browser.pipe), site.origin, task);
      return await Promise.race([app, browser.ended, rejection(signal)]);
    } finally {
      await browser.close();
    }
  } finally {
    await site.close();
  }
}

async function runInApp(tools: DevTools, origin: string, task: Task): Promise<Report> {
  const appOrigin = `isolated-app://${newAppId()}`;
  const page = await launch(tools, appOrigin, origin);
  const context = tools.next("Runtime.executionContextCreated", (params) => isOf(params, appOrigin));
  await tools.send("Runtime.enable", {}, page);
  const { context: { uniqueId } } = await context as { context: { uniqueId: string } };
  const expression = `(async () => {
    if (document.readyState !== "complete") await new Promise((resolve) => addEventListener("load", resolve));
    return JSON.stringify(await runTask(${JSON.stringify(task)}));
  })()`;
  const call = { expression, uniqueContextId: uniqueId, awaitPromise: true, returnByValue: true };
  const { result, exceptionDetails } = await tools.send("Runtime.evaluate", call, page) as Evaluated;
  if (result?.value === undefined) throw new Error(`the app failed: ${exceptionDetails?.exception?.description}`);
  return JSON.parse(result.value);
}

interface Evaluated {
  readonly result?: { readonly value?: string };
  readonly exceptionDetails?: { readonly exception?: { readonly description?: string } };
}

/** Installs and starts the app, and gives the session with its page. */
async function launch({ send, next }: DevTools, appOrigin: string, servedAt: string): Promise<string> {
  const manifestId = `${appOrigin}/`;
  await send("PWA.install", { manifestId, installUrlOrBundleUrl: servedAt });
  await send("Browser.grantPermissions", { permissions: ["loopbackNetwork", "localNetwork"] });
  const { targetId } = await send("PWA.launch", { manifestId });
  // What is launched is a tab; the page is in it.
  const tab = await send("Target.attachToTarget", { targetId, flatten: true });
  const attached = next("Target.attachedToTarget");
  const autoAttach = { autoAttach: true, waitForDebuggerOnStart: false, flatten: true };
  await send("Target.setAutoAttach", autoAttach, String(tab.sessionId));
  const { sessionId } = await attached;
  return String(sessionId);
}

/** Whether it is the app's own context that was created, and not that of the empty page before it. */
function isOf({ context }: Readonly<Record<string, unknown>>, appOrigin: string): boolean {
  return (context as { origin?: string }).origin === appOrigin;
}

/** What marks the identifier of an app that is served and not signed, after 32 random bytes. */
const SERVED_APP = [0, 0, 2];

/** An identifier, <https://github.com/WICG/isolated-web-apps/blob/main/Scheme.md>: base32 (RFC 4648), in lower case. */
function newAppId(): string {
  const bytes = [...crypto.getRandomValues(new Uint8Array(32)), ...SERVED_APP];
  const bits = bytes.map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.replaceAll(/.{5}/g, (five) => "abcdefghijklmnopqrstuvwxyz234567".charAt(Number.parseInt(five, 2)));
}
