/**
 * A project that has our npm packages installed: what `npm pack` makes of them, unpacked, and nothing else but what they
 * depend on.
 *
 * @module
 */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, realpath, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { projectRoot } from "../fixtures/project.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";

/** Why tests of the packages are skipped elsewhere. */
export const NOT_ON_DENO = "the packages are built by Deno; what is tested of them runs on Node from there";

/** A package as it would be published. */
export interface PackedPackage {
  readonly name: string;
  /** Its folder in the consumer's `node_modules`. */
  readonly folder: string;
  readonly tarball: Uint8Array<ArrayBuffer>;
  /** The paths that the tarball holds. */
  readonly files: readonly string[];
}

/** The project. */
export interface Consumer {
  readonly folder: string;
  readonly pgduplex: PackedPackage;
  /** Undefined where its core is not built. */
  readonly wolfssl: PackedPackage | undefined;
  /** Writes a file of the project, and tells its path. */
  write(path: string, text: string): Promise<string>;
  /** Runs a program with Node in the project's folder, and gives what it printed. Fails where the program does. */
  node(...args: string[]): Promise<string>;
  remove(): Promise<void>;
}

/** Builds the packages, unless they are up to date, and installs them. */
export async function installConsumer(): Promise<Consumer> {
  const root = projectRoot();
  await run(process.execPath, ["run", "-A", "--no-check", "scripts/build_npm.ts", "--core-as-is"], root);
  const project = temporaryFolder("npm");
  const { path: folder } = project;
  try {
    await writeFile(join(folder, "package.json"), '{ "name": "consumer", "private": true, "type": "module" }\n');
    const pgduplex = await install(join(root, "npm/pgduplex"), folder);
    const hasCore = existsSync(join(root, "wolfssl/core_wasm.js"));
    return {
      folder,
      pgduplex,
      wolfssl: hasCore ? await install(join(root, "npm/wolfssl"), folder) : undefined,
      async write(path, text) {
        await mkdir(dirname(join(folder, path)), { recursive: true });
        await writeFile(join(folder, path), text);
        return join(folder, path);
      },
      node: (...args) => run("node", args, folder),
      remove: () => project.remove(),
    };
  } catch (error) {
    await project.remove();
    throw error;
  }
}

async function install(source: string, consumer: string): Promise<PackedPackage> {
  const output = await run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", consumer], source);
  const [{ name, filename, files }] = JSON.parse(output) as [
    { name: string; filename: string; files: { path: string }[] },
  ];
  const folder = join(consumer, "node_modules", name);
  await mkdir(folder, { recursive: true });
  const archive = join(consumer, basename(filename));
  await run("tar", ["-xzf", archive, "-C", folder, "--strip-components=1"], consumer);
  const { dependencies = {} } = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  for (const dependency of Object.keys(dependencies)) await link(dependency, consumer);
  return {
    name,
    folder,
    tarball: new Uint8Array(await readFile(archive)),
    files: files.map(({ path }) => path).sort(),
  };
}

/** The dependencies are those of the checkout: nothing is fetched. */
async function link(dependency: string, consumer: string): Promise<void> {
  const target = await realpath(join(projectRoot(), "node_modules", dependency));
  const path = join(consumer, "node_modules", dependency);
  await mkdir(dirname(path), { recursive: true });
  await symlink(target, path, "dir");
}

const DEADLINE_MILLIS = 180_000; // after which a program counts as hanging; builds wait for each other

/** Runs a program to its end, with variables besides this process's own, and gives what it printed. Fails where it does. */
export async function run(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: DEADLINE_MILLIS,
  });
  let output = "";
  let errors = "";
  child.stdout.on("data", (chunk) => output += chunk);
  child.stderr.on("data", (chunk) => errors += chunk);
  const code = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  assert.equal(code, 0, `${program} ${args.join(" ")}\n${output}${errors}`);
  return output;
}
