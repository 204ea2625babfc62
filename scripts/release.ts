/**
 * `deno task release [--dry-run]`: looks whether this checkout can be released, builds what is published, has npm and JSR
 * try it, makes the tags, and says what remains to be pressed. It publishes and pushes nothing. With `--dry-run` there are
 * no tags either.
 *
 * @module
 */

import { buildJsr } from "./build_jsr.ts";
import { step } from "./progress.ts";
import { gitIn } from "./release/git.ts";
import { readinessOf, snapshotTagOf, tagOf } from "./release/readiness.ts";
import { makeSnapshot } from "./release/snapshot.ts";
import { run } from "./run.ts";
import { buildGenerated } from "./wasm_core.ts";

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== "--dry-run");
  if (unknown.length > 0) {
    console.error(`There is no ${unknown.join(", ")}: deno task release [--dry-run]`);
    return 2;
  }
  const root = Deno.cwd();
  const { version, problems } = await readinessOf(root);
  if (problems.length > 0) {
    console.error([`${version} cannot be released:`, ...problems.map((problem) => `  ✗ ${problem}`)].join("\n"));
    return 1;
  }
  console.error(`Releasing ${version}`);
  if (!await buildGenerated()) return 1;
  const build = ["run", "-A", "scripts/build_npm.ts", "--core-as-is"];
  await step("Building the npm packages", () => run(Deno.execPath(), build));
  const jsr = await step("Laying out the engine for JSR", buildJsr);
  for (const { what, program, args, folder } of publications(version, jsr)) {
    await step(`Trying ${what}`, () => run(program, [...args, "--dry-run"], { cwd: folder }));
  }
  const snapshot = await step("Making the snapshot for deno.land", () => makeSnapshot(root, version));
  if (args.includes("--dry-run")) console.log(`\n${version} can be released. The snapshot is commit ${snapshot}.`);
  else console.log(await tag(root, version, snapshot, publications(version, jsr)));
  return 0;
}

/** One `publish`, in the order in which they must be done: the driver depends on the engine. */
interface Publication {
  readonly what: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly folder: string;
}

function publications(version: string, jsr: string): Publication[] {
  const npm = ["publish", ...version.includes("-") ? ["--tag", "next"] : []];
  const deno = Deno.execPath();
  return [
    { what: "@pgduplex/wolfssl on npm", program: "npm", args: npm, folder: "npm/wolfssl" },
    { what: "pgduplex on npm", program: "npm", args: npm, folder: "npm/pgduplex" },
    { what: "@pgduplex/wolfssl on JSR", program: deno, args: ["publish"], folder: jsr },
    { what: "@pgduplex/pgduplex on JSR", program: deno, args: ["publish"], folder: "." },
  ];
}

/** Tags the release and its snapshot, and says what is left to do. */
async function tag(root: string, version: string, snapshot: string, all: readonly Publication[]): Promise<string> {
  const git = gitIn(root);
  const [release, forDenoLand] = [tagOf(version), snapshotTagOf(version)];
  await git(["tag", "--annotate", "--message", `pgduplex ${version}`, release]);
  await git(["tag", "--annotate", "--message", `pgduplex ${version} for deno.land`, forDenoLand, snapshot]);
  const byHand = all.map(({ program, args, folder }) => {
    const command = `${program === "npm" ? "npm" : "deno"} ${args.join(" ")}`;
    return folder === "." ? `  ${command}` : `  (cd ${folder} && ${command})`;
  });
  return [
    "",
    `${version} is ready: the tags ${release} and ${forDenoLand} are made. What remains to be pressed:`,
    "",
    `  git push origin main ${release} ${forDenoLand}`,
    "",
    "The first tag has .github/workflows/release.yml publish to npm and JSR, with provenance. By hand it would be",
    "",
    ...byHand,
    "",
    `To take it back before that: git tag --delete ${release} ${forDenoLand}`,
  ].join("\n");
}

if (import.meta.main) {
  Deno.exit(
    await main(Deno.args).catch((error) => {
      console.error(error instanceof Error ? error.message : error);
      return 1;
    }),
  );
}
