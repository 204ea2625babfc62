/**
 * The runtimes that are measured, how each is had and started, and who is compared with whom there.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { build, type BuildOptions } from "esbuild";
import { versionOf } from "../../scripts/npm/versions.ts";
import { startChromium } from "../../tests/runtimes/browser/browsers.ts";
import { findOrInstall } from "../../tests/runtimes/install.ts";
import { bunProgram, nodeOf } from "../../tests/runtimes/node/runtime.ts";
import { run } from "../../scripts/run.ts";
import { THROUGH_PROXY } from "./contenders.ts";
import type { Outcome, Task, Usage } from "./orders.ts";
import { usageOfGroup } from "./process_usage.ts";

/** A runtime. */
export interface BenchRuntime {
  readonly name: string;
  readonly title: string;
  /** By groups, the first of each being what the others are compared with. */
  readonly groups: readonly (readonly string[])[];
  /** Installs and builds what is needed. */
  prepare(): Promise<Started>;
}

/** A runtime that is ready. */
export interface Started {
  readonly version: string;
  /** Starts what does the rounds of one contender, for as long as `resources` live. */
  start(contender: string, resources: AsyncDisposableStack): Promise<Performer>;
}

/** Does rounds, one after the other. */
export interface Performer {
  round(task: Task): Promise<Outcome>;
  /** Undefined where it tells itself. */
  usage?(): Usage;
}

type NodeVersion = Parameters<typeof nodeOf>[0];

const OURS = ["wolfssl auto", "wolfssl wasm", "wolfssl subtle", "wolfssl ChaCha20"] as const;
const BY_WEB_SOCKET = [`node:tls${THROUGH_PROXY}`, `wolfssl auto${THROUGH_PROXY}`] as const;
const FOLDER = ".build/bench/tls";

const node = (name: string, version: NodeVersion): BenchRuntime => ({
  name,
  title: `Node ${version.split(".")[0]}`,
  groups: [["node:tls", ...OURS, "subtls"], BY_WEB_SOCKET],
  prepare: async () => await onNode(await nodeOf(version)),
});

async function onNode(path: string): Promise<Started> {
  const program = await bundleProgram();
  return {
    version: (await run(path, ["--version"])).trim().replace(/^v/, ""),
    start: (_, resources) => startProgram([path, "--expose-gc", program], resources),
  };
}

const deno: BenchRuntime = {
  name: "deno",
  title: "Deno",
  groups: [["Deno.startTls", "node:tls", ...OURS, "subtls"], BY_WEB_SOCKET],
  prepare: () =>
    Promise.resolve({
      version: Deno.version.deno,
      start: (_, resources) => {
        const args = ["run", "-A", "--no-check", "--v8-flags=--expose-gc", "bench/tls/program.ts"];
        return startProgram([Deno.execPath(), ...args], resources);
      },
    }),
};

const bun: BenchRuntime = {
  name: "bun",
  title: "Bun",
  groups: [["node:tls", ...OURS, "subtls"], BY_WEB_SOCKET],
  async prepare() {
    const path = await bunProgram();
    const program = await bundleProgram();
    return {
      version: (await run(path, ["--version"])).trim(),
      start: (_, resources) => startProgram([path, program], resources),
    };
  },
};

const workerd: BenchRuntime = {
  name: "workerd",
  title: "workerd",
  groups: [["startTls of its sockets", ...OURS, "subtls"]],
  async prepare() {
    const folder = await bundle(["worker.ts"], `${FOLDER}/workerd`, { platform: "browser", conditions: ["workerd"] });
    await bundle(["worker_host.ts"], FOLDER, { platform: "node", packages: "external" });
    return {
      version: `Miniflare ${versionOf("miniflare")}`,
      start: (_, resources) => startProgram(["node", `${FOLDER}/worker_host.mjs`, folder], resources, "workerd"),
    };
  },
};

/** It has no TLS of its own for this: what it is compared with is Node's, through the same proxy. */
const chromium: BenchRuntime = {
  name: "chromium",
  title: "Chromium",
  groups: [[BY_WEB_SOCKET[0], ...[...OURS, "subtls"].map((contender) => contender + THROUGH_PROXY)]],
  async prepare() {
    const path = await findOrInstall("chromium", "chromium");
    const folder = await bundle(["page.ts"], `${FOLDER}/browser`, { platform: "browser", conditions: ["browser"] });
    const nodeTls = await onNode(await nodeOf(NODE_20));
    return {
      version: /\d[\d.]*/.exec(await run(path, ["--version"]))?.[0] ?? "unknown",
      start: (contender, resources) =>
        contender.startsWith("node:tls") ? nodeTls.start(contender, resources) : startPage(path, folder, resources),
    };
  },
};

const NODE_20 = "20.20.2";
const NODE_24 = "24.21.0";

/** All of them, in the order of the table. */
export const RUNTIMES: readonly BenchRuntime[] = [
  node("node20", NODE_20),
  node("node24", NODE_24),
  deno,
  bun,
  workerd,
  chromium,
];

/** The far end's program, bundled. */
export async function bundleFarEnd(): Promise<string> {
  await bundle(["far_end.ts"], FOLDER, { platform: "node", packages: "external" });
  return `${FOLDER}/far_end.mjs`;
}

async function bundleProgram(): Promise<string> {
  await bundle(["program.ts"], FOLDER, { platform: "node", external: ["ws"] });
  return `${FOLDER}/program.mjs`;
}

async function bundle(entryPoints: readonly string[], outdir: string, options: BuildOptions): Promise<string> {
  await build({
    entryPoints: entryPoints.map((path) => join("bench/tls", path)),
    outdir,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    format: "esm",
    target: "es2022",
    loader: { ".wasm": "copy" },
    external: ["ws", "node:*", "fs/promises", "crypto"],
    logLevel: "error",
    ...options,
  });
  return outdir;
}

/** A program that takes a task a line. `measured` names the one of its processes whose usage counts, if not its own. */
async function startProgram(
  command: readonly string[],
  resources: AsyncDisposableStack,
  measured?: string,
): Promise<Performer> {
  const child = spawn(command[0], command.slice(1), {
    stdio: ["pipe", "pipe", "inherit"],
    detached: measured !== undefined,
  });
  await once(child, "spawn");
  const exited = once(child, "exit");
  resources.defer(async () => {
    child.stdin?.end();
    await exited;
  });
  const lines = linesOf(child);
  const { pid } = child;
  return {
    async round(task) {
      child.stdin?.write(`${JSON.stringify(task)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command.join(" ")} ended`);
      return JSON.parse(value) as Outcome;
    },
    ...measured !== undefined && pid !== undefined && { usage: () => usageOfGroup(pid, measured) },
  };
}

function linesOf({ stdout }: ChildProcess): AsyncIterator<string> {
  if (stdout === null) throw new Error("the program has no output");
  return createInterface({ input: stdout })[Symbol.asyncIterator]();
}

async function startPage(path: string, folder: string, resources: AsyncDisposableStack): Promise<Performer> {
  let takeTask = Promise.withResolvers<Task>();
  let outcome = Promise.withResolvers<Outcome>();
  const end = new AbortController();
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {}, signal: end.signal };
  const server = Deno.serve(options, async (request) => {
    switch (new URL(request.url).pathname) {
      case "/task": {
        const task = await takeTask.promise;
        takeTask = Promise.withResolvers();
        return Response.json(task);
      }
      case "/outcome":
        outcome.resolve(await request.json());
        return new Response();
      case "/usage":
        return Response.json(usage());
      case "/page.mjs":
        return new Response(await Deno.readFile(join(folder, "page.mjs")), { headers: SCRIPT });
      default:
        return new Response(HTML, { headers: { "content-type": "text/html" } });
    }
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  const browser = await startChromium(path, origin);
  const usage = () => usageOfGroup(browser.pid);
  resources.defer(async () => {
    await browser.close();
    end.abort(); // the page's last question has no answer
  });
  return {
    async round(task) {
      outcome = Promise.withResolvers();
      takeTask.resolve({ ...task, usageUrl: `${origin}/usage` });
      return await Promise.race([outcome.promise, browser.ended]);
    },
  };
}

const SCRIPT = { "content-type": "text/javascript" };

/** With what tells of failures that the page cannot catch. */
const HTML = `<!doctype html><script>
const tell = (error) => fetch("/outcome", { method: "POST", body: JSON.stringify({ error: String(error?.stack ?? error) }) });
addEventListener("error", (event) => tell(event.error ?? event.message));
addEventListener("unhandledrejection", (event) => tell(event.reason));
</script><script type="module" src="/page.mjs"></script>`;
