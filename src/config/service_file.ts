/**
 * Service files (PostgreSQL documentation, libpq, "The Connection Service File"): named sets of settings, weaker than
 * what the program says and stronger than the rest of the environment.
 *
 * @module
 */

import type { ConfigError } from "../errors.ts";
import { failure } from "./failure.ts";
import { env, readTextFile, readTextFileIfPresent, userFile } from "./host.ts";
import { isSaid, type Source } from "./settings.ts";

/**
 * What the service that the stronger sources (or PGSERVICE) name is defined as; undefined where none is named. Its
 * definition is looked for in the file that is named (`servicefile`, PGSERVICEFILE) or `~/.pg_service.conf`, then in
 * `pg_service.conf` in PGSYSCONFDIR.
 *
 * @throws {ConfigError} `CONFIG_SERVICE` where it is nowhere defined, or the file malformed; `CONFIG_FILE`
 */
export function serviceSource(stronger: readonly Source[]): Source | undefined {
  const service = said(stronger, "service", "PGSERVICE");
  if (service === undefined) return undefined;
  const named = said(stronger, "servicefile", "PGSERVICEFILE");
  const places: string[] = [];
  for (const read of [() => userServiceFile(named), systemServiceFile]) {
    const file = read();
    if (file === undefined) continue;
    places.push(`"${file.path}"`);
    const fields = parseService(file.text, service, file.path);
    if (fields !== undefined) return sourceOf(fields, service, file.path);
  }
  const where = places.length === 0
    ? "and no service file is there (~/.pg_service.conf; Deno reads it with --allow-read and --allow-env)"
    : `in ${places.join(" or ")}`;
  throw failure("CONFIG_SERVICE", `the service ${JSON.stringify(service)} is not defined ${where}`);
}

/** The settings of one service, as text under libpq's names; undefined where the file does not define it. */
export function parseService(text: string, service: string, path: string): ReadonlyMap<string, string> | undefined {
  let fields: Map<string, string> | undefined;
  for (const [index, raw] of text.replace(/^\uFEFF/, "").split("\n").entries()) {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) continue;
    if (line.startsWith("[")) {
      if (fields !== undefined) break;
      if (line === `[${service}]`) fields = new Map();
      continue;
    }
    if (fields === undefined) continue;
    const equals = line.indexOf("=");
    const name = line.slice(0, equals);
    if (equals < 1 || /\s/.test(name)) throw malformed(path, index, "is not name=value (without spaces around =)");
    if (name === "service" || name === "servicefile") throw malformed(path, index, "names a service within a service");
    const option = name === "dbname" ? "database" : name;
    // As in libpq, the first counts.
    if (!fields.has(option)) fields.set(option, line.slice(equals + 1));
  }
  return fields;
}

function sourceOf(fields: ReadonlyMap<string, string>, service: string, path: string): Source {
  return {
    kind: "service file",
    describe: (option) => `${option} of the service ${JSON.stringify(service)} in "${path}"`,
    get: (option) => fields.get(option),
    names: [...fields.keys()],
  };
}

function said(sources: readonly Source[], option: string, variable: string): string | undefined {
  const value = sources.map((source) => source.get(option)).find(isSaid);
  if (value === undefined) return env(variable);
  if (typeof value === "string") return value;
  throw failure("CONFIG_VALUE", `the option ${option} must be a string`);
}

/** A file and what is in it. */
interface TextFile {
  readonly path: string;
  readonly text: string;
}

function userServiceFile(named: string | undefined): TextFile | undefined {
  if (named !== undefined) return { path: named, text: reading(named, readTextFile) };
  return fileIfPresent(userFile(".pg_service.conf", ".pg_service.conf"));
}

function systemServiceFile(): TextFile | undefined {
  const folder = env("PGSYSCONFDIR");
  return fileIfPresent(folder && `${folder}/pg_service.conf`);
}

function fileIfPresent(path: string | undefined): TextFile | undefined {
  const text = path && reading(path, readTextFileIfPresent);
  return path === undefined || text === undefined ? undefined : { path, text };
}

function reading<Text>(path: string, read: (path: string) => Text): Text {
  try {
    return read(path);
  } catch (cause) {
    const { code, name } = cause as { code?: unknown; name?: unknown };
    const reason = String(typeof code === "string" ? code : name);
    throw failure("CONFIG_FILE", `the service file "${path}" cannot be read (${reason})`, { cause });
  }
}

function malformed(path: string, index: number, what: string): ConfigError {
  return failure("CONFIG_SERVICE", `line ${index + 1} of the service file "${path}" ${what}`);
}
