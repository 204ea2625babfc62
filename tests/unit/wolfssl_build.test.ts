import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import denoJson from "../../deno.json" with { type: "json" };
import lock from "../../wolfssl/core.lock.json" with { type: "json" };
import { compileFlags, isNeeded, SOURCE, SOURCE_FILES, TOOLCHAIN } from "../../scripts/wasm/recipe.ts";
import { readTarGz } from "../../scripts/wasm/tar.ts";
import { nest } from "../../scripts/wasm/tree.ts";

/** One entry of a ustar archive: header and content, each filled up to blocks of 512 bytes. */
function entry(path: string, content: string, { prefix = "", type = "0" } = {}): Uint8Array {
  const bytes = new TextEncoder().encode(content);
  const block = new Uint8Array(512 + Math.ceil(bytes.length / 512) * 512);
  const put = (at: number, text: string) => block.set(new TextEncoder().encode(text), at);
  put(0, path);
  put(124, bytes.length.toString(8).padStart(11, "0"));
  put(156, type);
  put(257, "ustar\u000000");
  put(345, prefix);
  block.set(bytes, 512);
  return block;
}

test("the regular files of an archive are read, with their prefixes", () => {
  const long = "x".repeat(1500);
  const archive = [
    entry("pax_global_header", "52 comment=...", { type: "g" }),
    entry("wolfssl-1/", "", { type: "5" }),
    entry("wolfssl-1/empty.h", ""),
    entry("wolfssl-1/long.c", long),
    entry("deep/file.h", "#define A", { prefix: "wolfssl-1/very" }),
    entry("wolfssl-1/link", "", { type: "2" }),
    new Uint8Array(1024),
  ];
  const files = [...readTarGz(gzipSync(Buffer.concat(archive)))].map((
    [path, bytes],
  ) => [path, new TextDecoder().decode(bytes)]);
  assert.deepEqual(files, [
    ["wolfssl-1/empty.h", ""],
    ["wolfssl-1/long.c", long],
    ["wolfssl-1/very/deep/file.h", "#define A"],
  ]);
});

test("the recipe takes what it compiles, warns of our own code alone, and has no file twice", () => {
  for (const path of SOURCE_FILES) {
    assert.ok(isNeeded(path), path);
    assert.ok(compileFlags(path).includes("-Wno-everything"), path);
  }
  assert.equal(new Set(SOURCE_FILES).size, SOURCE_FILES.length);
  assert.ok(compileFlags("core/session.c").includes("-Werror"));
  for (const path of ["wolfcrypt/test/test.c", "wolfcrypt/src/port/arm/a.c", "examples/client.c", "configure"]) {
    assert.ok(!isNeeded(path), path);
  }
});

test("paths become a tree, and a file is no folder", () => {
  const bytes = new Uint8Array(1);
  assert.deepEqual(nest(new Map([["a/b/c", bytes], ["a/d", bytes], ["e", bytes]])), {
    a: { b: { c: bytes }, d: bytes },
    e: bytes,
  });
  assert.throws(() => nest(new Map([["a", bytes], ["a/b", bytes]])), /a is a file/);
});

test("what the package says of the core's provenance is what the recipe takes and the lock file pins", () => {
  assert.deepEqual(lock.source, SOURCE);
  assert.deepEqual(lock.toolchain, TOOLCHAIN);
  assert.equal(denoJson.imports["@yowasp/clang"], `npm:@yowasp/clang@${TOOLCHAIN.clang}`);
  assert.equal(denoJson.imports["binaryen"], `npm:binaryen@${TOOLCHAIN.binaryen}`);
});
