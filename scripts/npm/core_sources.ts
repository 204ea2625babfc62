/**
 * What a stranger needs to build the core of `@pgduplex/wolfssl` again, which its licence entitles them to: our part of
 * the source, the recipe, and the versions of the tool chain. wolfSSL's own source is named in the recipe, by its hash.
 *
 * @module
 */

import denoJson from "../../deno.json" with { type: "json" };

/** Files, laid out as in the repository, and the deno.json that goes with them. */
export interface CoreSources {
  /** Paths from the root of the repository. */
  readonly files: readonly string[];
  readonly manifest: {
    readonly tasks: Readonly<Record<string, unknown>>;
    readonly imports: Readonly<Record<string, string>>;
    readonly nodeModulesDir: "auto";
  };
}

const TOOLCHAIN = ["@yowasp/clang", "binaryen"] as const;

/** Finds them in the current folder, a checkout. */
export async function coreSources(): Promise<CoreSources> {
  return {
    files: [
      "scripts/build_wasm.ts",
      ...await filesIn("scripts/wasm"),
      "wolfssl/core.lock.json",
      ...await filesIn("wolfssl/core"),
    ],
    manifest: {
      tasks: { "build:wasm": denoJson.tasks["build:wasm"] },
      imports: Object.fromEntries(TOOLCHAIN.map((name) => [name, denoJson.imports[name]])),
      nodeModulesDir: "auto",
    },
  };
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await Array.fromAsync(Deno.readDir(folder));
  return entries.map(({ name }) => `${folder}/${name}`).sort();
}
