/**
 * Reads a .tar.gz in memory: regular files only, which is all that a source release has.
 *
 * @module
 */

import { gunzipSync } from "node:zlib";

const BLOCK = 512;
const REGULAR = new Set(["0", "\0"]);

/** The regular files of a gzipped tar archive (ustar, with pax headers passed over). */
export function* readTarGz(archive: Uint8Array): Generator<[path: string, bytes: Uint8Array]> {
  const tar = gunzipSync(archive);
  for (let at = 0; at + BLOCK <= tar.length;) {
    const name = text(tar, at, 100);
    if (name === "") return;
    const size = parseInt(text(tar, at + 124, 12), 8);
    const kind = String.fromCharCode(tar[at + 156] ?? 0);
    const prefix = text(tar, at + 345, 155);
    const start = at + BLOCK;
    if (REGULAR.has(kind)) yield [prefix === "" ? name : `${prefix}/${name}`, tar.subarray(start, start + size)];
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end)).trim();
}
