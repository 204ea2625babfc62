/**
 * One file for what every program of a platform needs. The entries, and the parts that are loaded lazily, stand around it
 * and import from it: esbuild's own splitting would cut it into a piece for each set of those that need it, and pieces
 * compress worse than one, while the exports and imports between them weigh something too.
 *
 * @module
 */

import { build, type BuildOptions, type Metafile } from "esbuild";
import { basename, dirname, join } from "node:path";
import ts from "typescript";

/** The file's name. */
const SHARED = "shared.js";

/** What to build around the shared file. */
export interface AroundInput {
  /** How to bundle, with the text of each source file rewritten. Imports of what is loaded lazily are left as they are. */
  readonly options: (rewrite?: Rewrite) => BuildOptions;
  /** The modules which, with all that they import, are in the shared file. */
  readonly shared: readonly string[];
  /** Those of them that each part has for itself nevertheless. */
  readonly copied: readonly string[];
  /** The modules to enter by, and those that are imported lazily: what is built together has everything else in common. */
  readonly parts: readonly (readonly string[])[];
  readonly folder: string;
}

/** Gives the text that takes the place of a source file's. */
export type Rewrite = (path: string, text: string) => string;

/** Bundles entries and lazy parts, and the file that they share. */
export async function bundleAround({ options, shared, copied, parts, folder }: AroundInput): Promise<void> {
  const asItIs = options();
  const files = await importedBy(shared, asItIs);
  copied.forEach((file) => files.delete(file));
  const exports = await exportsOf(files);
  const used = new Map<string, readonly [name: string, file: string]>();
  for (const entryPoints of parts) {
    await build({
      ...options((path, text) => importFromShared(path, text, exports, used)),
      entryPoints: [...entryPoints],
      outdir: folder,
      external: [...asItIs.external ?? [], `./${SHARED}`],
    });
  }
  const contents = Array.from(used, ([alias, [name, file]]) => `export { ${name} as ${alias} } from "./${file}";`);
  await build({
    ...asItIs,
    stdin: { contents: contents.join("\n"), resolveDir: Deno.cwd() },
    entryNames: basename(SHARED, ".js"),
    outdir: folder,
  });
}

/** Modules and all that they import, lazy imports aside. */
async function importedBy(roots: readonly string[], options: BuildOptions): Promise<Set<string>> {
  const { metafile } = await build({
    ...options,
    entryPoints: [...roots],
    outdir: "out",
    write: false,
    metafile: true,
  });
  const found = new Set<string>();
  const visit = (path: string) => {
    // Not what a plugin has made up.
    if (found.has(path) || path.includes(":")) return;
    found.add(path);
    for (const one of (metafile as Metafile).inputs[path]?.imports ?? []) {
      if (one.kind !== "dynamic-import" && !one.external) visit(one.path);
    }
  };
  roots.forEach(visit);
  return found;
}

async function exportsOf(files: ReadonlySet<string>): Promise<Map<string, readonly string[]>> {
  const { metafile } = await build({
    entryPoints: [...files],
    outdir: "out",
    outbase: ".",
    format: "esm",
    write: false,
    metafile: true,
  });
  return new Map(Object.values(metafile.outputs).map(({ entryPoint = "", exports }) => [entryPoint, exports]));
}

/** A name that no other file's export has. */
function aliasOf(file: string, name: string): string {
  return `${name}_${file.replace(/\.\w+$/, "").replaceAll(/\W/g, "_")}`;
}

/** Has a module import what is in the shared file from there, and notes what that is. */
function importFromShared(
  path: string,
  text: string,
  exports: ReadonlyMap<string, readonly string[]>,
  used: Map<string, readonly [name: string, file: string]>,
): string {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true);
  const take = (file: string, name: string) => {
    const alias = aliasOf(file, name);
    used.set(alias, [name, file]);
    return alias;
  };
  return source.statements.reduceRight((rewritten, statement) => {
    const clause = clauseOf(path, statement);
    if (clause === undefined) return rewritten;
    const file = resolve(path, clause.specifier);
    const names = exports.get(file);
    if (names === undefined) return rewritten;
    const taken = (clause.names ?? names.map((name) => [name, name] as const))
      .map(([name, local]) => `${take(file, name)} as ${local}`);
    const replaced = taken.length === 0 ? "" : `${clause.keyword} { ${taken.join(", ")} } from "./${SHARED}";`;
    return rewritten.slice(0, statement.getStart()) + replaced + rewritten.slice(statement.end);
  }, text);
}

interface Clause {
  readonly keyword: "import" | "export";
  readonly specifier: string;
  /** What is imported, and its name here; undefined: all. */
  readonly names: readonly (readonly [name: string, local: string])[] | undefined;
}

/** The import or re-export that a statement is, as far as it is not erased, and not of constants in a namespace. */
function clauseOf(path: string, statement: ts.Statement): Clause | undefined {
  const { moduleSpecifier } = statement as ts.ImportDeclaration | ts.ExportDeclaration;
  if (moduleSpecifier === undefined || !ts.isStringLiteral(moduleSpecifier)) return undefined;
  const specifier = moduleSpecifier.text;
  if (ts.isExportDeclaration(statement)) {
    if (statement.exportClause === undefined) return { keyword: "export", specifier, names: undefined };
    if (!ts.isNamedExports(statement.exportClause)) return assertConstants(path, specifier);
    return { keyword: "export", specifier, names: valuesOf(statement.isTypeOnly, statement.exportClause.elements) };
  }
  if (!ts.isImportDeclaration(statement) || statement.importClause === undefined) return undefined;
  const { isTypeOnly, namedBindings, name } = statement.importClause;
  if (isTypeOnly) return undefined;
  if (namedBindings !== undefined && ts.isNamespaceImport(namedBindings)) return assertConstants(path, specifier);
  if (name !== undefined || namedBindings === undefined || !ts.isNamedImports(namedBindings)) {
    throw new Error(`${specifier}: only named imports can be shared`);
  }
  return { keyword: "import", specifier, names: valuesOf(false, namedBindings.elements) };
}

/** Each part may have constants for itself: by their names they would weigh more than by their values. */
function assertConstants(importer: string, specifier: string): undefined {
  const other = /^(?!export const \w+ = \w+;).*\b(?:export|import)\b.*/m.exec(
    Deno.readTextFileSync(resolve(importer, specifier)),
  );
  if (other !== null) throw new Error(`${specifier}: a namespace is not shared, since it has more than constants`);
}

function valuesOf(
  typeOnly: boolean,
  elements: readonly (ts.ImportSpecifier | ts.ExportSpecifier)[],
): [name: string, local: string][] {
  return elements.filter((element) => !typeOnly && !element.isTypeOnly).map(({ name, propertyName }) => [
    (propertyName ?? name).text,
    name.text,
  ]);
}

function resolve(importer: string, specifier: string): string {
  return specifier === "events" ? "scripts/npm/event_emitter.ts" : join(dirname(importer), specifier);
}
