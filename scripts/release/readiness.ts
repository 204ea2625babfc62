/**
 * What must be so before a version is released.
 *
 * @module
 */

import { join } from "node:path";
import { gitIn } from "./git.ts";

/** The file in which `.ci/run` leaves the commit that passed. */
export const CI_PASSED = ".build/ci-passed";

/** The tag of a version, which the release workflow waits for. */
export const tagOf = (version: string): string => `v${version}`;

/** The tag of its snapshot for deno.land: there the prefix is cut off. */
export const snapshotTagOf = (version: string): string => `deno-v${version}`;

/** A checkout's version, and everything that keeps it from being released, a sentence each. */
export async function readinessOf(root: string): Promise<{ version: string; problems: string[] }> {
  const version = await versionIn(join(root, "deno.json"));
  const checks = [
    checkVersion(root, version),
    checkChangelog(root, version),
    checkReadme(root),
    ...checkRepository(root, version),
  ];
  return { version, problems: (await Promise.all(checks)).filter((problem) => problem !== undefined) };
}

async function checkVersion(root: string, version: string): Promise<string | undefined> {
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) return `deno.json: ${version} is no version`;
  const engine = await versionIn(join(root, "wolfssl/deno.json"));
  if (engine !== version) return `wolfssl/deno.json has version ${engine}, deno.json has ${version}`;
}

/** A version's heading is `## 1.2.3 (2026-01-31)`. */
async function checkChangelog(root: string, version: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(join(root, "CHANGELOG.md"));
  const heading = /^## (.*)$/m.exec(text)?.[1];
  const [, name, date] = /^(\S+) \((\d{4}-\d\d-\d\d)\)$/.exec(heading ?? "") ?? [];
  if (name === version && !Number.isNaN(Date.parse(date ?? ""))) return;
  return `CHANGELOG.md begins with "## ${heading}" where "## ${version} (<date>)" is wanted, such as (2026-01-31)`;
}

async function checkReadme(root: string): Promise<string | undefined> {
  const text = await Deno.readTextFile(join(root, "README.md"));
  if (/\bnot published yet\b/.test(text)) return "README.md says that it is not published yet";
}

function checkRepository(root: string, version: string): Promise<string | undefined>[] {
  const git = gitIn(root);
  const noTag = async (tag: string) => await git(["tag", "--list", tag]) === "" ? undefined : `the tag ${tag} is there`;
  const clean = async () => {
    const changes = await git(["status", "--porcelain"]);
    if (changes !== "") return `the tree is not clean:\n${changes}`;
  };
  const onMain = async () => {
    const branch = await git(["branch", "--show-current"]);
    if (branch !== "main") return `this is ${branch || "no branch"}, not main`;
  };
  const passed = async () => {
    const commit = await Deno.readTextFile(join(root, CI_PASSED)).catch(() => "");
    if (commit.trim() !== await git(["rev-parse", "HEAD"])) return "this commit has not passed: run .ci/run";
  };
  return [clean(), onMain(), noTag(tagOf(version)), noTag(snapshotTagOf(version)), passed()];
}

async function versionIn(manifest: string): Promise<string> {
  return String(JSON.parse(await Deno.readTextFile(manifest)).version);
}
