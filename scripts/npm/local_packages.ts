/**
 * The packages that live in this repository besides the main one: the members of deno.json's workspace.
 *
 * @module
 */

import denoJson from "../../deno.json" with { type: "json" };

/** Each by the name under which it is imported, with the path of its entry from the root of the repository. */
export function localPackages(): [name: string, path: string][] {
  return denoJson.workspace.map((folder) => {
    const { name, exports } = JSON.parse(Deno.readTextFileSync(`${folder}/deno.json`));
    return [name, `${folder}/${exports["."].slice("./".length)}`];
  });
}
