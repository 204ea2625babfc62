/**
 * `deno task size [--write] [--files]`: what drivers add to a page, ours next to others. `--write` puts the table into the
 * README, between its two comments; `--files` lists ours by source file.
 *
 * @module
 */

import { build, type BuildOptions, type Metafile } from "esbuild";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { BROWSER, bundleOptions } from "./platforms.ts";
import { versionOf } from "./versions.ts";

/** One program, as it arrives: bytes, minified and compressed by gzip. */
export interface Measured {
  /** What a program loads to connect through a WebSocket, by SCRAM, and to query. */
  readonly loaded: number;
  /** With the parts that are loaded where something asks for them. */
  readonly everything: number;
}

/** A program that only connects and queries. */
export const QUERYING = `
import { Client } from "pgduplex";
const client = new Client({ host: "db.example.com", user: "app", password: "secret", wsProxy: "wss://proxy.example.com" });
await client.connect();
console.log((await client.query("select $1::int as answer", [42])).rows);
await client.end();
`;

/** A program that has a use for everything that the package exports. */
export const WHOLE_FACE = `import * as pgduplex from "pgduplex";\nconsole.log(pgduplex);`;

/**
 * What no change may exceed without a word, in bytes of {@linkcode Measured.loaded}. The aim is 15 and 22 KB: raise these
 * only together with what is gained, and lower them with every byte that is saved.
 */
export const BUDGETS = { querying: 41.75 * 1024, wholeFace: 55.25 * 1024 } as const;

const PEERS: readonly [name: string, program: string][] = [
  [
    "pg",
    'import pg from "pg";\nconst client = new pg.Client();\nawait client.connect();\nawait client.query("select 1");',
  ],
  ["postgres", 'import postgres from "postgres";\nawait postgres()`select 1`;'],
  [
    "@neondatabase/serverless",
    'import { Client } from "@neondatabase/serverless";\nconst client = new Client();\nawait client.query("select 1");',
  ],
];

/** The engine's JavaScript: its entry for Workers, which has the core in a file beside it. */
const ENGINE = 'import { wolfssl } from "./npm/wolfssl/workerd/mod.js";\nconsole.log(wolfssl());';

/** Counts nothing: the engine and its core, and what other drivers import of Node, for which a page has no use. */
const LEFT_OUT =
  "@pgduplex/wolfssl *.wasm net tls fs path stream crypto os dns util string_decoder perf_hooks node:* cloudflare:sockets"
    .split(
      " ",
    );

/** As a page's bundler is told to. */
const FOR_PAGES = {
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  outdir: "out",
  write: false,
  metafile: true,
  logLevel: "error",
} as const satisfies BuildOptions;

/**
 * Bundles a program for browsers and measures it.
 *
 * @param packages The folder with the package `pgduplex`, as `node_modules` has it
 */
export async function measure(program: string, packages: string): Promise<Measured> {
  const files = await bundle(program, packages);
  const sum = (some: readonly PageFile[]) =>
    some.reduce((total, { text }) => total + gzipSync(text, { level: 9 }).length, 0);
  return { loaded: sum(files.filter(({ lazy }) => !lazy)), everything: sum(files) };
}

/** A file of a bundled program. */
export interface PageFile {
  readonly text: string;
  /** Whether it is loaded only where something asks for it. */
  readonly lazy: boolean;
}

/** Bundles a program for browsers. */
export async function bundle(program: string, packages: string, minify = true): Promise<PageFile[]> {
  const { outputFiles, metafile } = await build({
    ...FOR_PAGES,
    minify,
    stdin: { contents: program, resolveDir: join(packages, "..") },
    nodePaths: [packages],
    external: LEFT_OUT,
  });
  const atOnce = [...loadedAtOnce(metafile)];
  return outputFiles.map(({ path, text }) => ({ text, lazy: !atOnce.some((output) => path.endsWith(`/${output}`)) }));
}

/** The program's own file, and those which it does not import lazily. */
function loadedAtOnce({ outputs }: Metafile): Set<string> {
  const found = new Set<string>();
  const visit = (path: string) => {
    if (found.has(path) || outputs[path] === undefined) return;
    found.add(path);
    for (const one of outputs[path].imports) if (one.kind === "import-statement") visit(one.path);
  };
  Object.entries(outputs).filter(([, { entryPoint }]) => entryPoint === "<stdin>").forEach(([path]) => visit(path));
  return found;
}

/** The minified bytes of each source file in the browser's entry, the largest first. */
async function measureFiles(): Promise<[path: string, bytes: number][]> {
  const { metafile } = await build({
    ...bundleOptions(BROWSER),
    ...FOR_PAGES,
    minify: true,
    entryPoints: ["./mod.ts"],
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  return inputs.map(([path, { bytesInOutput }]): [string, number] => [path, bytesInOutput])
    .sort(([, one], [, other]) => other - one);
}

async function table(): Promise<string> {
  const rows = [
    ["pgduplex, `Client`", QUERYING],
    ["pgduplex, everything exported", WHOLE_FACE],
    ["@pgduplex/wolfssl without its core", ENGINE],
    ...PEERS.map(([name, program]) => [`${name} ${versionOf(name)}`, program] as const),
  ] as const;
  const lines = ["| minified, gzip, KB | loaded | with lazy parts |", "| --- | ---: | ---: |"];
  const kilobytes = (bytes: number) => (bytes / 1024).toFixed(1);
  for (const [name, program] of rows) {
    const { loaded, everything } = await measure(program, join(Deno.cwd(), "npm"));
    lines.push(`| ${name} | ${kilobytes(loaded)} | ${kilobytes(everything)} |`);
  }
  return lines.join("\n");
}

const README = "README.md";
const BETWEEN = /(<!-- size -->\n)[\s\S]*?(<!-- \/size -->)/;

async function writeToReadme(text: string): Promise<void> {
  const before = await Deno.readTextFile(README);
  if (!BETWEEN.test(before)) throw new Error(`${README} has no <!-- size --> and <!-- /size --> to write between`);
  await Deno.writeTextFile(README, before.replace(BETWEEN, (_, start, end) => `${start}\n${text}\n\n${end}`));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", README] }).output();
}

async function main(args: readonly string[]): Promise<void> {
  const text = await table();
  console.log(text);
  if (args.includes("--write")) await writeToReadme(text);
  if (!args.includes("--files")) return;
  for (const [path, bytes] of await measureFiles()) console.log(`${String(bytes).padStart(7)} ${path}`);
}

if (import.meta.main) await main(Deno.args);
