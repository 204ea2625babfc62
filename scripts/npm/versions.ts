/**
 * The one place where versions come from: deno.json.
 *
 * @module
 */

import manifest from "../../deno.json" with { type: "json" };

/**
 * The version of the project (`.`), or of a package by its name in the imports of deno.json.
 *
 * @throws {Error} where deno.json does not say
 */
export function versionOf(name: string): string {
  if (name === ".") return manifest.version;
  const specifier: string | undefined = (manifest.imports as Record<string, string>)[name];
  const version = /^npm:.+@[\^~]?(\d+\.\d+\.\d+\S*)$/.exec(specifier ?? "")?.[1];
  if (version === undefined) throw new Error(`deno.json imports no npm package under the name ${name}`);
  return version;
}
