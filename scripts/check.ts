/**
 * `deno task check`: format, lint, types of every file, the directions of imports, and what JSR asks of a package: documented
 * symbols and types that need no inference. All of them run, even if one fails.
 *
 * @module
 */

import denoJson from "../deno.json" with { type: "json" };
import { localPackages } from "./npm/local_packages.ts";
import { installPackages } from "./progress.ts";

const FOLDERS = ["mod.ts", "src", "wolfssl", "scripts", "tests", "bench", "examples"];

/** The modules by which users enter the packages. */
const ENTRIES = [...Object.values(denoJson.exports), ...localPackages().map(([, path]) => path)];

const present = FOLDERS.filter((path) => {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
});

/** The programs of tests/ecosystem import what is installed for them alone. */
const typed = present.flatMap((path) =>
  path === "tests"
    ? [...Deno.readDirSync(path)].map(({ name }) => name === "ecosystem" ? "tests/ecosystem/*.ts" : `tests/${name}`)
    : [path]
);

const CHECKS: readonly (readonly [name: string, args: readonly string[], advice?: string])[] = [
  ["format", ["fmt", "--check"], "run `deno fmt`"],
  ["lint", ["lint", ...present]],
  ["types", ["check", ...typed]],
  ["documentation", ["doc", "--quiet", "--lint", ...ENTRIES], "every public symbol has JSDoc, and only public types"],
  ["publishing", ["publish", "--quiet", "--dry-run", "--allow-dirty"]],
  ["imports", ["test", "-A", "--no-check", "--quiet", "tests/unit/import_direction.test.ts"]],
];

await installPackages();
const failed: string[] = [];
for (const [name, args, advice] of CHECKS) {
  console.error(`\n── ${name}`);
  const { success } = await new Deno.Command(Deno.execPath(), { args: [...args], stdin: "null" }).spawn().status;
  if (!success) failed.push(advice ? `${name} (${advice})` : name);
}
console.error(failed.length === 0 ? "\nAll checks passed." : `\nFailed: ${failed.join(", ")}`);
Deno.exit(failed.length === 0 ? 0 : 1);
