/**
 * What makes the package fit to be installed under the name `pg`: node-postgres's modules below `pg/lib/`, and one copy
 * of the package in a program of which some parts import it and others require it, so that its types, its defaults and
 * its global configuration are everybody's.
 *
 * @module
 */

import { join } from "node:path";
import * as main from "../../mod.ts";
import { type Exports, stemOf } from "./manifest.ts";

/** What `exports` has to say: the conditions of `.`, which go before all but platforms', and the subpaths. */
export interface PgExports {
  readonly conditions: Exports;
  readonly subpaths: Readonly<Record<string, Exports>>;
}

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

/** Lays out `lib/` and `esm/node.js`, beside what was emitted of the main entry point. */
export async function writeAsPg(outDir: string, entryPoint: string): Promise<PgExports> {
  const stem = stemOf(entryPoint);
  const script = `../script/${stem}.js`;
  const write = (path: string, text: string) => Deno.writeTextFile(join(outDir, path), text);

  await Deno.mkdir(join(outDir, "lib"), { recursive: true });
  for (const [name, exported] of Object.entries(LIB)) {
    await write(`lib/${name}.js`, `"use strict";\nmodule.exports = require("${script}").${exported};\n`);
    await write(`lib/${name}.d.ts`, `import { ${exported} as exported } from "${script}";\nexport = exported;\n`);
  }
  const lib = { types: "./lib/*.d.ts", default: "./lib/*.js" };

  const names = Object.keys(main).filter((name) => name !== "default");
  // What a default import of CommonJS is, bundlers see in two ways.
  await write(
    "esm/node.js",
    `import script from "${script}";\nexport default script.default ?? script;\n` +
      `export { ${names.join(", ")} } from "${script}";\n`,
  );
  return {
    conditions: {
      // Bundlers alone ask for it, and then have one copy too: the one without CommonJS.
      module: { types: `./esm/${stem}.d.ts`, default: `./esm/${stem}.js` },
      node: {
        import: { types: `./esm/${stem}.d.ts`, default: "./esm/node.js" },
        require: { types: `./script/${stem}.d.ts`, default: `./script/${stem}.js` },
      },
    },
    subpaths: { "./lib/*": lib, "./lib/*.js": lib },
  };
}
