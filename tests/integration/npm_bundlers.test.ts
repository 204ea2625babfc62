import { Miniflare } from "miniflare";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import ts from "typescript";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectionUrl, type PostgresAddress } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { BUNDLERS, type Target, TARGETS, WORKERD_DATE } from "./npm_bundlers.ts";
import { modulesIn } from "../runtimes/workerd/modules.ts";
import { type Consumer, installConsumer, NOT_ON_DENO } from "./npm_consumer.ts";

const DEADLINE_MILLIS = 60_000; // after which a program counts as hanging

const skip = "Deno" in globalThis ? false : NOT_ON_DENO;

const program = (specifier: string) => `
import { Client } from "${specifier}";

export async function run(config) {
  const client = new Client({ connectionTimeoutMillis: 15_000, ...config });
  await client.connect();
  const text = "select $1::int + 1 as answer, current_user as name, ssl from pg_stat_ssl where pid = pg_backend_pid()";
  const { rows } = await client.query(text, [41]);
  await client.end();
  return rows[0];
}

export default {
  async fetch(request) {
    return Response.json(await run(await request.json()));
  },
};
`;
const PLAIN = { answer: 42, name: "scram_user", ssl: false };

let consumer: Consumer;
before(async () => {
  if (!skip) consumer = await installConsumer();
});
after(async () => await consumer?.remove());

/** With the engine for TLS where it is built. */
const specifier = () => consumer.wolfssl === undefined ? CORE : "pgduplex";
const CORE = "pgduplex/core";

/** Bundles the program, and gives the folder of the result and the texts in it. */
async function bundle(
  name: string,
  target: Target,
  from = specifier(),
): Promise<{ folder: string; texts: Map<string, string> }> {
  const folder = join(consumer.folder, "out", name, target, from);
  await BUNDLERS[name]({ entry: await consumer.write("program.mjs", program(from)), outDir: folder, target });
  const names = (await readdir(folder)).filter((file) => /\.m?js$/.test(file));
  const texts = await Promise.all(
    names.map(async (file) => [file, await readFile(join(folder, file), "utf8")] as const),
  );
  return { folder, texts: new Map(texts) };
}

/** Imports by name, which only a runtime with Node's modules, or nobody, could resolve. */
function bareImports(texts: Map<string, string>): string[] {
  return [...texts.values()].flatMap((text) => ts.preProcessFile(text, true, true).importedFiles)
    .map(({ fileName }) => fileName).filter((name) => !name.startsWith("."));
}

/** Runs a program that connects through our proxy, with TLS to the server where it has the engine for it. */
async function throughProxy(run: (config: object) => Promise<unknown>, from = specifier()): Promise<void> {
  const { postgres, certificates } = await servers();
  const ssl = from !== CORE;
  const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
  try {
    const rootCerts = ssl ? certificates.ca.cert : undefined;
    const answer = await run({ connectionString: urlOf(postgres, ssl), rootCerts, wsProxy: proxy.url });
    assert.deepEqual(answer, { ...PLAIN, ssl });
  } finally {
    await proxy.close();
  }
}

const urlOf = (postgres: PostgresAddress, ssl: boolean) =>
  connectionUrl(postgres, "scram_user", { parameters: { sslmode: ssl ? "verify-full" : "disable" } });

/** Takes from Deno what a browser does not have, and runs the program. */
const AS_IN_A_BROWSER = `
const [path, config] = Deno.args;
delete globalThis.Deno;
delete globalThis.process;
delete globalThis.Buffer;
const { run } = await import(path);
console.log(JSON.stringify(await run(JSON.parse(config))));
`;

async function runAsInABrowser(folder: string, config: object): Promise<unknown> {
  const runner = await consumer.write("browser.mjs", AS_IN_A_BROWSER);
  const args = ["run", "--no-remote", "--no-config", "--allow-net=127.0.0.1,localhost", `--allow-read=${folder}`];
  const child = spawn(process.execPath, [...args, runner, `file://${folder}/main.mjs`, JSON.stringify(config)], {
    timeout: DEADLINE_MILLIS,
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => errors += chunk);
  const [code] = await once(child, "close");
  assert.equal(code, 0, errors);
  return JSON.parse(output);
}

async function runOnWorkers(folder: string, config: object): Promise<unknown> {
  const worker = new Miniflare({
    modules: modulesIn(folder, "main.mjs"),
    modulesRoot: folder,
    compatibilityDate: WORKERD_DATE, // and no compatibility flag
    cf: false,
  });
  try {
    const response = await worker.dispatchFetch("http://worker/", { method: "POST", body: JSON.stringify(config) });
    assert.equal(response.status, 200, await response.clone().text());
    return await response.json();
  } finally {
    await worker.dispose();
  }
}

/** Where the bundler left the WebAssembly module to be uploaded beside the program, as it says in the bundle. */
async function addCore(folder: string): Promise<void> {
  if (consumer.wolfssl === undefined || (await readdir(folder)).some((name) => name.endsWith(".wasm"))) return;
  await copyFile(join(consumer.wolfssl.folder, "workerd/core.wasm"), join(folder, "core.wasm"));
}

for (const name of Object.keys(BUNDLERS)) {
  const bundles = (target: Target) => TARGETS[name]?.includes(target) ?? true;

  if (bundles("node")) {
    test(`${name}: a program for Node, which connects by a socket`, { skip }, async () => {
      const { postgres } = await servers();
      const { folder } = await bundle(name, "node");
      const runner = await consumer.write(
        "run.mjs",
        `const { run } = await import(process.argv[2]);
       console.log(JSON.stringify(await run({ connectionString: process.argv[3] })));`,
      );
      const printed = await consumer.node(runner, join(folder, "main.mjs"), urlOf(postgres, false));
      assert.deepEqual(JSON.parse(printed), PLAIN);
    });
  }

  if (bundles("browser")) {
    test(`${name}: a program for browsers, which connects by a WebSocket`, { skip }, async () => {
      const { folder, texts } = await bundle(name, "browser");
      assert.deepEqual(bareImports(texts), []);
      await throughProxy((config) => runAsInABrowser(folder, config));
    });

    test(`${name}: a program for browsers without the engine`, { skip }, async () => {
      const { folder, texts } = await bundle(name, "browser", CORE);
      assert.deepEqual(bareImports(texts), []);
      await throughProxy((config) => runAsInABrowser(folder, config), CORE);
    });
  }

  if (bundles("workerd")) {
    test(`${name}: a program for Workers, which connects by a socket and by a WebSocket`, { skip }, async () => {
      const { postgres } = await servers();
      const { folder, texts } = await bundle(name, "workerd");
      assert.deepEqual(bareImports(texts).filter((specifier) => specifier !== "cloudflare:sockets"), []);
      await addCore(folder);
      assert.deepEqual(await runOnWorkers(folder, { connectionString: urlOf(postgres, false) }), PLAIN);
      await throughProxy((config) => runOnWorkers(folder, config));
    });
  }
}
