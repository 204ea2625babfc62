/**
 * `deno task check`: format, lint, types of every file, and the directions of imports. All of them run, even if one fails.
 *
 * @module
 */

import { installPackages } from "./progress.ts";

const FOLDERS = ["mod.ts", "src", "wolfssl", "scripts", "tests", "bench", "examples"];

const present = FOLDERS.filter((path) => {
  try {
    return Deno.statSync(path) !== undefined;
  } catch {
    return false;
  }
});

const CHECKS: readonly (readonly [name: string, args: readonly string[], advice?: string])[] = [
  ["format", ["fmt", "--check"], "run `deno fmt`"],
  ["lint", ["lint", ...present]],
  ["types", ["check", ...present]],
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
