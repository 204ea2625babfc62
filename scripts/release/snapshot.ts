/**
 * The snapshot of a version for deno.land, which serves a tag's files as they are: a commit on top of the released one
 * that has what is built and not committed, and in which nothing is imported by a name that only our deno.json explains.
 *
 * It is made from git's objects alone: neither the working tree nor the index is touched.
 *
 * @module
 */

import { dirname, join, relative } from "node:path";
import { localPackages } from "../npm/local_packages.ts";
import { versionOf } from "../npm/versions.ts";
import { GENERATED } from "../wasm_core.ts";
import { type Git, gitIn } from "./git.ts";

/** Makes the snapshot of HEAD, with what was built in this checkout, and gives the commit. No reference leads to it yet. */
export async function makeSnapshot(root: string, version: string): Promise<string> {
  const git = gitIn(root);
  const folder = await Deno.makeTempDir();
  try {
    const env = { GIT_INDEX_FILE: join(folder, "index") };
    await git(["read-tree", "HEAD"], { env });
    const add = async (path: string, contents: string | Uint8Array) => {
      const blob = await git(["hash-object", "-w", "--stdin"], { input: contents });
      await git(["update-index", "--add", "--cacheinfo", `100644,${blob},${path}`], { env });
    };
    for (const path of GENERATED) await add(path, await Deno.readFile(join(root, path)));
    for (const [path, text] of await rewritten(git)) await add(path, text);
    const tree = await git(["write-tree"], { env });
    const message = `Snapshot of ${version} for deno.land: what is built, and imports without deno.json`;
    return await git(["commit-tree", tree, "-p", "HEAD", "-m", message]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The modules of HEAD that import by name, with what they say then. */
async function rewritten(git: Git): Promise<[path: string, text: string][]> {
  const paths = (await git(["ls-tree", "-r", "--name-only", "HEAD", "mod.ts", "src", "wolfssl"])).split("\n");
  const modules = paths.filter((path) => path.endsWith(".ts"));
  const texts = await Promise.all(modules.map(async (path) => {
    const text = `${await git(["show", `HEAD:${path}`])}\n`;
    return [path, text, withoutNames(path, text)] as const;
  }));
  return texts.filter(([, text, changed]) => changed !== text).map(([path, , changed]) => [path, changed]);
}

const IMPORTS_BY_NAME = /((?:^(?:import|export)\b[^;"]*\bfrom\s+|\bimport\()")([@a-z][^":]*)(")/gm;

/**
 * A module with imports that need no import map: a package of this repository by its path, one of npm by its version.
 *
 * @throws {Error} for a name that nobody knows
 */
export function withoutNames(path: string, text: string): string {
  const own = new Map(localPackages());
  return text.replace(IMPORTS_BY_NAME, (_, before: string, name: string, after: string) => {
    const entry = own.get(name);
    const specifier = entry !== undefined
      ? relative(dirname(path), entry)
      : name === "events"
      ? "node:events"
      : `npm:${name}@${versionOf(name)}`;
    return before + specifier + after;
  });
}
