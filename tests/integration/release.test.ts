import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { type Git, gitIn } from "../../scripts/release/git.ts";
import { CI_PASSED, readinessOf } from "../../scripts/release/readiness.ts";
import { makeSnapshot } from "../../scripts/release/snapshot.ts";
import { GENERATED } from "../../scripts/wasm_core.ts";
import { connectionUrl } from "../fixtures/postgres.ts";
import { projectRoot } from "../fixtures/project.ts";
import { programsIn } from "../fixtures/readme.ts";
import { servers } from "../fixtures/servers.ts";
import { type TemporaryFolder, temporaryFolder } from "../fixtures/temporary.ts";
import { run } from "./npm_consumer.ts";

// A release in a clone that is thrown away: what keeps it from being released, and the snapshot for deno.land.

const root = projectRoot();
const skip = !("Deno" in globalThis)
  ? "releases are made by Deno"
  : existsSync(join(root, ".git"))
  ? GENERATED.every((path) => existsSync(join(root, path)))
    ? false
    : "what is generated is not built (deno task build:wasm, deno task build:roots)"
  : "this is no clone";

let folder: TemporaryFolder;
let clone: string;
let git: Git;

before(async () => {
  if (skip) return;
  folder = temporaryFolder("release");
  clone = join(folder.path, "clone");
  await gitIn(root)(["clone", "--quiet", "--no-checkout", "--no-tags", root, clone]);
  git = gitIn(clone);
  await git(["config", "user.name", "release test"]);
  await git(["config", "user.email", "release@test.invalid"]);
  await git(["checkout", "--quiet", "-B", "main", await gitIn(root)(["rev-parse", "HEAD"])]);
  for (const path of GENERATED) await writeFile(join(clone, path), await readFile(join(root, path)));
});
after(async () => await folder?.remove());

/** Changes a file of the clone. */
async function edit(path: string, change: (text: string) => string): Promise<void> {
  const file = join(clone, path);
  await writeFile(file, change(await readFile(file, "utf8")));
}

async function commitAll(message: string): Promise<void> {
  await git(["commit", "--quiet", "--all", "--allow-empty", "--message", message]);
  await mkdir(join(clone, ".build"), { recursive: true });
  await writeFile(join(clone, CI_PASSED), await git(["rev-parse", "HEAD"]));
}

/** Makes the clone one that can be released. */
async function makeReady(): Promise<string> {
  const { version } = await readinessOf(clone);
  await edit("CHANGELOG.md", (text) => text.replace(/^## .*$/m, `## ${version} (2026-01-31)`));
  await edit("README.md", (text) => text.replaceAll("not published yet", "published"));
  await commitAll("Release");
  return version;
}

test("a checkout can be released once nothing is left to be done", { skip }, async () => {
  const version = await makeReady();
  assert.deepEqual(await readinessOf(clone), { version, problems: [] });
});

const obstacles: readonly [what: string, make: () => Promise<void>, undo: () => Promise<unknown>, problem: RegExp][] = [
  [
    "an uncommitted change",
    () => edit("mod.ts", (text) => `${text}\n`),
    () => git(["checkout", "mod.ts"]),
    /not clean/,
  ],
  ["a file that git does not know", () => writeFile(join(clone, "new.ts"), ""), () => git(["clean", "-fq"]), /new\.ts/],
  [
    "another branch",
    () => git(["checkout", "-qb", "other"]).then(() => {}),
    () => git(["checkout", "-q", "main"]),
    /not main/,
  ],
  [
    "a commit that has not passed",
    () => git(["commit", "-q", "--allow-empty", "-m", "more"]).then(() => {}),
    () => git(["reset", "-q", "--hard", "HEAD^"]),
    /run \.ci\/run/,
  ],
  [
    "the tag of the version",
    async () => void await git(["tag", await tagName()]),
    async () => await git(["tag", "-d", await tagName()]),
    /the tag v.* is there/,
  ],
  [
    "a changelog without a date",
    () => committed("CHANGELOG.md", (text) => text.replace(/ \(2026-01-31\)/, "")),
    back,
    /<date>/,
  ],
  [
    "a changelog of another version",
    () => committed("CHANGELOG.md", (text) => text.replace("## ", "## 9")),
    back,
    /is wanted/,
  ],
  [
    "a README that denies it",
    () => committed("README.md", (text) => `${text}\nnot published yet\n`),
    back,
    /README\.md says/,
  ],
  [
    "an engine of another version",
    () => committed("wolfssl/deno.json", (text) => text.replace(/"version": ".*"/, '"version": "9.9.9"')),
    back,
    /has version 9\.9\.9/,
  ],
];

const tagName = async () => `v${(await readinessOf(clone)).version}`;

async function committed(path: string, change: (text: string) => string): Promise<void> {
  await edit(path, change);
  await commitAll("An obstacle");
}

async function back(): Promise<void> {
  await git(["reset", "-q", "--hard", "HEAD^"]);
  await writeFile(join(clone, CI_PASSED), await git(["rev-parse", "HEAD"]));
}

for (const [what, make, undo, problem] of obstacles) {
  test(`what keeps a version from being released: ${what}`, { skip }, async () => {
    await makeReady();
    await make();
    const { problems } = await readinessOf(clone);
    await undo();
    assert.equal(problems.length, 1, problems.join("\n"));
    assert.match(problems[0] ?? "", problem);
  });
}

test("the script names all that is left to be done, and does nothing", { skip }, async () => {
  await makeReady();
  await edit("CHANGELOG.md", (text) => text.replace(/ \(2026-01-31\)/, ""));
  const script = promisify(execFile)(process.execPath, ["run", "-A", "scripts/release.ts"], { cwd: clone });
  await assert.rejects(script, (error: Error & { code?: number; stderr?: string }) => {
    assert.equal(error.code, 1);
    assert.match(error.stderr ?? "", /cannot be released:\n {2}✗ CHANGELOG\.md .*\n {2}✗ the tree is not clean:/);
    return true;
  });
  await git(["checkout", "CHANGELOG.md"]);
  assert.equal(await git(["tag", "--list"]), "");
  assert.equal(existsSync(join(clone, "npm")), false);
});

test(
  "the snapshot changes no file of the clone, and runs from a server that knows no deno.json",
  { skip },
  async () => {
    const version = await makeReady();
    const before = await git(["status", "--porcelain", "--ignored"]);
    const snapshot = await makeSnapshot(clone, version);
    assert.equal(await git(["status", "--porcelain", "--ignored"]), before);
    assert.equal(await git(["rev-parse", `${snapshot}^`]), await git(["rev-parse", "HEAD"]));
    const changed = (await git(["diff", "--name-only", "HEAD", snapshot])).split("\n");
    for (const path of GENERATED) assert.ok(changed.includes(path), `${path} is not in it`);

    const server = createServer((request, response) => {
      git(["show", `${snapshot}:${request.url?.slice(1)}`]).then(
        (text) => response.writeHead(200, { "content-type": typeOf(request.url) }).end(text),
        () => response.writeHead(404).end(),
      );
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
      const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const program = programsIn(await readFile(join(root, "README.md"), "utf8")).get("main.ts") ?? "";
      const path = join(folder.path, "main.ts");
      await writeFile(
        path,
        program.replace('"@pgduplex/pgduplex"', `"${origin}/mod.ts"`).replace("new Client(", "newClient("),
      );
      await writeFile(
        path,
        `${await readFile(path, "utf8")}
function newClient(connectionString: string | undefined) {
  return new Client({ connectionString, tlsEngine: "wolfssl" });
}
`,
      );
      const { postgres, certificates } = await servers();
      const parameters = { sslmode: "verify-full", sslrootcert: certificates.ca.certPath };
      const env = { DATABASE_URL: connectionUrl(postgres, "scram_user", { parameters }), NO_COLOR: "1" };
      const printed = await run(
        process.execPath,
        ["run", "-A", "--no-config", "--no-lock", `--reload=${origin}`, "main.ts"],
        folder.path,
        env,
      );
      assert.match(printed, /^hello /);
    } finally {
      server.close();
    }
  },
);

const typeOf = (url = "") => url.endsWith(".ts") ? "application/typescript" : "text/javascript";
