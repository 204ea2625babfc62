/**
 * The password file, `~/.pgpass` (PostgreSQL documentation, libpq, "The Password File"). Loaded when a server asks for a
 * password that nobody said.
 *
 * @module
 */

import { fileSystem, onWindows, permitted, userFile } from "./host.ts";

/** Whose password is looked for. */
export interface PasswordFileKey {
  /** The host under each of its names: the name and its address, or the directory of a socket. */
  readonly hosts: readonly string[];
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/** Where servers listen unless told otherwise: in a password file these are `localhost`. */
const DEFAULT_SOCKET_FOLDERS: readonly string[] = ["/tmp", "/var/run/postgresql", "/run/postgresql"];

/**
 * The password of the first line that matches: `host:port:database:user:password`, where `*` matches all, `\:` and `\\`
 * stand for `:` and `\`, and `#` begins a comment. As npm `pgpass` (which node-postgres asks) and unlike libpq, a colon
 * or backslash that somebody forgot to escape belongs to the password.
 *
 * @example
 * ```ts
 * const key = { hosts: ["db.example.com"], port: 5432, database: "shop", user: "app" };
 * findPassword("db.example.com:*:*:app:s3cret\\:x", key); // "s3cret:x"
 * ```
 */
export function findPassword(file: string, key: PasswordFileKey): string | undefined {
  const { hosts, port, database, user } = key;
  const names = hosts.some((host) => DEFAULT_SOCKET_FOLDERS.includes(host)) ? [...hosts, "localhost"] : hosts;
  const wanted: readonly (readonly string[])[] = [names, [String(port)], [database], [user]];
  for (const line of file.replace(/^\uFEFF/, "").split(/\r?\n|\r$/)) {
    const fields = /^\s*#/.test(line) ? null : LINE.exec(line);
    if (fields === null) continue;
    const [, ...values] = fields;
    const password = unescaped(values.pop() ?? "");
    if (password === "") continue;
    if (values.every((value, index) => value === "*" || wanted[index].includes(unescaped(value)))) return password;
  }
}

/** Four fields, each with its escapes, and the rest. */
const LINE = /^((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):((?:\\.|[^\\:])*):(.*)$/;

function unescaped(field: string): string {
  return field.replace(/\\([\\:])/g, "$1");
}

/**
 * The text of the password file that is named (for which Deno may have to ask), or of the user's own; undefined where
 * there is none. One that others may read is ignored with a warning, as libpq does.
 */
export function passwordFile(named: string | undefined): string | undefined {
  const path = named ?? userFile(".pgpass", "pgpass.conf");
  const fs = fileSystem();
  if (path === undefined || fs === undefined) return undefined;
  if (named === undefined && !permitted({ name: "read", path })) return undefined;
  try {
    const stat = fs.statSync(path);
    if (!stat.isFile()) return warn(path, "it is not a plain file");
    if (!onWindows() && (stat.mode & OTHERS) !== 0) {
      return warn(path, "it has group or world access; its permissions should be u=rw (0600) or less");
    }
    return fs.readFileSync(path, "utf8");
  } catch (cause) {
    const { code, name } = cause as { code?: unknown; name?: unknown };
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    return warn(path, `it cannot be read (${typeof code === "string" ? code : name})`);
  }
}

const OTHERS = 0o077; // what a file's mode gives to the group and to the world

/** Warnings that were given already, so that a pool's every client does not repeat them. */
const warned = new Set<string>();

function warn(path: string, why: string): undefined {
  const warning = `pgduplex: the password file "${path}" is ignored: ${why}`;
  if (!warned.has(warning)) console.warn(warning);
  warned.add(warning);
}
