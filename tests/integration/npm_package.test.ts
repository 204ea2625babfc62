import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { publint } from "publint";
import ts from "typescript";
import { connectionUrl } from "../fixtures/postgres.ts";
import { projectRoot } from "../fixtures/project.ts";
import { servers } from "../fixtures/servers.ts";
import { type Consumer, installConsumer, NOT_ON_DENO, type PackedPackage, run } from "./npm_consumer.ts";

const skip = "Deno" in globalThis ? false : NOT_ON_DENO;

let consumer: Consumer;
before(async () => {
  if (!skip) consumer = await installConsumer();
});
after(async () => await consumer?.remove());

type Name = "pgduplex" | "wolfssl";
const NAMES: readonly Name[] = ["pgduplex", "wolfssl"];
const WITHOUT_CORE = "the core of @pgduplex/wolfssl is not built (deno task build:wasm)";

/** A test of each package. */
function testPackages(what: string, body: (one: PackedPackage, name: Name) => Promise<void>): void {
  for (const name of NAMES) {
    test(`${name}: ${what}`, { skip }, async (context) => {
      const one = consumer[name];
      if (one === undefined) return context.skip(WITHOUT_CORE);
      await body(one, name);
    });
  }
}

const MODULES = /^(esm|script)\/([\w/]+\.(js|d\.ts)|package\.json)$/;
/** node-postgres's modules below `pg/lib/`. */
const LIB = /^lib\/[\w-]+\.(js|d\.ts)$/;
const BUNDLES = /^(browser|workerd|edge-light|core)\/([\w-]+\.c?js|package\.json)$/;
/** What the licence of wolfSSL asks for: our part of the source, and how it is built. */
const SOURCE_OF_CORE = /^source\/(wolfssl\/core\/\w+\.[ch]|scripts\/(build_wasm|wasm\/\w+)\.ts)$/;
const CONTENTS: Readonly<Record<Name, { papers: string[]; modules: RegExp[]; entries: string[] }>> = {
  pgduplex: {
    papers: ["CHANGELOG.md", "LICENSE", "README.md", "package.json"],
    modules: [MODULES, LIB, BUNDLES],
    entries: ["mod", "src/proxy/mod", "src/cli"],
  },
  wolfssl: {
    papers: ["LICENSE", "README.md", "package.json", "source/deno.json", "source/wolfssl/core.lock.json"],
    modules: [MODULES, BUNDLES, /^workerd\/core\.wasm(\.d\.ts)?$/, SOURCE_OF_CORE],
    entries: ["wolfssl/mod", "wolfssl/core_wasm", "wolfssl/mozilla_roots"],
  },
};

testPackages("the tarball holds the modules, the papers and nothing else", async ({ files, folder }, name) => {
  const { papers, modules, entries } = CONTENTS[name];
  const others = files.filter((path) => !modules.some((pattern) => pattern.test(path)));
  assert.deepEqual(others, papers);
  for (const path of ["esm", "script"].flatMap((tree) => entries.map((entry) => `${tree}/${entry}`))) {
    assert.ok(files.includes(`${path}.js`) && files.includes(`${path}.d.ts`), `${path} is missing`);
  }
  if (name === "wolfssl") assert.ok(files.filter((path) => SOURCE_OF_CORE.test(path)).length > 10);
  // Deno wants one deno.json for each package.
  for (const manifest of ["deno.json", "wolfssl/deno.json"]) {
    assert.equal(
      await versionIn(join(folder, "package.json")),
      await versionIn(join(projectRoot(), manifest)),
      manifest,
    );
  }
});

test("a stranger can build the core again from what the tarball holds", { skip }, async (context) => {
  if (consumer.wolfssl === undefined) return context.skip(WITHOUT_CORE);
  const source = join(consumer.folder, "source");
  await cp(join(consumer.wolfssl.folder, "source"), source, { recursive: true }); // Deno heeds no deno.json in node_modules
  // wolfSSL's own source and the objects, which take a minute to make, are those of the checkout.
  await mkdir(join(source, ".build"));
  await symlink(join(projectRoot(), ".build/wasm"), join(source, ".build/wasm"), "dir");
  const printed = await run(process.execPath, ["task", "build:wasm", "--verify", "--force"], source);
  assert.match(printed, /verified: the same bytes as recorded in wolfssl\/core\.lock\.json/);
  const built = await readFile(join(source, "wolfssl/core.wasm"));
  assert.deepEqual(built, await readFile(join(consumer.wolfssl.folder, "workerd/core.wasm")));
});

const versionIn = async (path: string) => JSON.parse(await readFile(path, "utf8")).version;

test("pages and Workers load lazily what few need, and nothing else", { skip }, () => {
  const entries = ["core.js", "mod.js", "neon.js", "shared.js", "package.json"];
  const lazy = (folder: string, { files } = consumer.pgduplex) =>
    files.filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1))
      .filter((name) => !entries.includes(name) && !/^chunk-/.test(name));
  // A new lazy import in the source asks for a decision: scripts/npm/platforms.ts.
  assert.deepEqual(lazy("browser"), [
    ...["cancel.js", "direct_sockets.js", "hosts.js", "known_options.js", "operations.js", "other_methods.js"],
    ...["own_way.js", "platform.js", "rare_decoders.js", "roots.js", "saslprep.js", "server_end_point.js"],
    ...["sockets.js", "statement_cache.js", "streams.js"],
  ]);
  for (const folder of ["edge-light", "workerd"]) assert.deepEqual(lazy(folder), ["saslprep.js"], folder);
  if (consumer.wolfssl === undefined) return;
  const stable = (names: string[]) => names.map((name) => name.replace(/-\w+\.js$/, ".js"));
  const rare = ["client_key.js", "isrg_roots.js", "mozilla_roots.js", "node_options.js"];
  const core = ["core.wasm", "core.wasm.d.ts"];
  assert.deepEqual(stable(lazy("edge-light", consumer.wolfssl)), rare);
  assert.deepEqual(stable(lazy("workerd", consumer.wolfssl)).sort(), [...rare, ...core].sort());
});

testPackages("npm would publish it as it is", async ({ folder }) => {
  // To a registry that is not there: it is not asked.
  const dry = ["publish", "--dry-run", "--fetch-retries=0", "--registry=http://127.0.0.1:9/"];
  const { stderr } = await promisify(execFile)("npm", dry, { cwd: folder });
  const warnings = stderr.split("\n").filter((line) => line.startsWith("npm warn"));
  assert.deepEqual(warnings.filter((line) => !line.includes("requires you to be logged in")), []);
});

testPackages("publint has nothing to say", async ({ tarball }) => {
  const { messages } = await publint({ pack: { tarball: tarball.buffer }, strict: true });
  assert.deepEqual(messages, []);
});

testPackages("the types are what is imported, however it is resolved (attw)", async ({ tarball }) => {
  const result = await checkPackage(createPackageFromTarballData(tarball));
  assert.ok(result.types);
  // Resolution as in Node 10 knows no subpaths, and no CommonJS module requires WebAssembly.
  const isExpected = (resolution: string, entry: string) =>
    resolution === "node10" ? entry !== "." : resolution === "node16-cjs" && entry.endsWith(".wasm");
  const problems = result.problems.filter((problem) =>
    !(problem.kind === "NoResolution" && isExpected(problem.resolutionKind, problem.entrypoint))
  );
  assert.deepEqual(problems, []);
});

testPackages("every module can be loaded, by require and by import", async ({ folder, files }) => {
  const modules = files.filter((path) =>
    /^(esm|script|lib|core)\/.*\.c?js$/.test(path) && !path.endsWith("src/cli.js")
  );
  const program = await consumer.write(
    "load.mjs",
    `import { createRequire } from "node:module";
     import { pathToFileURL } from "node:url";
     const require = createRequire(import.meta.url);
     const failed = [];
     for (const path of ${JSON.stringify(modules.map((path) => join(folder, path)))}) {
       try {
         const required = /\\/(script|lib)\\/|\\.cjs$/.test(path) ? require(path) : await import(pathToFileURL(path));
         if (!/^(object|function)$/.test(typeof required)) throw new Error("it is no namespace");
       } catch (error) {
         failed.push(path + ": " + error.message);
       }
     }
     console.log(JSON.stringify(failed));`,
  );
  assert.ok(modules.length > 20);
  assert.deepEqual(JSON.parse(await consumer.node(program)), []);
});

const ENTRIES = [
  "esm/mod.js",
  "esm/node.js",
  ...["browser", "workerd"].flatMap((at) => [`${at}/mod.js`, `${at}/core.js`]),
  "core/core.js",
];

test("every entry of pgduplex exports the same names", { skip }, async () => {
  const { folder } = consumer.pgduplex;
  const program = await consumer.write(
    "names.mjs",
    `import { createRequire } from "node:module";
     const names = (namespace) => 
       Object.keys(namespace).filter((name) => name !== "default" && name !== "native").sort();
     const require = createRequire(import.meta.url);
     const required = names(require("pgduplex"));
     const entries = await Promise.all(${JSON.stringify(ENTRIES)}.map(
       (path) => import(${JSON.stringify(folder)} + "/" + path)));
     console.log(JSON.stringify([required, names(require("pgduplex/core")), ...entries.map(names)]));`,
  );
  const [required, ...entries] = JSON.parse(await consumer.node(program)) as string[][];
  assert.ok(required.includes("Client") && required.includes("DatabaseError"));
  for (const names of entries) assert.deepEqual(names, required);
});

test(
  "what is imported and what is required is one copy, and pg's modules below lib are parts of it",
  { skip },
  async () => {
    const program = await consumer.write(
      "copies.mjs",
      `import pgduplex, * as imported from "pgduplex";
     import * as neon from "pgduplex/neon";
     import { createRequire } from "node:module";
     const require = createRequire(import.meta.url);
     const required = require("pgduplex");
     const requiredNeon = require("pgduplex/neon");
     const lib = {
       client: imported.Client, connection: imported.Connection, defaults: imported.defaults, index: pgduplex,
       query: imported.Query, result: imported.Result, "type-overrides": imported.TypeOverrides, utils: imported.utils,
     };
     const names = Object.keys(required);
     const Parameters = require("pgduplex/lib/connection-parameters");
     const parameters = new Parameters("postgres://app:secret@db:7/shop?application_name=till");
     const { user, host, port, database, password, application_name } = parameters;
     const again = new required.Client(parameters);
     console.log(JSON.stringify([
       [user, host, port, database, password, application_name, Object.keys(parameters).includes("password")],
       [again.host, again.password],
       names.length > 30, names.filter((name) => imported[name] !== required[name]),
       Object.keys(lib).filter((name) => !lib[name] || require("pgduplex/lib/" + name) !== lib[name] ||
         require("pgduplex/lib/" + name + ".js") !== lib[name]),
       Object.keys(requiredNeon).filter((name) => neon[name] !== requiredNeon[name]),
       neon.types === imported.types && neon.Pool.prototype instanceof imported.Pool,
     ]));`,
    );
    assert.deepEqual(JSON.parse(await consumer.node(program)), [
      ["app", "db", 7, "shop", "secret", "till", false],
      ["db", "secret"],
      ...[true, [], [], [], true],
    ]);
  },
);

test(
  "what is required is one object, as node-postgres: its parts can be replaced, and native is not listed",
  { skip },
  async () => {
    const program = await consumer.write(
      "replaced.cjs",
      `"use strict";
     const pg = require("pgduplex");
     class Pool extends pg.Pool {}
     pg.Pool = Pool;
     import("pgduplex").then(({ default: imported }) =>
       console.log(JSON.stringify([
         imported === pg, pg.default === pg, imported.Pool === Pool, require("pgduplex/lib/index") === pg,
         pg.native, Object.keys(pg).includes("native"), Object.keys(pg).includes("default"), pg.__esModule,
       ])));`,
    );
    assert.deepEqual(JSON.parse(await consumer.node(program)), [true, true, true, true, null, false, false, true]);
  },
);

const PROGRAMS: readonly [name: string, imports: string][] = [
  ["program.mjs", 'import { Client, DatabaseError, types } from "pgduplex";'],
  ["program.cjs", 'const { Client, DatabaseError, types } = require("pgduplex");'],
];

for (const [name, imports] of PROGRAMS) {
  test(`${name} queries PostgreSQL from Node, with SCRAM and TLS`, { skip }, async () => {
    const { postgres, certificates } = await servers();
    const program = await consumer.write(
      name,
      `${imports}
       const [url, rootCerts] = process.argv.slice(2);
       async function main() {
         const client = new Client({ connectionString: url, rootCerts: require_("node:fs").readFileSync(rootCerts, "utf8") });
         await client.connect();
         const { rows } = await client.query("select $1::int + 1 as answer, now() as at", [41]);
         const error = await client.query("select 1/0").catch((error) => error);
         await client.end();
         console.log(JSON.stringify([rows[0].answer, rows[0].at instanceof Date, error instanceof DatabaseError, error.code]));
       }
       const require_ = process.getBuiltinModule("node:module").createRequire("/");
       main();`,
    );
    const url = connectionUrl(postgres, "scram_user", { parameters: { sslmode: "verify-full" } });
    const printed = JSON.parse(await consumer.node(program, url, certificates.ca.certPath));
    assert.deepEqual(printed, [42, true, true, "22012"]);
  });
}

test("pgduplex/core has no trace of the engine, and works without it", { skip }, async () => {
  const { files, folder } = consumer.pgduplex;
  const bundles = files.filter((path) => /\bcore\.c?js$/.test(path));
  assert.equal(bundles.length, 5);
  for (const path of bundles) {
    const { importedFiles } = ts.preProcessFile(await readFile(join(folder, path), "utf8"), true, true);
    const packages = importedFiles.map(({ fileName }) => fileName).filter((name) => !name.startsWith("."));
    assert.deepEqual([...new Set(packages)].sort(), path.startsWith("core/") ? ["events", "ws"] : [], path);
  }
  const { postgres } = await servers();
  const program = await consumer.write(
    "core.mjs",
    `import { Client } from "pgduplex/core";
     import { EventEmitter } from "node:events";
     const [connectionString] = process.argv.slice(2);
     const client = await new Client({ connectionString }).connect();
     const { rows } = await client.query("select 1 as one");
     await client.end();
     const engine = new Client({ connectionString, ssl: true, tlsEngine: "wolfssl" });
     const error = await engine.connect().catch((error) => error);
     console.log(JSON.stringify([rows, client instanceof EventEmitter, error.code, error.cause.message]));`,
  );
  const printed = JSON.parse(await consumer.node(program, connectionUrl(postgres, "scram_user")));
  assert.deepEqual(printed.slice(0, 3), [[{ one: 1 }], true, "TLS_ENGINE_MISSING"]);
  assert.match(printed[3], /left out of pgduplex\/core/);
});

test("bin: pgduplex tells how it is used", { skip }, async () => {
  const { bin } = JSON.parse(await readFile(join(consumer.pgduplex.folder, "package.json"), "utf8"));
  for (const path of [bin.pgduplex, bin.pgduplex.replace(/^esm\//, "script/")]) {
    assert.match(await consumer.node(join(consumer.pgduplex.folder, path), "proxy", "--help"), /ALLOW_ADDR_REGEX/);
  }
});

const TYPED: readonly [name: string, text: string][] = [
  [
    "typed.mts",
    `import { Client, type QueryConfig } from "pgduplex";
     const client = new Client("postgres://localhost/shop");
     client.on("notification", (message) => message);
     const config: QueryConfig = { text: "select 1", values: [1] };
     client.query<{ id: number }>(config).then(({ rows }) => rows[0]!.id.toFixed());`,
  ],
  [
    "typed.cts",
    `import pgduplex = require("pgduplex");
     const client: pgduplex.Client = new pgduplex.Client();
     client.once("error", () => {});
     client.query("select 1", (error: Error | null) => error);`,
  ],
  ["wrong.mts", `import { Client } from "pgduplex";\nnew Client({ port: {} });`],
];

test("TypeScript's users need no types of Node", { skip }, async () => {
  for (const [name, text] of TYPED) {
    const program = ts.createProgram({
      rootNames: [await consumer.write(name, text)],
      options: {
        strict: true,
        noEmit: true,
        skipLibCheck: false,
        module: ts.ModuleKind.NodeNext,
        target: ts.ScriptTarget.ES2022,
        lib: ["lib.es2023.d.ts", "lib.dom.d.ts", "lib.dom.asynciterable.d.ts", "lib.esnext.disposable.d.ts"],
        types: [],
      },
    });
    const messages = ts.getPreEmitDiagnostics(program).map(({ messageText, file }) =>
      `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`
    );
    if (name === "wrong.mts") assert.match(messages.join("\n"), /not assignable to type 'string \| number/);
    else assert.deepEqual(messages, [], name);
  }
});
