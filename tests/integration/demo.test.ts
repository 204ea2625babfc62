import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import process from "node:process";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { projectRoot } from "../fixtures/project.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";

const skip = "Deno" in globalThis ? false : "scripts run on Deno";

test(
  "the demo finds Vaduz's neighbours both ways, in three turns each, and leaves nothing behind",
  { skip },
  async () => {
    const folder = temporaryFolder("demo");
    const demo = start(["scripts/demo.ts", "--lat=47.14", "--lon=9.52"], folder.path);
    assert.equal(await demo.exitCode, 0, demo.output());

    const output = demo.output();
    assert.match(output, /by Index Scan using places_position/);
    const rows = output.match(/^Vaduz ★ +Liechtenstein +5,197 +0$/gm);
    assert.equal(rows?.length, 2, output);
    const totals = Array.from(output.matchAll(/^ {20,}[\d.]+ ms +(\d) turns$/gm), ([, turns]) => turns);
    assert.deepEqual(totals, ["3", "3"], output);
    assert.match(output, /^WebSocket, through the proxy: wolfssl, TLSv1\.3, X25519, TLS_AES_256_GCM_SHA384$/m);
    assert.match(output, /^TLS socket: platform$/m); // Deno does not tell more
    await nothingIn(folder.path);
    await folder.remove();
  },
);

test("the demo refuses what is no coordinate before it starts anything", { skip }, async () => {
  const folder = temporaryFolder("demo");
  const demo = start(["scripts/demo.ts", "--lat=100", "--lon=0"], folder.path);
  assert.equal(await demo.exitCode, 1);
  assert.match(demo.output(), /--lat is a number from -90 to 90/);
  await nothingIn(folder.path);
  await folder.remove();
});

const interruptions: [string, string, RegExp][] = [
  ["the demo, while it loads its data", "scripts/demo.ts", /Loading the places/],
  ["the demo, while it starts its server", "scripts/demo.ts", /Starting PostgreSQL/],
  ["db, while it is up", "scripts/db.ts", /Ctrl-C stops/],
];

for (const [what, script, moment] of interruptions) {
  test(`Ctrl-C ends ${what}, and leaves nothing behind`, { skip }, async () => {
    const folder = temporaryFolder("demo");
    const running = start([script], folder.path);
    await running.printed(moment);
    running.child.kill("SIGINT");
    assert.equal(await running.exitCode, 130, running.output());
    assert.match(running.output(), /Stopping\./); // and not killed by the signal
    await nothingIn(folder.path);
    await folder.remove();
  });
}

interface Running {
  readonly child: ChildProcess;
  readonly exitCode: Promise<number>;
  /** What it has printed so far, on both streams. */
  output(): string;
  printed(pattern: RegExp): Promise<void>;
}

/** Runs a script whose temporary files all lie in `temporary`. */
function start(args: string[], temporary: string): Running {
  const child = spawn(process.execPath, ["run", "-A", "--no-check", ...args], {
    cwd: projectRoot(),
    env: { ...process.env, TMPDIR: temporary, NO_COLOR: "1", PGDUPLEX_TEST_SERVERS: "" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => output += chunk);
  // Deno tells the exit code 130 as the signal that it stands for.
  const exitCode = once(child, "close").then(([code, signal]) => signal === "SIGINT" ? 130 : code);
  return {
    child,
    exitCode,
    output: () => output,
    async printed(pattern) {
      const over = exitCode.then(() => "over");
      while (!pattern.test(output)) {
        const what = await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), over]);
        assert.notEqual(what, "over", `it ended before it printed ${pattern}:\n${output}`);
      }
    },
  };
}

const DEADLINE_MILLIS = 15_000;

/** Waits until no file is left in a folder, and no process works in it: a server that was starting ends a little later. */
async function nothingIn(folder: string): Promise<void> {
  const deadline = Date.now() + DEADLINE_MILLIS;
  for (;;) {
    const left = [...await readdir(folder), ...await processesThatName(folder)];
    if (left.length === 0) return;
    assert.ok(Date.now() < deadline, `left behind: ${left.join(", ")}`);
    await delay(50);
  }
}

/** Where the system tells, in /proc. */
async function processesThatName(folder: string): Promise<string[]> {
  if (!existsSync("/proc/self/cmdline")) return [];
  const found: string[] = [];
  for (const pid of (await readdir("/proc")).filter((name) => /^\d+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    // This process's own caretaker of the folder, which ends with the folder, names just that and nothing below it.
    if (command.includes(`${folder}/`)) found.push(command.replaceAll("\0", " "));
  }
  return found;
}
