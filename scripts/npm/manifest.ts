/**
 * The fields of package.json by which a package is entered.
 *
 * @module
 */

import type { EntryPoint } from "./build_options.ts";

/** What a condition of `exports` leads to. */
export type Exports = { readonly [condition: string]: string | Exports };

/** The package.json fields for entry points, in the order in which conditions are tried. */
export interface EntryFields {
  readonly main: string;
  readonly module: string;
  readonly types: string;
  readonly exports: Readonly<Record<string, Exports | string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/**
 * The fields for a package's entry points, of which the first is `.`.
 *
 * @param bundled The conditions for which there is a bundle of some entry points
 * @param more Subpaths that are no entry points
 * @param conditionsOf Conditions of entry points, by their names, that are tried after those
 */
export function entryFields(
  entryPoints: readonly EntryPoint[],
  bundled: Readonly<Record<string, { readonly folder: string; readonly entries: readonly string[] }>>,
  more: Readonly<Record<string, Exports>> = {},
  conditionsOf: Readonly<Record<string, Exports>> = {},
): EntryFields {
  const entries = entryPoints.filter(({ kind }) => kind !== "bin");
  const programs = entryPoints.filter(({ kind }) => kind === "bin");
  const [main] = entries;
  if (main?.name !== ".") throw new Error("the first entry point of a package must be its main one");
  const exportsOf = ({ name, path }: EntryPoint): Exports => {
    const stem = stemOf(path);
    const conditions = Object.entries(bundled).filter(([, bundle]) => bundle.entries.includes(name));
    return {
      ...Object.fromEntries(conditions.map(([condition, { folder }]) => [
        condition,
        // No `require`: a CommonJS module that is bundled for a platform goes on to the one below.
        { import: { types: `./esm/${stem}.d.ts`, default: `./${folder}/${stem.split("/").at(-1)}.js` } },
      ])),
      ...conditionsOf[name],
      import: { types: `./esm/${stem}.d.ts`, default: `./esm/${stem}.js` },
      require: { types: `./script/${stem}.d.ts`, default: `./script/${stem}.js` },
    };
  };
  return {
    main: `./script/${stemOf(main.path)}.js`,
    module: `./esm/${stemOf(main.path)}.js`,
    types: `./script/${stemOf(main.path)}.d.ts`,
    exports: {
      ...Object.fromEntries(entries.map((entry) => [entry.name, exportsOf(entry)])),
      ...more,
      "./package.json": "./package.json",
    },
    ...programs.length === 0
      ? {}
      : { bin: Object.fromEntries(programs.map(({ name, path }) => [name, `esm/${stemOf(path)}.js`])) },
  };
}

/** A module's path in `esm/` and `script/`, without suffix. */
export const stemOf = (path: string): string => path.replace(/^\.\//, "").replace(/\.ts$/, "");
