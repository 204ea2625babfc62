/**
 * Builds the WebAssembly core of `@pgduplex/wolfssl` from wolfSSL's source, with a tool chain that comes from npm.
 *
 *     deno task build:wasm [--source=<tarball or folder>] [--verify] [--force]
 *
 * The same inputs give the same bytes: `wolfssl/core.lock.json` records both, and `--verify` compares them.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, deflateRawSync, gzipSync } from "node:zlib";
import { compileFlags, LINK_FLAGS, SOURCE, SOURCE_FILES, TOOLCHAIN } from "./wasm/recipe.ts";

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const CORE = join(ROOT, "wolfssl", "core");
const LOCK = join(ROOT, "wolfssl", "core.lock.json");
const OUTPUT = join(ROOT, "wolfssl", "core.wasm");
const EMBEDDED = join(ROOT, "wolfssl", "core_wasm.js");
const CACHE = join(ROOT, ".build", "wasm");

/** What `wolfssl/core.lock.json` records: where the binary came from. */
interface Lock {
  readonly source: typeof SOURCE;
  readonly toolchain: typeof TOOLCHAIN;
  /** SHA-256 over the recipe and our own C. */
  readonly inputs: string;
  /** SHA-256 of the binary. */
  readonly sha256: string;
  readonly bytes: number;
}

const { values: options } = parseArgs({
  options: {
    source: { type: "string" },
    verify: { type: "boolean", default: false },
    force: { type: "boolean", default: false },
  },
});

const started = Date.now();
const say = (line: string) => console.log(`[${((Date.now() - started) / 1000).toFixed(1).padStart(5)} s] ${line}`);

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const ours = await readCore();
  const inputs = hashInputs(ours);
  const lock = await readLock();
  if (!options.force && lock?.inputs === inputs && await outputMatches(lock)) {
    return say(`up to date: wolfssl/core.wasm, SHA-256 ${lock.sha256.slice(0, 16)}...`);
  }
  const wasm = await build(ours);
  const built: Lock = { source: SOURCE, toolchain: TOOLCHAIN, inputs, sha256: sha256(wasm), bytes: wasm.length };
  if (options.verify || lock?.inputs === inputs) assertReproduced(built, lock);
  else await writeFile(LOCK, JSON.stringify(built, null, 2) + "\n");
  await writeFile(OUTPUT, wasm);
  await writeFile(EMBEDDED, embed(wasm));
  say(`built wolfssl/core.wasm, SHA-256 ${built.sha256}`);
  say(sizes(wasm));
}

async function build(ours: ReadonlyMap<string, Uint8Array>): Promise<Uint8Array> {
  // Loaded only when there is something to build: the compiler alone takes half a second.
  const [{ findSource }, { compileAll }, { link }] = await Promise.all([
    import("./wasm/source.ts"),
    import("./wasm/compile.ts"),
    import("./wasm/link.ts"),
  ]);
  const tree = new Map([...await findSource(options.source, CACHE, say), ...ours]);
  const paths = [...SOURCE_FILES, ...[...ours.keys()].filter((path) => path.endsWith(".c"))];
  const objects = await compileAll(paths, tree, join(CACHE, "objects"), say);
  say("link and optimise ...");
  return await link(objects);
}

async function readCore(): Promise<Map<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for (const name of (await readdir(CORE)).sort()) {
    if (/\.[ch]$/.test(name)) files.set(`core/${name}`, await readFile(join(CORE, name)));
  }
  return files;
}

function hashInputs(ours: ReadonlyMap<string, Uint8Array>): string {
  const hash = createHash("sha256");
  const flags = SOURCE_FILES.map((path) => [path, compileFlags(path)]);
  hash.update(JSON.stringify([SOURCE.sha256, TOOLCHAIN, flags, compileFlags("core/"), LINK_FLAGS]));
  for (const [path, bytes] of ours) hash.update(`\n${path} ${bytes.length}\n`).update(bytes);
  return hash.digest("hex");
}

async function readLock(): Promise<Lock | undefined> {
  return existsSync(LOCK) ? JSON.parse(await readFile(LOCK, "utf8")) : undefined;
}

async function outputMatches(lock: Lock): Promise<boolean> {
  return existsSync(EMBEDDED) && existsSync(OUTPUT) && sha256(await readFile(OUTPUT)) === lock.sha256;
}

function assertReproduced(built: Lock, lock: Lock | undefined): void {
  if (lock === undefined) throw new Error("wolfssl/core.lock.json is missing: there is nothing to verify against");
  if (built.inputs !== lock.inputs) {
    throw new Error(
      "The recipe or wolfssl/core changed since wolfssl/core.lock.json was written: build without --verify",
    );
  }
  if (built.sha256 !== lock.sha256) {
    throw new Error(`The same inputs gave other bytes: SHA-256 ${built.sha256}, recorded ${lock.sha256}`);
  }
  say("verified: the same bytes as recorded in wolfssl/core.lock.json");
}

/** The binary as a JavaScript module, for runtimes and bundlers that cannot import WebAssembly: deflated, as base64. */
function embed(wasm: Uint8Array): string {
  const text = deflateRawSync(wasm, { level: 9 }).toString("base64");
  return `// Built from wolfSSL ${SOURCE.version} by scripts/build_wasm.ts. SPDX-License-Identifier: GPL-3.0-or-later\n` +
    `export const deflatedBase64 = "${text}";\n`;
}

function sizes(wasm: Uint8Array): string {
  const kb = (bytes: number) => `${(bytes / 1000).toFixed(1)} KB`;
  return `size: ${kb(wasm.length)} raw, ${kb(gzipSync(wasm, { level: 9 }).length)} gzip, ` +
    `${kb(brotliCompressSync(wasm).length)} brotli`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
