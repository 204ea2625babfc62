/**
 * Lays out an npm package as dnt does: `esm/` and `script/` (CommonJS), each with its declarations beside the JavaScript.
 *
 * @module
 */

import { dirname, join, relative } from "node:path";
import ts from "typescript";
import type { BuildOptions } from "./build_options.ts";
import { assertFitForCommonJs } from "./commonjs.ts";
import { localPackages } from "./local_packages.ts";

/**
 * Builds a package of the sources in the current folder. What was in `outDir` is gone afterwards.
 *
 * @throws {Error} what TypeScript has to say of the sources, or what CommonJS cannot express of them
 */
export async function build(options: BuildOptions): Promise<void> {
  const root = Deno.cwd();
  const modules = await emitModules(options, root);
  await Deno.remove(options.outDir, { recursive: true }).catch(() => {});
  for (const [path, text] of modules) {
    await write(join(options.outDir, "esm", path), text);
    await write(join(options.outDir, "script", path), path.endsWith(".js") ? toCommonJs(path, text) : text);
  }
  await write(join(options.outDir, "esm/package.json"), '{\n  "type": "module",\n  "sideEffects": false\n}\n');
  await write(join(options.outDir, "script/package.json"), '{\n  "type": "commonjs"\n}\n');
  await write(join(options.outDir, "package.json"), `${JSON.stringify(options.package, null, 2)}\n`);
  await options.postBuild();
}

/** The files of `esm/`, by their paths in there. */
async function emitModules(options: BuildOptions, root: string): Promise<Map<string, string>> {
  const program = ts.createProgram({
    rootNames: options.entryPoints.map(({ path }) => join(root, path)),
    options: compilerOptions(options, root),
  });
  report(ts.getPreEmitDiagnostics(program));
  const files = new Map<string, string>();
  const others = foldersOfOtherPackages(options);
  const isOurs = (path: string) => !others.some((folder) => path.startsWith(`${folder}/`));
  const add = (path: string, text: string) => {
    const module = relative(join(root, options.outDir, "esm"), path);
    if (isOurs(module)) files.set(module, text);
  };
  const { diagnostics } = program.emit(undefined, add, undefined, false, {
    before: [rewriteSpecifiers],
    afterDeclarations: [rewriteSpecifiers as ts.TransformerFactory<ts.SourceFile | ts.Bundle>],
  });
  report(diagnostics);
  for (const file of program.getSourceFiles()) {
    const path = relative(root, file.fileName);
    if (path.startsWith("..") || path.startsWith("node_modules") || !isOurs(path)) continue;
    assertFitForCommonJs(file, path);
    if (!file.isDeclarationFile) continue;
    // A module that was JavaScript to begin with.
    const script = path.replace(/\.d\.ts$/, ".js");
    files.set(path, file.text);
    files.set(script, await Deno.readTextFile(join(root, script)));
  }
  return files;
}

function compilerOptions({ outDir, compilerOptions }: BuildOptions, root: string): ts.CompilerOptions {
  const { options, errors } = ts.convertCompilerOptionsFromJson({
    ...compilerOptions,
    strict: true,
    module: "ESNext",
    moduleResolution: "Bundler",
    isolatedModules: true,
    allowImportingTsExtensions: true,
    declaration: true,
    rootDir: root,
    outDir: join(root, outDir, "esm"),
    types: ["node"],
    paths: Object.fromEntries(localPackages().map(([name, path]) => [name, [join(root, path)]])),
  }, root);
  report(errors);
  return options;
}

/** They are imported by name, and emitted by themselves. */
function foldersOfOtherPackages({ entryPoints }: BuildOptions): string[] {
  return localPackages().map(([, path]) => relative(".", dirname(path)))
    .filter((folder) => !entryPoints.some(({ path }) => relative(".", path).startsWith(`${folder}/`)));
}

/**
 * `./x.ts` becomes `./x.js`. TypeScript's own rewriting leaves declarations alone, and puts a call into imports whose
 * specifier is no literal, behind which bundlers no longer see their directives.
 */
function rewriteSpecifiers(context: ts.TransformationContext): (file: ts.SourceFile) => ts.SourceFile {
  const { factory } = context;
  const visit = (node: ts.Node): ts.Node =>
    ts.isStringLiteral(node) && isSpecifier(node)
      ? factory.createStringLiteral(node.text.replace(/\.ts$/, ".js"))
      : ts.visitEachChild(node, visit, context);
  return (file) => ts.visitEachChild(file, visit, context);
}

function isSpecifier(node: ts.StringLiteral): boolean {
  if (!/^\.\.?\/.*\.ts$/.test(node.text)) return false;
  const original = ts.getOriginalNode(node).parent ?? node.parent;
  return original === undefined || ts.isImportDeclaration(original) || ts.isExportDeclaration(original) ||
    (ts.isLiteralTypeNode(original) && ts.isImportTypeNode(original.parent)) ||
    (ts.isCallExpression(original) && original.expression.kind === ts.SyntaxKind.ImportKeyword);
}

function toCommonJs(fileName: string, text: string): string {
  const { outputText, diagnostics } = ts.transpileModule(text, {
    fileName,
    reportDiagnostics: true,
    compilerOptions: {
      module: ts.ModuleKind.CommonJS,
      target: ts.ScriptTarget.ES2022,
      esModuleInterop: true,
      allowJs: true,
    },
  });
  report(diagnostics ?? []);
  return outputText;
}

/** TypeScript wants nothing emitted where specifiers end in `.ts`, since it does not rewrite them: we do. */
const TS_EXTENSIONS_EMITTED = 5096;

function report(all: readonly ts.Diagnostic[]): void {
  const diagnostics = all.filter(({ code }) => code !== TS_EXTENSIONS_EMITTED);
  if (diagnostics.length === 0) return;
  const text = ts.formatDiagnostics(diagnostics, {
    getCurrentDirectory: () => Deno.cwd(),
    getCanonicalFileName: (name) => name,
    getNewLine: () => "\n",
  });
  throw new Error(`TypeScript refuses what was to become an npm package:\n${text}`);
}

async function write(path: string, text: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, text);
}
