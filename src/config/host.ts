/**
 * The one file of `config/` that touches the machine: environment variables, files, the user's name. What a runtime
 * does not have, or does not permit, reads as absent.
 *
 * @module
 */

import { builtinModule } from "../builtin_module.ts";

/** What is used of the runtimes' globals; every one of them lacks some of it. */
interface Runtime {
  readonly Deno?: {
    readonly env: { get(name: string): string | undefined };
    readonly permissions?: { querySync?(descriptor: DenoPermission): { state: string } };
  };
  readonly process?: {
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly platform?: string;
    readonly domain?: { bind(callback: unknown): unknown } | null;
  };
}

type DenoPermission =
  | { name: "env"; variable: string }
  | { name: "read"; path: string }
  | { name: "sys"; kind: "username" | "homedir" };

/** As much of `node:fs` as is used here. */
export interface FileSystem {
  existsSync(path: string): boolean;
  readFileSync(path: string, encoding: "utf8"): string;
  statSync(path: string): { readonly mode: number; isFile(): boolean };
}

interface OperatingSystem {
  userInfo(): { readonly username: string };
  homedir(): string;
}

/**
 * An environment variable; undefined where it is unset or empty, where the runtime has no environment, and where Deno
 * was not given permission for it (reading twenty variables must not ask twenty questions).
 */
export function env(name: string): string | undefined {
  if (!permitted({ name: "env", variable: name })) return undefined;
  const { Deno, process } = runtime();
  return quietly(() => Deno ? Deno.env.get(name) : process?.env?.[name]);
}

/**
 * A whole text file that somebody named. On Deno this may ask for the permission.
 *
 * @throws what the file system throws; a `NotSupportedError` where the runtime has no files.
 */
export function readTextFile(path: string): string {
  const fs = builtinModule<FileSystem>("node:fs");
  if (fs === undefined) throw new DOMException("this runtime has no files", "NotSupportedError");
  return fs.readFileSync(path, "utf8");
}

/**
 * A whole text file that is read if it is there, such as those in `~/.postgresql`.
 *
 * @throws what the file system throws where the file is there and cannot be read.
 */
export function readTextFileIfPresent(path: string): string | undefined {
  const fs = builtinModule<FileSystem>("node:fs");
  if (fs === undefined || !permitted({ name: "read", path }) || !fs.existsSync(path)) return undefined;
  return fs.readFileSync(path, "utf8");
}

/**
 * The path of a file of the user's own, where that is known: in the home directory, or on Windows in PostgreSQL's folder
 * of the application data.
 */
export function userFile(name: string, nameOnWindows: string): string | undefined {
  const folder = onWindows() ? env("APPDATA") : homeDirectory();
  return folder && (onWindows() ? `${folder}\\postgresql\\${nameOnWindows}` : `${folder}/${name}`);
}

/** The name of the operating system's user, where it is known. */
export function userName(): string | undefined {
  return env("USER") ?? env("USERNAME") ?? env("LOGNAME") ??
    ask({ name: "sys", kind: "username" }, (os) => os.userInfo().username);
}

/** Whether a user is named by the variable from which node-postgres takes it. */
export function userIsNamed(): boolean {
  return env("USER") !== undefined;
}

/** The callback, bound to the one of Node's domains that is active; such programs are old, and still there. */
export function inDomain<Callback>(callback: Callback): Callback {
  const domain = runtime().process?.domain;
  return domain && typeof callback === "function" ? domain.bind(callback) as Callback : callback;
}

/** The user's home directory, where there is one. */
export function homeDirectory(): string | undefined {
  return env("HOME") ?? env("USERPROFILE") ?? ask({ name: "sys", kind: "homedir" }, (os) => os.homedir());
}

function ask(permission: DenoPermission, question: (os: OperatingSystem) => string): string | undefined {
  if (!permitted(permission)) return undefined;
  return quietly(() => {
    const os = builtinModule<OperatingSystem>("node:os");
    return os && question(os);
  });
}

/** Files, where the runtime has them; a Worker's are its own, and hold nothing of a user's. */
export function fileSystem(): FileSystem | undefined {
  const { navigator } = globalThis as { navigator?: { userAgent?: string } };
  return navigator?.userAgent === "Cloudflare-Workers" ? undefined : builtinModule<FileSystem>("node:fs");
}

/** False where Deno would refuse, or would stop to ask the person at the terminal. */
export function permitted(permission: DenoPermission): boolean {
  const { Deno } = runtime();
  return Deno?.permissions?.querySync === undefined || Deno.permissions.querySync(permission).state === "granted";
}

/** Whether file permissions are Windows's, and paths too. */
export function onWindows(): boolean {
  return runtime().process?.platform === "win32";
}

function quietly(read: () => string | undefined): string | undefined {
  try {
    return read() || undefined;
  } catch {
    return undefined;
  }
}

function runtime(): Runtime {
  return globalThis as unknown as Runtime;
}
