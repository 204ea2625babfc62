import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { readTarGz } from "../../scripts/wasm/tar.ts";
import { projectRoot } from "../fixtures/project.ts";
import { withoutRoots } from "../fixtures/wolfssl.ts";

const root = projectRoot();
const skip = !("Deno" in globalThis) ? "what is published on JSR is published by Deno" : withoutRoots;

const deno = (args: readonly string[], folder: string, env: Record<string, string> = {}) =>
  promisify(execFile)(process.execPath, args, { cwd: folder, env: { ...process.env, NO_COLOR: "1", ...env } });

/**
 * Publishes a folder to a stand-in of JSR, which knows no package and takes whatever it is given, and gives what that was.
 *
 * Source: the description of JSR's management API, of which `deno publish` asks these.
 */
async function publish(folder: string): Promise<{ path: string; files: Map<string, string> }> {
  let upload: { path: string; body: Uint8Array } | undefined;
  const server = createServer(async (request, response) => {
    const body = Buffer.concat(await Array.fromAsync(request));
    if (request.method === "POST") upload = { path: request.url ?? "", body };
    const isThere = request.method === "POST" || !request.url?.includes("/versions/");
    response.writeHead(isThere ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify(isThere ? { id: "1", status: "success" } : { code: "packageVersionNotFound" }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const JSR_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const args = ["publish", "--token=none", "--no-provenance", "--no-check", "--allow-dirty"];
    await deno(args, folder, { JSR_URL });
  } finally {
    server.close();
  }
  if (upload === undefined) throw new Error("nothing was uploaded");
  const { path, body } = upload;
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return {
    path,
    files: new Map([...readTarGz(body)].map(([name, bytes]) => [name.replace(/^\.\//, ""), text(bytes)])),
  };
}

const versionIn = async (folder: string) => JSON.parse(await readFile(join(folder, "deno.json"), "utf8")).version;

test("the driver is published without the engine, which it imports by its name on JSR", { skip }, async () => {
  const { path, files } = await publish(root);
  const version = await versionIn(root);
  assert.match(path, new RegExp(`^/api/scopes/pgduplex/packages/pgduplex/versions/${version}\\?`));
  const others = [...files.keys()].filter((name) => !/^src\/[\w/]+\.ts$/.test(name)).sort();
  assert.deepEqual(others, ["CHANGELOG.md", "LICENSE", "README.md", "deno.json", "mod.ts"]);
  const loader = files.get("src/tls/engine_loader.ts") ?? "";
  assert.ok(loader.includes(`import("jsr:@pgduplex/wolfssl@^${version}")`), loader);
});

test(
  "the engine is published with all that it imports, and with what it takes to build it again",
  { skip },
  async () => {
    await deno(["run", "-A", "scripts/build_jsr.ts"], root);
    const folder = join(root, ".build/jsr");
    const { stdout } = await deno(["info", "--json", "wolfssl/mod.ts"], folder);
    const graph = JSON.parse(stdout) as { modules: { specifier: string; error?: string }[] };
    const modules = graph.modules.filter(({ specifier }) => !specifier.startsWith("node:")); // whose types are named
    assert.ok(modules.length > 20);
    const stray = modules.filter(({ specifier, error }) => error || !specifier.startsWith(`file://${folder}/`));
    assert.deepEqual(stray, []);

    const { path, files } = await publish(folder);
    assert.match(path, /^\/api\/scopes\/pgduplex\/packages\/wolfssl\/versions\//);
    for (
      const name of [
        ...["LICENSE", "README.md", "deno.json"],
        ...["wolfssl/core_wasm.js", "wolfssl/core.wasm", "wolfssl/core.lock.json"],
        ...["scripts/build_wasm.ts", "scripts/wasm/recipe.ts", "wolfssl/core/session.c"],
        ...modules.map(({ specifier }) => specifier.slice(`file://${folder}/`.length)),
      ]
    ) assert.ok(files.has(name), `${name} is not published`);
  },
);
