/**
 * Browsers: a page from localhost, and a web worker.
 *
 * @module
 */

import { bundle } from "../bundle.ts";
import { findOrInstall } from "../install.ts";
import { run } from "../../../scripts/run.ts";
import type { Report, Task } from "../program.ts";
import type { Combination, Runtime } from "../runtime.ts";
import type { Stage } from "../stage.ts";
import { type Browser, startChromium, startFirefox } from "./browsers.ts";
import { rejection } from "./rejection.ts";
import { openSite } from "./site.ts";

const combinations: readonly Combination[] = [{ transport: "websocket", tls: "wolfssl" }];

/** Chromium, a page. */
export const chromium: Runtime = browser({
  name: "chromium",
  title: "Chromium",
  group: "Chromium, page and worker",
  program: ["chromium", "chromium"],
  script: "page.mjs",
  start: startChromium,
});

/** Chromium, a web worker. */
export const chromiumWorker: Runtime = browser({
  name: "chromium-worker",
  title: "Chromium worker",
  group: "Chromium, page and worker",
  program: ["chromium", "chromium"],
  script: "page_with_worker.mjs",
  start: startChromium,
});

/** Firefox, a page. */
export const firefox: Runtime = browser({
  name: "firefox",
  title: "Firefox",
  group: "Firefox",
  program: ["firefox-esr", "firefox-esr"],
  script: "page.mjs",
  start: startFirefox,
});

interface BrowserOptions extends Pick<Runtime, "name" | "title" | "group"> {
  /** The program, and Debian's package of it. */
  readonly program: readonly [program: string, debianPackage: string];
  readonly script: string;
  readonly start: (program: string, url: string) => Promise<Browser>;
}

function browser({ name, title, group, program, script, start }: BrowserOptions): Runtime {
  return {
    name,
    title,
    group,
    combinations,
    async prepare(stage) {
      const path = await findOrInstall(...program);
      const folder = await bundlePages(stage);
      return {
        version: /\d[\d.]*/.exec(await run(path, ["--version"]))?.[0] ?? "unknown",
        run: (_combination, task, signal) => visit(folder, script, task, (url) => start(path, url), signal),
      };
    },
  };
}

async function bundlePages(stage: Stage): Promise<string> {
  return await bundle(await stage.consumer(), {
    entryPoints: ["browser/page.ts", "browser/page_with_worker.ts"],
    folder: "browser",
    format: "esm",
    conditions: ["browser"],
  });
}

async function visit(
  folder: string,
  script: string,
  task: Task,
  start: (url: string) => Promise<Browser>,
  signal: AbortSignal,
): Promise<Report> {
  const site = openSite({ folder, script, task });
  try {
    const browser = await start(site.origin);
    try {
      return await Promise.race([site.report, browser.ended, rejection(signal)]);
    } finally {
      await browser.close();
    }
  } finally {
    await site.close();
  }
}
