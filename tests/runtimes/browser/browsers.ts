/**
 * Browsers of this machine, started headless, each with a profile of its own, and kept from calling home.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { temporaryFolder } from "../../fixtures/temporary.ts";

/** A browser that runs. */
export interface Browser {
  /** Leads a process group, which is all of the browser's processes. */
  readonly pid: number;
  /** What drives Chromium with `--remote-debugging-pipe`. */
  readonly pipe: { readonly input: Writable; readonly output: Readable };
  /** Rejects when it ends by itself. */
  readonly ended: Promise<never>;
  close(): Promise<void>;
}

const CHROMIUM_FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"],
];

/** Starts Chromium with a page. */
export async function startChromium(program: string, url: string, flags: readonly string[] = []): Promise<Browser> {
  return await start(program, "chromium", (profile) => [
    ...CHROMIUM_FLAGS,
    ...flags,
    `--user-data-dir=${profile}`,
    url,
  ]);
}

/** What keeps Firefox from calling home: https://support.mozilla.org/kb/how-stop-firefox-making-automatic-connections. */
const FIREFOX_PREFERENCES = {
  "app.update.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage_override.mstone": "ignore",
  "datareporting.policy.dataSubmissionEnabled": false,
  "extensions.update.enabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "services.settings.server": "data:,",
  "toolkit.telemetry.enabled": false,
};

/** Starts Firefox with a page. */
export async function startFirefox(program: string, url: string): Promise<Browser> {
  return await start(program, "firefox", async (profile) => {
    const lines = Object.entries(FIREFOX_PREFERENCES).map(([name, value]) =>
      `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`
    );
    await writeFile(join(profile, "user.js"), lines.join(""));
    return ["--headless", "--no-remote", "--profile", profile, url];
  });
}

async function start(
  program: string,
  name: string,
  argumentsFor: (profile: string) => string[] | Promise<string[]>,
): Promise<Browser> {
  const folder = temporaryFolder(name);
  try {
    const args = await argumentsFor(folder.path);
    // Its own group, so that its helpers end with it; its own home, which may be another user's.
    const child = spawn(program, args, {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      detached: true,
      env: { ...Deno.env.toObject(), HOME: folder.path },
    });
    let errors = "";
    child.stderr?.setEncoding("utf8").on("data", (text: string) => errors = (errors + text).slice(-MAX_ERRORS));
    const ended = once(child, "exit").then(([code]) => {
      throw new Error(`${program} ended with code ${code}:\n${errors}`);
    });
    ended.catch(() => {}); // it is expected to end when it is closed
    folder.usedBy(child.pid, "TERM");
    return {
      pid: child.pid ?? 0,
      pipe: { input: child.stdio[3] as Writable, output: child.stdio[4] as Readable },
      ended,
      async close() {
        await endGroup(child);
        await folder.remove();
      },
    };
  } catch (error) {
    await folder.remove();
    throw error;
  }
}

const MAX_ERRORS = 4000; // characters
const END_DEADLINE_MILLIS = 5000;

async function endGroup(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const { pid } = child;
  const exited = once(child, "exit");
  Deno.kill(-pid, "SIGTERM");
  const deadline = setTimeout(() => Deno.kill(-pid, "SIGKILL"), END_DEADLINE_MILLIS);
  await exited;
  clearTimeout(deadline);
  try {
    Deno.kill(-pid, "SIGKILL"); // helpers that would still write to the profile
  } catch {
    // There are none.
  }
}
