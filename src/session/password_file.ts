import { fileSystem } from "../config/host.ts";
import type { ConnectionOptions } from "../config/options.ts";
import { loadPart } from "../part.ts";

/** What a password file has for this host where nobody said a password. As in node-postgres, asked when it is needed. */
export async function passwordFromFile(options: ConnectionOptions): Promise<string | undefined> {
  const { password, passfile, host, port, database, user } = options;
  // Loaded only then: most programs have no password file.
  if (password !== undefined || fileSystem() === undefined) return undefined;
  const { findPassword, passwordFile } = await loadPart(async () => await import("../config/passfile.ts"));
  const file = passwordFile(passfile.path);
  const hosts = passfile.hostName === undefined ? [host] : [passfile.hostName, host];
  return file && findPassword(file, { hosts, port, database, user });
}
