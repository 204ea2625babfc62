import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { checkImports, importsOf, type SourceFile } from "../../scripts/imports.ts";
import { projectRoot } from "../fixtures/project.ts";

test("imports run one way through src/, in no circle, and a runtime's own API stays in its adapter", () => {
  const root = projectRoot();
  const paths = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts")).map((path) => `src/${path.replaceAll("\\", "/")}`);
  const files = ["mod.ts", ...paths].map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
  assert.ok(files.length > 50, `only ${files.length} files found`);
  assert.deepEqual(checkImports(files), []);
});

const breaches: [string, SourceFile[], RegExp][] = [
  ["a leaf that imports a layer", [file("src/errors.ts", `import "./tls/engine.ts";`)], /a leaf imports leaves alone/],
  [
    "a lower layer that imports a higher one",
    [file("src/protocol/a.ts", `import { a } from "../session/b.ts";`)],
    /session/,
  ],
  ["a dynamic import upwards", [file("src/duplex/a.ts", `const b = await import("../client/b.ts");`)], /not client/],
  ["a re-export upwards", [file("src/tls/a.ts", `export * from "../session/b.ts";`)], /not session/],
  ["an import over several lines", [file("src/auth/a.ts", `import {\n  a,\n} from "../tls/b.ts";`)], /not tls/],
  ["an interface imported as code", [file("src/duplex/a.ts", `import { a } from "../tls/engine.ts";`)], /not tls/],
  ["a layer that nobody knows", [file("src/utils/a.ts", `import "../auth/b.ts";`)], /is in no layer/],
  [
    "a node: import outside an adapter",
    [file("src/client/pool/pool.ts", `import { once } from "node:events";`)],
    /only an adapter/,
  ],
  ["an npm package outside an adapter", [file("src/client/pool/pool.ts", `import pg from "pg";`)], /imports pg/],
  ["Deno outside an adapter", [file("src/session/a.ts", `const port = Deno.env.get("PGPORT");`)], /uses Deno/],
  ["Buffer outside an adapter", [file("src/session/a.ts", `return Buffer.from(bytes);`)], /uses Buffer/],
  [
    "a lazy import that nothing ends",
    [file("src/session/a.ts", `const { b } = await import("./b.ts");`)],
    /src\/session\/a\.ts imports \.\/b\.ts lazily: by loadPart/,
  ],
  ["a circle", [
    file("src/tls/a.ts", `import "./b.ts";`),
    file("src/tls/b.ts", `import "./c.ts";`),
    file("src/tls/c.ts", `import "./b.ts";`),
  ], /circle: src\/tls\/b\.ts → src\/tls\/c\.ts → src\/tls\/b\.ts/],
];

for (const [what, files, message] of breaches) {
  test(`it is found: ${what}`, () => {
    const [breach = ""] = checkImports(files);
    assert.match(breach, message);
  });
}

test("what is allowed is not reported", () => {
  const allowed = [
    file("mod.ts", `export { Client } from "./src/client/client.ts";`),
    file("src/duplex/duplex.ts", `import type { TlsOptions } from "../tls/engine.ts";`),
    file("src/tls/engine.ts", `import type { Duplex } from "../duplex/duplex.ts";`),
    file("src/client/query/query.ts", `import { a } from "../session/b.ts";\nimport { EventEmitter } from "events";`),
    file("src/session/a.ts", `// Deno and Buffer\n/** process */ const a = "node:net Deno.x"; // "../client/a.ts"`),
  ];
  assert.deepEqual(checkImports(allowed), []);
});

test("an import is told from a type's", () => {
  const text = `import a from "a";\nimport type { b } from "b";\nimport "c";\nconst d = await import("d");\n` +
    `let e: typeof import("e");\nexport { f } from "f";\nexport type { g } from "g";\nexport const h = "h";`;
  assert.deepEqual(
    importsOf(text).map(({ specifier, typeOnly }) => `${specifier}${typeOnly ? " (type)" : ""}`).sort(),
    ["a", "b (type)", "c", "d", "e (type)", "f", "g (type)"],
  );
});

function file(path: string, text: string): SourceFile {
  return { path, text };
}
