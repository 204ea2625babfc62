/**
 * Runtimes that are installed when they are first needed.
 *
 * @module
 */

import { mkdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../fixtures/project.ts";
import { run } from "../../scripts/run.ts";
import { Unavailable } from "./runtime.ts";

const DEADLINE_MILLIS = 5 * 60_000;

/**
 * Installs a package from npm into a folder of its own below `.build/`, unless it is there, and gives the folder.
 *
 * @throws {Unavailable} where npm cannot
 */
export async function installFromNpm(name: string, version: string): Promise<string> {
  const folder = join(projectRoot(), ".build/runtimes", `${name}-${version}`);
  const complete = join(folder, "complete");
  if (existsSync(complete)) return folder;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), '{ "private": true }\n');
  const options = { cwd: folder, signal: AbortSignal.timeout(DEADLINE_MILLIS) };
  try {
    await run("npm", ["install", "--no-audit", "--no-fund", "--save-exact", `${name}@${version}`], options);
  } catch (cause) {
    throw new Unavailable(`npm cannot install ${name}@${version}: ${reasonOf(cause)}`, { cause });
  }
  await writeFile(complete, "");
  return folder;
}

/**
 * Finds a program, and installs it from Debian where it is missing and this process may.
 *
 * @throws {Unavailable} where neither is possible
 */
export async function findOrInstall(program: string, debianPackage: string): Promise<string> {
  const found = await find(program);
  if (found !== undefined) return found;
  if (Deno.uid() !== 0 || await find("apt-get") === undefined) {
    throw new Unavailable(`${program} is not installed; on Debian: apt-get install ${debianPackage}`);
  }
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, signal: AbortSignal.timeout(DEADLINE_MILLIS) };
  try {
    await run("apt-get", ["update"], options);
    await run("apt-get", ["install", "-y", "--no-install-recommends", debianPackage], options);
  } catch (cause) {
    throw new Unavailable(`Debian's ${debianPackage} cannot be installed: ${reasonOf(cause)}`, { cause });
  }
  const installed = await find(program);
  if (installed === undefined) throw new Unavailable(`Debian's ${debianPackage} has no ${program}`);
  return installed;
}

/** The path of a program on the PATH. */
export async function find(program: string): Promise<string | undefined> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":").filter(Boolean)) {
    const path = join(folder, program);
    if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
  }
  return undefined;
}

/** The line in which npm or apt says what is wrong, else the last one. */
function reasonOf(error: unknown): string {
  const lines = (error instanceof Error ? error.message : String(error)).trimEnd().split("\n");
  return lines.find((line) => /^(npm error (?!code)|E: )/.test(line)) ?? lines.at(-1) ?? "";
}
