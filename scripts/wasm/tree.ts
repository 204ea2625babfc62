/**
 * Paths and bytes as the nested object that the compiler takes for a file system.
 *
 * @module
 */

export interface Tree {
  [name: string]: Tree | Uint8Array;
}

export function nest(files: ReadonlyMap<string, Uint8Array>): Tree {
  const root: Tree = {};
  for (const [path, bytes] of files) {
    const names = path.split("/");
    const last = names.pop() ?? path;
    let folder = root;
    for (const name of names) {
      const next = folder[name] ??= {};
      if (next instanceof Uint8Array) throw new Error(`${path}: ${name} is a file`);
      folder = next;
    }
    folder[last] = bytes;
  }
  return root;
}
