import assert from "node:assert/strict";
import { test } from "node:test";
import ts from "typescript";
import { assertFitForCommonJs } from "../../scripts/npm/commonjs.ts";
import { entryFields } from "../../scripts/npm/manifest.ts";

const misfits: readonly [text: string, message: RegExp | undefined][] = [
  ["const pattern = /^module$/; function require_() {}", undefined],
  ["async function f() { await g(); for await (const x of y) {} }", undefined],
  ["const f = async () => { await g(); }; class A { async m() { await g(); } }", undefined],
  ["function f() { const module = 1; return { require: module, exports: 2 }; }", undefined],
  ["\nconst module = 1;", /x\.ts:2: a top-level module, which a CommonJS module cannot have/],
  ["let { a: [, exports] } = b;", /a top-level exports/],
  ["export function require() {}", /a top-level require/],
  ["class __dirname {}", /a top-level __dirname/],
  ["const x = await y;", /a top-level await/],
  ["if (a) { for await (const b of c) {} }", /a top-level await/],
  ["function f() { return import.meta.url; }", /import\.meta/],
];

for (const [text, message] of misfits) {
  test(`CommonJS ${message === undefined ? "takes" : "refuses"}: ${text.trim()}`, () => {
    const file = ts.createSourceFile("x.ts", text, ts.ScriptTarget.ES2022, true);
    const check = () => assertFitForCommonJs(file, "x.ts");
    if (message === undefined) assert.doesNotThrow(check);
    else assert.throws(check, message);
  });
}

test("the fields of package.json that lead to a package's modules", () => {
  const fields = entryFields(
    [
      { name: ".", path: "./mod.ts" },
      { name: "./proxy", path: "./src/proxy/mod.ts" },
      { kind: "bin", name: "tool", path: "./src/cli.ts" },
    ],
    { workerd: { folder: "workerd", entries: ["."] }, browser: { folder: "browser", entries: ["."] } },
  );
  assert.equal(
    JSON.stringify(fields, null, 1),
    JSON.stringify(
      {
        main: "./script/mod.js",
        module: "./esm/mod.js",
        types: "./script/mod.d.ts",
        exports: {
          ".": {
            workerd: { import: { types: "./esm/mod.d.ts", default: "./workerd/mod.js" } },
            browser: { import: { types: "./esm/mod.d.ts", default: "./browser/mod.js" } },
            import: { types: "./esm/mod.d.ts", default: "./esm/mod.js" },
            require: { types: "./script/mod.d.ts", default: "./script/mod.js" },
          },
          "./proxy": {
            import: { types: "./esm/src/proxy/mod.d.ts", default: "./esm/src/proxy/mod.js" },
            require: { types: "./script/src/proxy/mod.d.ts", default: "./script/src/proxy/mod.js" },
          },
          "./package.json": "./package.json",
        },
        bin: { tool: "esm/src/cli.js" },
      },
      null,
      1,
    ),
  );
});

test("a package without a main entry point is refused", () => {
  assert.throws(() => entryFields([{ name: "./proxy", path: "./src/proxy/mod.ts" }], {}), /its main one/);
});
