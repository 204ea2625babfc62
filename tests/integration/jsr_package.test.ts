import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import process from "node:process";
import { test } from "node:test";
import { projectRoot } from "../fixtures/project.ts";

const root = projectRoot();
const skip = !("Deno" in globalThis)
  ? "what is published on JSR is published by Deno"
  : existsSync(join(root, "wolfssl/core_wasm.js"))
  ? false
  : "the core of @pgduplex/wolfssl is not built (deno task build:wasm)";

const deno = (args: readonly string[], folder: string) =>
  promisify(execFile)(process.execPath, args, { cwd: folder, env: { ...process.env, NO_COLOR: "1" } });

/** What `deno publish` would upload, by paths in the package's folder. */
async function publishedFiles(folder: string): Promise<string[]> {
  const { stderr } = await deno(["publish", "--dry-run", "--allow-dirty", "--no-check"], folder);
  return [...stderr.matchAll(/^ +file:\/\/(\S+) \(/gm)].map(([, path = ""]) => path.slice(folder.length + 1)).sort();
}

test("the driver's package holds the driver and its papers, and nothing of the engine", { skip }, async () => {
  const others = (await publishedFiles(root)).filter((path) => !/^src\/[\w/]+\.ts$/.test(path));
  assert.deepEqual(others, ["CHANGELOG.md", "LICENSE", "README.md", "deno.json", "mod.ts"]);
});

test("the engine's package imports nothing beside it, and can be built again", { skip }, async () => {
  await deno(["run", "-A", "scripts/build_jsr.ts"], root);
  const folder = join(root, ".build/jsr");
  const { stdout } = await deno(["info", "--json", "wolfssl/mod.ts"], folder);
  const { modules } = JSON.parse(stdout) as {
    modules: { specifier: string; error?: string }[];
  };
  assert.ok(modules.length > 20);
  const stray = modules.filter(({ specifier, error }) => error || !specifier.startsWith(`file://${folder}/`));
  assert.deepEqual(stray, []);

  const files = await publishedFiles(folder);
  for (
    const path of [
      ...["LICENSE", "README.md", "deno.json"],
      ...["wolfssl/core_wasm.js", "wolfssl/core.wasm", "wolfssl/core.lock.json"],
      ...["scripts/build_wasm.ts", "scripts/wasm/recipe.ts", "wolfssl/core/session.c"],
      ...modules.map(({ specifier }) => specifier.slice(`file://${folder}/`.length)),
    ]
  ) assert.ok(files.includes(path), `${path} would not be published`);
});
