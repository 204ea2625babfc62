import { build } from "esbuild";
import { Miniflare } from "miniflare";
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, test, type TestContext } from "node:test";
import { connectionUrl } from "../fixtures/postgres.ts";
import { projectRoot } from "../fixtures/project.ts";
import { tryThrough } from "../fixtures/proxy.ts";
import { commandIn, programsIn } from "../fixtures/readme.ts";
import { servers } from "../fixtures/servers.ts";
import { type TemporaryFolder, temporaryFolder } from "../fixtures/temporary.ts";
import { askPage, serveFolder } from "../runtimes/browser/ask_page.ts";
import { EDGE_BUNDLE, edgeHost } from "../runtimes/edge_runtime/runtime.ts";
import { findOrInstall } from "../runtimes/install.ts";
import { bunProgram } from "../runtimes/node/runtime.ts";
import { Unavailable } from "../runtimes/runtime.ts";
import { modulesIn } from "../runtimes/workerd/modules.ts";
import { BUNDLERS, WORKERD_DATE } from "./npm_bundlers.ts";
import { installConsumer, NOT_ON_DENO, run } from "./npm_consumer.ts";

// The quick start of the README, as somebody has it who follows it: an empty folder, the tarballs, the programs as they
// stand there, and the proxy as it is started there.

const root = projectRoot();
const skip = !("Deno" in globalThis)
  ? NOT_ON_DENO
  : existsSync(join(root, "wolfssl/core_wasm.js"))
  ? false
  : "the core of @pgduplex/wolfssl is not built (deno task build:wasm)";
const PROXY_DEADLINE_MILLIS = 60_000;

let project: TemporaryFolder;
let proxy: { readonly url: string; stop(): Promise<void> };

before(async () => {
  if (skip) return;
  project = temporaryFolder("readme");
  const { path } = project;
  const consumer = await installConsumer();
  try {
    for (const name of (await readdir(consumer.folder)).filter((name) => name.endsWith(".tgz"))) {
      await copyFile(join(consumer.folder, name), join(path, name));
    }
  } finally {
    await consumer.remove();
  }
  await run("sh", ["-c", "npm install --no-audit --no-fund --prefer-offline ./*.tgz"], path);
  const readme = await readFile(join(root, "README.md"), "utf8");
  const programs = programsIn(readme);
  assert.deepEqual([...programs.keys()], ["main.mjs", "main.cjs", "main.ts", "worker.mjs", "route.js", "index.html"]);
  for (const [name, text] of programs) await writeFile(join(path, name), text);
  proxy = await startProxy(commandIn(readme, "npx pgduplex proxy --dev"), path);
});

after(async () => {
  await proxy?.stop();
  await project?.remove();
});

/** Runs the command in the program's folder; only the port is not the one that it would take. */
async function startProxy(command: string, cwd: string): Promise<typeof proxy> {
  const env = { ...process.env, LISTEN_PORT: "0" };
  const child = spawn("sh", ["-c", command], { cwd, env, stdio: ["ignore", "ignore", "pipe"], detached: true });
  project.usedBy(child.pid, "TERM");
  const exited = once(child, "exit");
  return { url: await listeningUrl(child), stop: () => endGroup(child, exited) };
}

async function endGroup({ pid }: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (pid !== undefined) process.kill(-pid, "SIGTERM");
  await exited;
}

function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    const late = setTimeout(() => reject(new Error(`the proxy does not listen:\n${said}`)), PROXY_DEADLINE_MILLIS);
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      const url = /listening on (\S+)\n/.exec(said)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
  });
}

/** With TLS, verified by chain and name. */
async function databaseUrl(parameters: Record<string, string> = {}): Promise<string> {
  const { postgres } = await servers();
  return connectionUrl(postgres, "scram_user", { parameters: { sslmode: "verify-full", ...parameters } });
}

/** What a page comes to show. */
const GREETING = `new Promise((resolve) => {
  const text = () => document.body?.textContent ?? "";
  const look = () => text().includes("hello") ? resolve(text()) : setTimeout(look, 50);
  look();
})`;
const GREETED = /hello .*\d{4}/;

const PRINTED = /^hello \d{4}-\d\d-\d\dT[\d:.]+Z\n$/;

/** What a runtime's program is, or undefined where it cannot be had here, which the test then says. */
async function available<T>(context: TestContext, get: () => Promise<T>): Promise<T | undefined> {
  try {
    return await get();
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    context.skip(error.message);
    return undefined;
  }
}

const deno = (args: readonly string[]) => [process.execPath, "run", "-A", ...args];
const PROGRAMS: readonly [name: string, command: (context: TestContext) => Promise<readonly string[] | undefined>][] = [
  ["Node, an ES module", () => Promise.resolve(["node", "main.mjs"])],
  ["Node, a CommonJS module", () => Promise.resolve(["node", "main.cjs"])],
  ["Bun", async (context) => {
    const bun = await available(context, bunProgram);
    return bun === undefined ? undefined : [bun, "main.mjs"];
  }],
  ["Deno, from npm", () => Promise.resolve(deno(["main.mjs"]))],
  ["Deno, from source", () => Promise.resolve(deno(["--config", join(root, "deno.json"), "main.ts"]))],
];

for (const [name, commandFor] of PROGRAMS) {
  test(`the quick start on ${name}`, { skip }, async (context) => {
    const [program, ...args] = await commandFor(context) ?? [];
    if (program === undefined) return;
    const { certificates } = await servers();
    const env = { DATABASE_URL: await databaseUrl({ sslrootcert: certificates.ca.certPath }) };
    assert.match(withoutColours(await run(program, args, project.path, env)), PRINTED);
  });
}

// deno-lint-ignore no-control-regex -- that is what begins a colour
const withoutColours = (text: string) => text.replaceAll(/\x1b\[[\d;]*m/g, "");

test(
  "the quick start on Cloudflare Workers, by cloudflare:sockets and through the proxy",
  { skip },
  async (context) => {
    const folder = join(project.path, "worker");
    const order = { entry: join(project.path, "worker.mjs"), outDir: folder, target: "workerd" } as const;
    if (await available(context, () => BUNDLERS.wrangler(order).then(() => true)) === undefined) return;
    const { certificates, postgres } = await servers();
    const modules = modulesIn(folder, "main.mjs");
    const base = { modules, modulesRoot: folder, compatibilityDate: WORKERD_DATE, cf: false as const };
    const ROOT_CERTS = certificates.ca.cert;
    const ways = {
      "by a socket": { DATABASE_URL: await databaseUrl(), ROOT_CERTS },
      "by a socket, in plaintext": { DATABASE_URL: connectionUrl(postgres, "scram_user") },
      "through the proxy": { DATABASE_URL: await databaseUrl(), WS_PROXY: proxy.url, ROOT_CERTS },
    };
    for (const [way, bindings] of Object.entries(ways)) {
      const worker = new Miniflare({ ...base, bindings });
      try {
        const answer = await (await worker.dispatchFetch("http://worker/")).json() as { greeting: string };
        assert.equal(answer.greeting, "hello", way);
      } finally {
        await worker.dispose();
      }
    }
  },
);

test("the quick start on Vercel Edge", { skip }, async (context) => {
  const edge = await available(context, edgeHost);
  if (edge === undefined) return;
  const { certificates } = await servers();
  const entry = 'import { GET } from "./route.js"; addEventListener("fetch", (event) => event.respondWith(GET()));';
  await build({
    stdin: { contents: entry, resolveDir: project.path },
    outfile: join(project.path, "function.js"),
    bundle: true,
    platform: "browser",
    ...EDGE_BUNDLE,
    conditions: [...EDGE_BUNDLE.conditions],
    plugins: [...EDGE_BUNDLE.plugins],
    logLevel: "error",
  });
  const env = { DATABASE_URL: await databaseUrl(), WS_PROXY: proxy.url, ROOT_CERTS: certificates.ca.cert };
  const core = join(project.path, "node_modules/@pgduplex/wolfssl/workerd/core.wasm");
  const args = [edge.host, join(project.path, "function.js"), core, "", JSON.stringify(env)];
  assert.equal(JSON.parse(await run("node", args, edge.cwd)).greeting, "hello");
});

test("the quick start in a browser", { skip }, async (context) => {
  const chromium = await available(context, () => findOrInstall("chromium", "chromium"));
  if (chromium === undefined) return;
  const { certificates } = await servers();
  const config = { connectionString: await databaseUrl(), wsProxy: proxy.url, rootCerts: certificates.ca.cert };
  await writeFile(join(project.path, "config.json"), JSON.stringify(config));
  const policy = "script-src 'self' 'unsafe-inline'"; // since the page's own script stands in the page
  const withWasm = `${policy} 'wasm-unsafe-eval'`;
  assert.match(await askPage(chromium, project.path, GREETING, withWasm), GREETED);
  await assert.rejects(
    askPage(chromium, project.path, GREETING, policy),
    /TlsError: .*add 'wasm-unsafe-eval' to script-src/,
  );

  // The same with the packages' files on another origin, as a CDN has them.
  const cdn = serveFolder(join(project.path, "node_modules"));
  try {
    const site = join(project.path, "site");
    const page = await readFile(join(project.path, "index.html"), "utf8");
    await mkdir(site);
    await writeFile(join(site, "index.html"), page.replaceAll("./node_modules", cdn.origin));
    await writeFile(join(site, "config.json"), JSON.stringify(config));
    assert.match(await askPage(chromium, site, GREETING), GREETED);
  } finally {
    await cdn.close();
  }
});

test("the quick start's proxy reaches nothing beyond this machine", { skip }, async () => {
  const refused = await tryThrough(proxy.url, "192.0.2.1:5432");
  assert.equal("status" in refused && refused.status, 403);
});
