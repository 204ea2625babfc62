/**
 * What makes the package fit to be installed under the name `pg`: node-postgres's modules below `pg/lib/`, and one copy
 * of the package in a program of which some parts import it and others require it, so that its types, its defaults and
 * its global configuration are everybody's.
 *
 * @module
 */

import { join } from "node:path";
import * as main from "../../mod.ts";
import * as neon from "../../src/neon/neon.ts";
import type { EntryPoint } from "./build_options.ts";
import { type Exports, stemOf } from "./manifest.ts";

/** What `exports` has to say: conditions of entry points, which go before all but platforms', and more subpaths. */
export interface PgExports {
  readonly conditions: Readonly<Record<string, Exports>>;
  readonly subpaths: Readonly<Record<string, Exports>>;
  /** What is loaded where `exports` is not looked at. */
  readonly main: string;
}

/** The entry points that share types, defaults and configuration. */
const SHARING: Readonly<Record<string, object>> = { ".": main, "./neon": neon };

/** node-postgres's modules below `lib/`, each of which is one of our exports. */
const LIB: Readonly<Record<string, keyof typeof main>> = {
  "client": "Client",
  "connection": "Connection",
  "defaults": "defaults",
  "index": "default",
  "query": "Query",
  "result": "Result",
  "type-overrides": "TypeOverrides",
  "utils": "utils",
};

/** What Node gets for `require`. */
const MAIN = "script/node.js";

/** What both ways into the package load beside the one copy. */
const PG_TYPES = "script/pg_types.js";

/** Lays out `lib/`, and in `esm/` what leads to the one copy, beside what was emitted of the entry points. */
export async function writeAsPg(outDir: string, entryPoints: readonly EntryPoint[]): Promise<PgExports> {
  const write = (path: string, text: string) => Deno.writeTextFile(join(outDir, path), text);
  const script = `../script/${stemOf(entryPoints[0].path)}.js`;
  await Deno.mkdir(join(outDir, "lib"), { recursive: true });
  await write(PG_TYPES, heedingPgTypes(`./${stemOf(entryPoints[0].path)}.js`));
  await write(MAIN, oneObject(`./${stemOf(entryPoints[0].path)}.js`));
  for (const [name, exported] of Object.entries(LIB)) {
    await write(`lib/${name}.js`, `"use strict";\nmodule.exports = require("../${MAIN}").${exported};\n`);
    await write(`lib/${name}.d.ts`, `import { ${exported} as exported } from "${script}";\nexport = exported;\n`);
  }
  await write("lib/connection-parameters.js", connectionParameters(`../${MAIN}`));
  await write(
    "lib/connection-parameters.d.ts",
    `import type { ClientConfig, ConnectionParameters as Parameters } from "${script}";
interface ConnectionParameters extends Parameters {}
declare class ConnectionParameters {
  constructor(config?: string | ClientConfig);
}
export = ConnectionParameters;
`,
  );
  const lib = { types: "./lib/*.d.ts", default: "./lib/*.js" };

  const conditions: Record<string, Exports> = {};
  for (const { name, path } of entryPoints.filter((entry) => entry.name in SHARING)) {
    const stem = stemOf(path);
    const file = `esm/${name === "." ? "node" : `node_${name.slice("./".length)}`}.js`;
    await write(file, sameAsRequired(`../script/${stem}.js`, Object.keys(SHARING[name])));
    const types = file.replace(/\.js$/, ".d.ts");
    await write(types, typesAsRequired(`../script/${stem}.js`, Object.keys(SHARING[name])));
    conditions[name] = {
      // Bundlers alone ask for it, and then have one copy too: the one without CommonJS.
      module: { types: `./esm/${stem}.d.ts`, default: `./esm/${stem}.js` },
      node: {
        import: { types: `./${types}`, default: `./${file}` },
        require: { types: `./script/${stem}.d.ts`, default: name === "." ? `./${MAIN}` : `./script/${stem}.js` },
      },
    };
  }
  return { main: `./${MAIN}`, conditions, subpaths: { "./lib/*": lib, "./lib/*.js": lib } };
}

/** node-postgres is one object, and what it holds can be replaced: the default export, with all the others. */
function oneObject(script: string): string {
  return `"use strict";
require("./pg_types.js");
const script = require("${script}");
const pg = script.default;
for (const name of Object.keys(script)) {
  if (!(name in pg)) pg[name] = script[name];
}
Object.defineProperty(pg, "__esModule", { value: true });
module.exports = pg;
module.exports.default = pg;
Object.defineProperty(pg, "default", { enumerable: false });
`;
}

/**
 * node-postgres's types are those of npm `pg-types`, and programs register parsers there. What they do counts here, too,
 * where it is installed beside and the program has loaded it: what differs from its defaults, which its own list tells.
 * Bundlers are not to follow it, and nothing loads it but the program.
 */
function heedingPgTypes(script: string): string {
  return `"use strict";
const { types } = require("${script}");
const { createRequire } = process.getBuiltinModule?.("node:module") ?? {};
const requireBeside = createRequire?.(__filename);
let path;
try {
  path = requireBeside?.resolve("pg-types");
} catch {
  // it is not installed
}
let isDefault;
function defaultsOf({ getTypeParser }) {
  const known = { text: new Map(), binary: new Map() };
  try {
    for (const [format, parsers] of Object.entries(known)) {
      requireBeside(\`pg-types/lib/\${format}Parsers\`).init((oid, parser) => parsers.set(String(oid), parser));
    }
  } catch {
    return () => true; // not a pg-types that we know
  }
  return (oid, format, parser) => {
    const own = known[format].get(String(oid)) ?? getTypeParser(-1, format);
    // Some are bound anew for each list.
    return parser === own || (parser.name === own.name && own.name.startsWith("bound "));
  };
}
if (path !== undefined) {
  types.heed((oid, format) => {
    const beside = requireBeside.cache[path];
    if (!beside?.loaded) return undefined;
    isDefault ??= defaultsOf(beside.exports);
    const parser = beside.exports.getTypeParser(oid, format);
    return isDefault(oid, format, parser) ? undefined : parser;
  });
}
`;
}

/** What node-postgres makes of a configuration, by itself: a client shows it, too. */
function connectionParameters(script: string): string {
  return `"use strict";
const { Client } = require("${script}");
module.exports = class ConnectionParameters {
  constructor(config) {
    Object.defineProperties(this, Object.getOwnPropertyDescriptors(new Client(config).connectionParameters));
  }
};
`;
}

/** An ES module with what a CommonJS module exports. */
function sameAsRequired(script: string, exported: readonly string[]): string {
  const names = exported.filter((name) => name !== "default");
  const lines = [`export { ${names.join(", ")} } from "${script}";`];
  // What a default import of CommonJS is, bundlers see in two ways.
  if (exported.includes("default")) {
    lines.unshift(`import script from "${script}";`, "export default script.default ?? script;");
  }
  lines.unshift(`import "../${PG_TYPES}";`);
  return `${lines.join("\n")}\n`;
}

/**
 * The declarations of that: those of the CommonJS module, since what a library's CommonJS declarations call `pg.Pool` must
 * be the class that an ES module imports. They are read where modules are resolved as Node does, and a default import of
 * CommonJS is another thing: hence from its own module.
 */
function typesAsRequired(script: string, exported: readonly string[]): string {
  const lines = [`export * from "${script}";`];
  if (exported.includes("default")) lines.push('export { pg as default } from "../script/src/client/pg.js";');
  return `${lines.join("\n")}\n`;
}
