import { Miniflare } from "miniflare";
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { startProxy } from "../../src/proxy/mod.ts";
import { connectionUrl, type PostgresAddress } from "../fixtures/postgres.ts";
import { servers } from "../fixtures/servers.ts";
import { BUNDLERS, type Target } from "./npm_bundlers.ts";
import { type Consumer, installConsumer, NOT_ON_DENO } from "./npm_consumer.ts";

const skip = "Deno" in globalThis ? false : NOT_ON_DENO;

const PROGRAM = `
import { Client } from "pgduplex";

export async function run(config) {
  const client = new Client(config);
  await client.connect();
  const { rows } = await client.query("select $1::int + 1 as answer, current_user as name", [41]);
  await client.end();
  return rows[0];
}

export default {
  async fetch(request) {
    return Response.json(await run(await request.json()));
  },
};
`;
const ANSWER = { answer: 42, name: "scram_user" };

let consumer: Consumer;
before(async () => {
  if (!skip) consumer = await installConsumer();
});
after(async () => await consumer?.remove());

/** Bundles the program, and gives the folder of the result and the texts in it. */
async function bundle(name: string, target: Target): Promise<{ folder: string; texts: Map<string, string> }> {
  const folder = join(consumer.folder, "out", `${name}-${target}`);
  await BUNDLERS[name]({ entry: await consumer.write("program.mjs", PROGRAM), outDir: folder, target });
  const names = (await readdir(folder)).filter((file) => /\.m?js$/.test(file));
  const texts = await Promise.all(
    names.map(async (file) => [file, await readFile(join(folder, file), "utf8")] as const),
  );
  return { folder, texts: new Map(texts) };
}

/** Imports by name, which only a runtime with Node's modules, or nobody, could resolve. */
function bareImports(texts: Map<string, string>): string[] {
  return [...texts.values()].flatMap((text) =>
    Array.from(text.matchAll(/(?:\bfrom|\bimport|\brequire\()\s*\(?["']([^."'/][^"'\s]*)["']/g), ([, name]) => name)
  );
}

/** What a program is given to connect through our proxy. */
async function withProxy(body: (config: object) => Promise<void>): Promise<void> {
  const { postgres } = await servers();
  const proxy = await startProxy({ allow: [`${postgres.host}:${postgres.port}`] });
  try {
    await body({ connectionString: plainUrl(postgres), wsProxy: proxy.url });
  } finally {
    await proxy.close();
  }
}

const plainUrl = (postgres: PostgresAddress) =>
  connectionUrl(postgres, "scram_user", { parameters: { sslmode: "disable" } });

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
  const program = await consumer.write("browser.mjs", AS_IN_A_BROWSER);
  const args = ["run", "--no-remote", "--no-config", "--allow-net=127.0.0.1,localhost", `--allow-read=${folder}`];
  const child = spawn(process.execPath, [...args, program, `file://${folder}/main.mjs`, JSON.stringify(config)]);
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => errors += chunk);
  const [code] = await once(child, "close");
  assert.equal(code, 0, errors);
  return JSON.parse(output);
}

async function runOnWorkers(folder: string, texts: Map<string, string>, config: object): Promise<unknown> {
  const worker = new Miniflare({
    modules: [...texts].sort(([one]) => one === "main.mjs" ? -1 : 1).map(([file, contents]) => ({
      type: "ESModule" as const,
      path: join(folder, file),
      contents,
    })),
    modulesRoot: folder,
    compatibilityDate: "2026-04-01", // and no compatibility flag
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

for (const name of Object.keys(BUNDLERS)) {
  test(`${name}: a program for Node, which connects by a socket`, { skip }, async () => {
    const { postgres } = await servers();
    const { folder } = await bundle(name, "node");
    const program = await consumer.write(
      "run.mjs",
      `const { run } = await import(process.argv[2]);
       console.log(JSON.stringify(await run(process.argv[3])));`,
    );
    assert.deepEqual(JSON.parse(await consumer.node(program, join(folder, "main.mjs"), plainUrl(postgres))), ANSWER);
  });

  test(`${name}: a program for browsers, which connects by a WebSocket`, { skip }, async () => {
    const { folder, texts } = await bundle(name, "browser");
    assert.deepEqual(bareImports(texts), []);
    await withProxy(async (config) => assert.deepEqual(await runAsInABrowser(folder, config), ANSWER));
  });

  test(`${name}: a program for Workers, which connects by a socket and by a WebSocket`, { skip }, async () => {
    const { postgres } = await servers();
    const { folder, texts } = await bundle(name, "workerd");
    assert.deepEqual(bareImports(texts).filter((specifier) => specifier !== "cloudflare:sockets"), []);
    assert.deepEqual(await runOnWorkers(folder, texts, { connectionString: plainUrl(postgres) }), ANSWER);
    await withProxy(async (config) => assert.deepEqual(await runOnWorkers(folder, texts, config), ANSWER));
  });
}
