/**
 * What an implementation of TLS adds to a program, in bytes.
 *
 * @module
 */

import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { readFileSync } from "node:fs";
import { build } from "esbuild";

/** A part, raw and compressed. */
export interface Size {
  readonly what: string;
  readonly raw: number;
  readonly gzip: number;
  readonly brotli: number;
}

/** The engine's core, its JavaScript for browsers without the core, and subtls for browsers; JavaScript is minified. */
export async function sizes(): Promise<Size[]> {
  return [
    sizeOf("wolfssl, the core", readFileSync("wolfssl/core.wasm")),
    sizeOf("wolfssl, JavaScript", await minified("export { wolfssl } from './wolfssl/mod.ts';")),
    sizeOf("subtls", await minified("export { startTls } from 'subtls';")),
  ];
}

function sizeOf(what: string, bytes: Uint8Array): Size {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    what,
    raw: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes, { params }).length,
  };
}

async function minified(contents: string): Promise<Uint8Array> {
  const { outputFiles: [file] } = await build({
    stdin: { contents, resolveDir: "." },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    external: ["*/core_wasm.js", "*/mozilla_roots.js", "crypto", "fs/promises"],
    logLevel: "error",
  });
  return file.contents;
}
