/**
 * The libraries, installed once from the pinned manifest in `manifest/`, with our packages in node-postgres's place.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { projectRoot } from "../fixtures/project.ts";
import { installConsumer } from "../integration/npm_consumer.ts";
import { run } from "../../scripts/run.ts";

/** A project that has the libraries and our packages. */
export interface Installation {
  readonly folder: string;
  /** The version of a package in it. */
  versionOf(name: string): Promise<string>;
}

/** What they run on: slonik asks for 24. */
export const NODE_VERSION = "24.21.0";

/** The package that docs/migrating-from-neon.md puts in the place of Neon's driver; `pg` is this one here. */
const NEON = {
  "package.json":
    '{ "name": "@neondatabase/serverless", "version": "1.99.0", "type": "module", "exports": "./index.js" }',
  "index.js": 'export * from "pg/neon";\n',
};

const MANIFEST = ["package.json", "package-lock.json"];
const DEADLINE_MILLIS = 4 * 60_000;

/**
 * Installs what the manifest pins, unless it is there, and the packages as they would be published: as `pg`, for which
 * libraries ask themselves, and under their own names. Then copies the programs, which find both there.
 */
export async function installLibraries(): Promise<Installation> {
  const here = join(projectRoot(), "tests/ecosystem");
  const manifest = join(here, "manifest");
  const texts = await Promise.all(MANIFEST.map((name) => readFile(join(manifest, name))));
  const hash = createHash("sha256").update(texts[0]).update(texts[1]).digest("hex").slice(0, 12);
  const folder = join(projectRoot(), ".build/ecosystem", hash);
  if (!existsSync(folder)) await installFromLock(manifest, folder);

  const consumer = await installConsumer();
  try {
    const packages = [[consumer.pgduplex, "pg"], [consumer.pgduplex, "pgduplex"], [
      consumer.wolfssl,
      "@pgduplex/wolfssl",
    ]];
    for (const [packed, name] of packages as [{ folder: string } | undefined, string][]) {
      if (packed === undefined) throw new Error("the core of @pgduplex/wolfssl is not built (deno task build:wasm)");
      await replace(packed.folder, join(folder, "node_modules", name));
    }
  } finally {
    await consumer.remove();
  }
  const neon = join(folder, "node_modules/@neondatabase/serverless");
  await rm(neon, { recursive: true, force: true });
  await mkdir(neon, { recursive: true });
  for (const [name, text] of Object.entries(NEON)) await writeFile(join(neon, name), text);
  await replace(join(here, "programs"), join(folder, "programs"));
  return {
    folder,
    async versionOf(name) {
      return JSON.parse(await readFile(join(folder, "node_modules", name, "package.json"), "utf8")).version;
    },
  };
}

/** Into a folder beside it, so that what is there is whole. */
async function installFromLock(manifest: string, folder: string): Promise<void> {
  const unfinished = `${folder}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { recursive: true });
  for (const name of MANIFEST) await cp(join(manifest, name), join(unfinished, name));
  await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: unfinished,
    signal: AbortSignal.timeout(DEADLINE_MILLIS),
  });
  await rename(unfinished, folder);
}

async function replace(source: string, target: string): Promise<void> {
  await rm(target, { recursive: true, force: true });
  await mkdir(dirname(target), { recursive: true });
  await cp(source, target, { recursive: true });
}
