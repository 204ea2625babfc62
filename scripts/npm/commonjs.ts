/**
 * What CommonJS cannot express, or expresses as something else without a word.
 *
 * @module
 */

import ts from "typescript";

/** Parameters of the function that Node wraps around a CommonJS module. */
const TAKEN: ReadonlySet<string> = new Set(["module", "exports", "require", "__filename", "__dirname"]);

/**
 * Passes if a module can be emitted as CommonJS.
 *
 * @throws {Error} for `import.meta`, a top-level `await`, and a top-level name that CommonJS has taken
 */
export function assertFitForCommonJs(file: ts.SourceFile, path: string): void {
  const refuse = (node: ts.Node, what: string) => {
    const { line } = file.getLineAndCharacterOfPosition(node.getStart(file));
    throw new Error(`${path}:${line + 1}: ${what}, which a CommonJS module cannot have`);
  };
  const visit = (node: ts.Node, atTop: boolean): void => {
    if (ts.isMetaProperty(node) && node.keywordToken === ts.SyntaxKind.ImportKeyword) refuse(node, "import.meta");
    if (atTop && (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier))) {
      refuse(node, "a top-level await");
    }
    ts.forEachChild(node, (child) => visit(child, atTop && !ts.isFunctionLike(child)));
  };
  visit(file, true);
  for (const { name, node } of file.statements.flatMap(declaredNames)) {
    if (TAKEN.has(name)) refuse(node, `a top-level ${name}`);
  }
}

function declaredNames(statement: ts.Statement): { name: string; node: ts.Node }[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => names(name));
  }
  const named = ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement) ||
    ts.isEnumDeclaration(statement);
  return named && statement.name ? names(statement.name) : [];
}

function names(name: ts.BindingName): { name: string; node: ts.Node }[] {
  if (ts.isIdentifier(name)) return [{ name: name.text, node: name }];
  return name.elements.flatMap((element) => ts.isOmittedExpression(element) ? [] : names(element.name));
}
