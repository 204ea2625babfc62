/**
 * `deno task build:npm [pgduplex|wolfssl] [--core-as-is]`: the npm packages, in `npm/`, built again where what they are
 * made of changed, the engine's core included. `deno task build:npm:dnt` has dnt build them, which lays out the same trees.
 *
 * @module
 */

import denoJson from "../deno.json" with { type: "json" };
import type { BuildOptions, EntryPoint } from "./npm/build_options.ts";
import { coreSources } from "./npm/core_sources.ts";
import { finish } from "./npm/finish.ts";
import {
  BROWSER,
  EDGE_LIGHT,
  EDGE_LIGHT_WITH_CORE,
  WORKERD,
  WORKERD_CORE,
  WORKERD_WITH_CORE,
} from "./npm/platforms.ts";
import { ifChanged } from "./npm/if_changed.ts";
import { versionOf } from "./npm/versions.ts";
import { installPackages, step } from "./progress.ts";
import { buildGenerated, GENERATED } from "./wasm_core.ts";

/** What the packages have in common. */
const COMMON = {
  shims: {},
  test: false,
  typeCheck: "single",
  declaration: "inline",
  declarationMap: false,
  scriptModule: "cjs",
  esModule: true,
  skipSourceOutput: true,
  importMap: ".build/npm/import_map.json",
  compilerOptions: {
    target: "ES2022",
    lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable", "ESNext.Disposable"],
    skipLibCheck: true,
  },
} as const satisfies Partial<BuildOptions>;

/**
 * Where the sources are, as GitHub tells a workflow that runs there: npm's provenance must name the same. `directory` is
 * what the links of the README start from.
 */
function repository(directory?: string): { readonly repository?: unknown } {
  const [server, name] = [Deno.env.get("GITHUB_SERVER_URL"), Deno.env.get("GITHUB_REPOSITORY")];
  if (!server || !name) return {};
  return { repository: { type: "git", url: `git+${server}/${name}.git`, ...directory ? { directory } : {} } };
}

const COMMON_FIELDS = {
  version: versionOf("."),
  keywords: ["postgres", "postgresql", "pg", "database", "websocket", "edge", "workers", "browser"],
  engines: { node: ">=20.16" },
  sideEffects: false,
  type: "commonjs", // each folder of modules says otherwise where it is otherwise
} as const;

/** What is imported from JSR can be imported from npm, under the same subpaths. */
const ENTRY_POINTS: readonly EntryPoint[] = [
  ...Object.entries(denoJson.exports).map(([name, path]) => ({ name, path })),
  { kind: "bin", name: "pgduplex", path: "./src/cli.ts" },
];

const pgduplex: BuildOptions = {
  ...COMMON,
  entryPoints: ENTRY_POINTS,
  outDir: "./npm/pgduplex",
  mappings: { "./wolfssl/mod.ts": { name: "@pgduplex/wolfssl", version: `^${versionOf(".")}` } },
  package: {
    ...COMMON_FIELDS,
    name: "pgduplex",
    ...repository(),
    description: "PostgreSQL from anywhere JavaScript runs: a drop-in for node-postgres over sockets and WebSockets",
    license: "MIT",
    files: ["esm", "script", "lib", "browser", "edge-light", "workerd", "core", "CHANGELOG.md"],
    dependencies: {
      "@types/events": `^${versionOf("@types/events")}`, // the declarations of Client name EventEmitter
      events: `^${versionOf("events-package")}`, // Node has it built in; a bundler takes this one
      ws: `^${versionOf("ws")}`, // the proxy, and WebSockets on Node 20
    },
    optionalDependencies: { "@pgduplex/wolfssl": `^${versionOf(".")}` },
  },
  postBuild: () =>
    finish(pgduplex, {
      platforms: [
        // Wrangler asks for workerd and for browser: what comes first is taken.
        { platform: WORKERD, entryPoints: ["./mod.ts", "./src/neon/neon.ts"], conditions: ["workerd"] },
        { platform: EDGE_LIGHT, entryPoints: ["./mod.ts", "./src/neon/neon.ts"], conditions: ["edge-light"] },
        { platform: BROWSER, entryPoints: ["./mod.ts", "./src/neon/neon.ts"], conditions: ["browser"] },
      ],
      core: true,
      asPg: true,
      files: { "README.md": "README.md", "CHANGELOG.md": "CHANGELOG.md", "LICENSE": "LICENSE" },
    }),
};

const wolfssl: BuildOptions = {
  ...COMMON,
  entryPoints: [{ name: ".", path: "./wolfssl/mod.ts" }],
  outDir: "./npm/wolfssl",
  package: {
    ...COMMON_FIELDS,
    name: "@pgduplex/wolfssl",
    ...repository("wolfssl"),
    description: "TLS for pgduplex where the platform has none for the bytes at hand: wolfSSL in WebAssembly",
    license: "GPL-3.0-or-later",
    files: ["esm", "script", "workerd", "edge-light", "source"],
    publishConfig: { access: "public" },
  },
  postBuild: async () => {
    const sources = await coreSources();
    await finish(wolfssl, {
      platforms: [
        { platform: WORKERD_WITH_CORE, entryPoints: ["./wolfssl/mod.ts"], conditions: ["workerd"] },
        { platform: EDGE_LIGHT_WITH_CORE, entryPoints: ["./wolfssl/mod.ts"], conditions: ["edge-light"] },
      ],
      files: {
        "wolfssl/README.md": "README.md",
        "wolfssl/LICENSE": "LICENSE",
        "wolfssl/core.wasm": `workerd/${WORKERD_CORE}`,
        ...Object.fromEntries(sources.files.map((path) => [path, `source/${path}`])),
      },
      texts: {
        "source/deno.json": `${JSON.stringify(sources.manifest, null, 2)}\n`,
        [`workerd/${WORKERD_CORE}.d.ts`]: "declare const core: WebAssembly.Module;\nexport default core;\n",
      },
      subpaths: {
        [`./${WORKERD_CORE}`]: {
          import: { types: `./workerd/${WORKERD_CORE}.d.ts`, default: `./workerd/${WORKERD_CORE}` },
          default: `./workerd/${WORKERD_CORE}`,
        },
      },
    });
  },
};

const PACKAGES: Readonly<Record<string, BuildOptions>> = { pgduplex, wolfssl };

/** What a package is made of, besides the sources of its own. */
const INPUTS = [
  "deno.json",
  "mod.ts",
  "src",
  "scripts/build_npm.ts",
  "scripts/npm",
  "README.md",
  "CHANGELOG.md",
  "LICENSE",
];

async function main(args: readonly string[]): Promise<number> {
  const names = args.filter((arg) => !arg.startsWith("--"));
  const unknown = names.filter((name) => !Object.hasOwn(PACKAGES, name));
  if (unknown.length > 0) {
    console.error(`There is no package ${unknown.join(", ")}: there are ${Object.keys(PACKAGES).join(" and ")}`);
    return 2;
  }
  await installPackages();
  if (!args.includes("--core-as-is") && (names.length === 0 || names.includes("wolfssl"))) await buildGenerated();
  for (const name of names.length > 0 ? names : Object.keys(PACKAGES)) {
    const options = PACKAGES[name];
    if (options === wolfssl && !await hasGenerated()) {
      const advice = "deno task build:wasm, deno task build:roots";
      console.error(`npm/wolfssl is left out: what of it is generated is not built yet (${advice})`);
      if (names.includes(name)) return 1;
    } else if (args.includes("--dnt")) {
      const { buildByDnt } = await import("./npm/dnt.ts");
      await buildByDnt(options);
    } else {
      const { build } = await import("./npm/emit.ts");
      const inputs = options === wolfssl ? [...INPUTS, "wolfssl", "scripts/build_wasm.ts", "scripts/wasm"] : INPUTS;
      await ifChanged(options.outDir, inputs, () => step(`Building ${options.outDir}`, () => build(options)));
    }
  }
  return 0;
}

async function hasGenerated(): Promise<boolean> {
  const found = await Promise.all(GENERATED.map((path) => Deno.stat(path).then(() => true, () => false)));
  return found.every(Boolean);
}

/** An error and what caused it, a line each; what TypeScript says has lines of its own. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n  because: ${describe(error.cause)}`;
}

if (import.meta.main) {
  Deno.exit(
    await main(Deno.args).catch((error) => {
      console.error(describe(error));
      return 1;
    }),
  );
}
