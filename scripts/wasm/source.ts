/**
 * Where wolfSSL's source comes from: a path that was given, the upstream release, or Debian's source package through
 * this machine's own apt configuration; always checked against the pinned hash.
 *
 * @module
 */

import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { isNeeded, SOURCE } from "./recipe.ts";
import { readTarGz } from "./tar.ts";

const run = promisify(execFile);

/** How long a step may go without giving a byte before the next one is tried. */
const STALL_MILLIS = 15_000;
const APT_MILLIS = 120_000;

/** The files of a source tree that are needed, by path. */
export type SourceTree = ReadonlyMap<string, Uint8Array>;

/** Finds the source, tells of each step through `say`, and unpacks what is needed of it. */
export async function findSource(
  given: string | undefined,
  cache: string,
  say: (line: string) => void,
): Promise<SourceTree> {
  await mkdir(cache, { recursive: true });
  const tarball = given === undefined ? await fetchTarball(cache, say) : await readGiven(given, say);
  const tree = new Map<string, Uint8Array>();
  for (const [path, bytes] of readTarGz(tarball)) {
    const inside = path.slice(path.indexOf("/") + 1);
    if (isNeeded(inside)) tree.set(inside, bytes);
  }
  say(`source: ${tree.size} files of wolfSSL ${SOURCE.version}`);
  return tree;
}

async function readGiven(path: string, say: (line: string) => void): Promise<Uint8Array> {
  const file = (await stat(path)).isDirectory() ? join(path, `wolfssl_${SOURCE.version}.orig.tar.gz`) : path;
  say(`source: ${file}`);
  const bytes = await readFile(file);
  assertPinned(bytes, file);
  return bytes;
}

async function fetchTarball(cache: string, say: (line: string) => void): Promise<Uint8Array> {
  const kept = join(cache, `wolfssl-${SOURCE.version}.tar.gz`);
  if (existsSync(kept)) {
    const bytes = await readFile(kept);
    if (sha256(bytes) === SOURCE.sha256) {
      say("source: the tarball kept from an earlier build");
      return bytes;
    }
  }
  const failures: string[] = [];
  for (
    const [name, fetchFrom] of [["the upstream release", fromUpstream], [
      "Debian's source package",
      fromDebian,
    ]] as const
  ) {
    say(`source: trying ${name} ...`);
    try {
      const bytes = await fetchFrom(cache);
      assertPinned(bytes, name);
      await writeFile(kept, bytes);
      say(`source: ${name}, ${(bytes.length / 1e6).toFixed(1)} MB, hash as pinned`);
      return bytes;
    } catch (error) {
      const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
      failures.push(`  ${name}: ${reason}`);
      say(`source: ${name} cannot be had: ${reason}`);
    }
  }
  throw new Error(
    `The source of wolfSSL ${SOURCE.version} cannot be had:\n${failures.join("\n")}\n` +
      `Offline, fetch ${SOURCE.url} elsewhere and pass it: deno task build:wasm --source=wolfssl.tar.gz`,
  );
}

async function fromUpstream(): Promise<Uint8Array> {
  const abort = new AbortController();
  const stalled = () => abort.abort(new Error(`no byte came for ${STALL_MILLIS / 1000} s`));
  let timer = setTimeout(stalled, STALL_MILLIS);
  try {
    const response = await fetch(SOURCE.url, { signal: abort.signal });
    if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) {
      clearTimeout(timer);
      timer = setTimeout(stalled, STALL_MILLIS);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks the machine's own mirror for its development suite's package index, in lists of our own, for the one file needed. */
async function fromDebian(cache: string): Promise<Uint8Array> {
  const mirror = await configuredMirror();
  const apt = join(cache, "apt");
  await mkdir(join(apt, "lists", "partial"), { recursive: true });
  await mkdir(join(apt, "archives", "partial"), { recursive: true });
  const list = join(apt, "sources.list");
  await writeFile(list, `deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror} sid main\n`);
  const options = [
    `Dir::Etc::SourceList=${list}`,
    "Dir::Etc::SourceParts=-",
    `Dir::State::Lists=${join(apt, "lists")}`,
    `Dir::Cache::Archives=${join(apt, "archives")}`,
    "Dir::Cache::pkgcache=",
    "Dir::Cache::srcpkgcache=",
    "Acquire::Languages=none",
    "APT::Sandbox::User=root",
    `Acquire::http::Timeout=${STALL_MILLIS / 1000}`,
    `Acquire::https::Timeout=${STALL_MILLIS / 1000}`,
  ].flatMap((option) => ["-o", option]);
  const limits = { timeout: APT_MILLIS };
  await run("apt-get", [...options, "update"], limits);
  const { stdout } = await run("apt-get", [...options, "source", "--print-uris", "wolfssl"], limits);
  const line = stdout.split("\n").find((candidate) => candidate.includes(SOURCE.sha256));
  const uri = line?.match(/^'([^']+)'/)?.[1];
  if (uri === undefined) throw new Error(`the suite no longer has wolfSSL ${SOURCE.version}`);
  const target = join(apt, "orig.tar.gz");
  await rm(target, { force: true });
  await run("/usr/lib/apt/apt-helper", [...options, "download-file", uri, target, `SHA256:${SOURCE.sha256}`], limits);
  return await readFile(target);
}

async function configuredMirror(): Promise<string> {
  const { stdout } = await run("apt-get", ["indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)"]);
  const sites = stdout.split("\n").map((line) => line.split(" "));
  const main = sites.find(([site, release, component]) =>
    component === "main" && /\/debian\/?$/.test(site ?? "") && !/-/.test(release ?? "")
  );
  if (main?.[0] === undefined) throw new Error("apt is not configured for a Debian mirror");
  return main[0];
}

function assertPinned(bytes: Uint8Array, from: string): void {
  const found = sha256(bytes);
  if (found !== SOURCE.sha256) {
    throw new Error(`${from} is not wolfSSL ${SOURCE.version} as pinned: SHA-256 ${found}, expected ${SOURCE.sha256}`);
  }
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
