/**
 * Which way imports may run (ARCHITECTURE.md), and where a runtime's own API may appear.
 *
 * @module
 */

/** A source file: its path from the root of the repository, such as `src/tls/engine.ts`, and its text. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What each layer, a folder of `src/`, may import besides itself and the leaves. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  protocol: [],
  auth: [],
  types: [],
  config: [],
  duplex: [],
  tls: ["duplex"],
  proxy: ["duplex"],
  session: ["protocol", "auth", "types", "config", "tls", "duplex"],
  client: ["session", "protocol", "auth", "types", "config", "tls", "duplex"],
  neon: ["client", "types", "config", "duplex"],
};

/** Files that every layer may import. */
const LEAVES = [
  "src/base64.ts",
  "src/builtin_module.ts",
  "src/errors.ts",
  "src/part.ts",
  "src/recent.ts",
  "src/utf8.ts",
];

/** Files outside the layers, which may import everything. */
const ENTRIES = ["mod.ts", "src/cli.ts"];

/** Interfaces without code, whose types other layers may name although the layer itself is above or beside them. */
const INTERFACES: Readonly<Record<string, readonly string[]>> = {
  "src/tls/engine.ts": ["duplex", "config"],
  "src/config/options.ts": ["auth", "tls"],
};

/** The adapters: the only files that may use a runtime's own API, and npm packages. */
const ADAPTERS: Readonly<Record<string, readonly string[]>> = {
  "src/builtin_module.ts": ["process"],
  "src/cli.ts": ["node:process", "process"],
  "src/config/host.ts": ["Deno", "process", "node:fs", "node:os"],
  "src/duplex/deno.ts": ["Deno"],
  "src/duplex/node.ts": ["node:net", "node:tls"],
  "src/duplex/node_tls.ts": ["process", "node:net", "node:tls", "node:crypto"],
  "src/duplex/node_tls_over.ts": ["node:net", "node:stream"],
  "src/duplex/sockets.ts": ["Deno"], // asks whether it is there
  "src/duplex/ws.ts": ["ws"],
  "src/proxy/node.ts": [
    "Buffer",
    "node:buffer",
    "node:dns/promises",
    "node:events",
    "node:http",
    "node:net",
    "node:stream",
    "ws",
  ],
  "src/proxy/waiting_client.ts": ["node:stream"], // its types
  "src/proxy/websocket_peer.ts": ["ws"], // its types
  "src/tls/engine_loader.ts": ["@pgduplex/wolfssl"],
  "src/types/byte_array.ts": ["Buffer"],
  "src/utf8.ts": ["Buffer"],
  "src/client/connection/connection.ts": ["events"],
  "src/client/connection/stream.ts": ["events"],
  "src/client/query/query.ts": ["events"],
  "src/client/queryable_base.ts": ["events"], // node-postgres's clients are EventEmitters, and so is what they hand out
};

/** One import or re-export. */
export interface Import {
  readonly specifier: string;
  /** Whether it is erased: `import type`, `export type`, or a type in a type position (`import("...")`). */
  readonly typeOnly: boolean;
}

/** Every breach, as a sentence that says where and what; empty where all is well. */
export function checkImports(files: readonly SourceFile[]): string[] {
  return [
    ...files.flatMap((file) => importsOf(file.text).flatMap((one) => checkImport(file.path, one))),
    ...files.flatMap(checkRuntimeNames),
    ...files.flatMap(checkLazyImports),
    ...findCycles(files),
  ];
}

function checkImport(path: string, { specifier, typeOnly }: Import): string[] {
  if (!specifier.startsWith(".")) {
    if (ADAPTERS[path]?.includes(specifier)) return [];
    return [`${path} imports ${specifier}: only an adapter may (ADAPTERS in scripts/imports.ts)`];
  }
  const target = resolve(path, specifier);
  if (ENTRIES.includes(path) || LEAVES.includes(target)) return [];
  if (LEAVES.includes(path)) return [`${path} imports ${target}: a leaf imports leaves alone`];
  const [from, to] = [layerOf(path), layerOf(target)];
  if (from === undefined || LAYERS[from] === undefined) {
    return [`${path} is in no layer (LAYERS in scripts/imports.ts)`];
  }
  if (from === to || (to !== undefined && LAYERS[from]?.includes(to))) return [];
  if (typeOnly && INTERFACES[target]?.includes(from)) return [];
  const allowed = LAYERS[from]?.join(", ") || "leaves alone";
  return [`${path} imports ${target}: ${from} may import ${allowed}, not ${to ?? target}`];
}

/** A runtime's global objects, outside of comments and strings. */
function checkRuntimeNames({ path, text }: SourceFile): string[] {
  const found = new Set(
    Array.from(withoutText(text).matchAll(/(?<![\w$.#"-])(Deno|Buffer|process)\b(?!\s*[:?]\s)/g), ([name]) => name),
  );
  return [...found].filter((name) => !ADAPTERS[path]?.includes(name)).map((name) =>
    `${path} uses ${name}: only an adapter may (ADAPTERS in scripts/imports.ts)`
  );
}

/** A file that never comes, or does not come at all, is to be told in our words. */
function checkLazyImports({ path, text }: SourceFile): string[] {
  return Array.from(
    withoutComments(text).matchAll(/(?<!loadPart\(\s*async \(\) =>\s*)await import\("(\.[^"]+)"\)/g),
    ([, specifier]) => `${path} imports ${specifier} lazily: by loadPart (src/part.ts), which has a deadline`,
  );
}

/** Imports that are erased may form circles; code may not. */
function findCycles(files: readonly SourceFile[]): string[] {
  const targets = new Map(files.map(({ path, text }) => [
    path,
    importsOf(text).filter(({ specifier, typeOnly }) => specifier.startsWith(".") && !typeOnly)
      .map(({ specifier }) => resolve(path, specifier)),
  ]));
  const done = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    const start = trail.indexOf(path);
    if (start >= 0) cycles.push(`imports run in a circle: ${[...trail.slice(start), path].join(" → ")}`);
    if (start >= 0 || done.has(path)) return;
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of targets.keys()) visit(path, []);
  return cycles;
}

/** The imports of a module, static and dynamic, in the form that `deno fmt` gives them. */
export function importsOf(text: string): Import[] {
  const code = withoutComments(text);
  const statements = code.matchAll(/^(?:import|export)\s+(type\s+)?(?:[\w*{][^;"']*?\sfrom\s+)?["']([^"']+)["']/gm);
  const expressions = code.matchAll(/\b(await\s+|typeof\s+)?import\(\s*["']([^"']+)["']/g);
  return [
    ...Array.from(statements, ([, type, specifier = ""]) => ({ specifier, typeOnly: type !== undefined })),
    ...Array.from(
      expressions,
      ([, word, specifier = ""]) => ({ specifier, typeOnly: word?.startsWith("typeof") ?? false }),
    ),
  ];
}

const layerOf = (path: string) => /^src\/([^/]+)\//.exec(path)?.[1];

function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

const COMMENTS = /\/\*[\s\S]*?\*\/|(?<![:"'`\\])\/\/[^\n]*/g;
const TEXTS = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`/g;

const withoutComments = (text: string) => text.replace(COMMENTS, "");
/** A template's expressions go with it: too little is reported there rather than too much. */
const withoutText = (text: string) => withoutComments(text).replace(TEXTS, '""');
