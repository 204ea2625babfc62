/**
 * Remembers how a server authenticated us last, so that the next connect can speak first, or knows better than to.
 *
 * @module
 */

import type { AuthMethod } from "../config/options.ts";

/** More servers than one program talks to; the least recently stored are forgotten. */
const MAX_REMEMBERED = 256;

/** A cache, and the only state of this module: pg_hba.conf decides by address, user, database and encryption. */
const remembered = new Map<string, AuthMethod>();

/** What pg_hba.conf looks at, as far as a client knows it. */
export interface MethodKey {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly encrypted: boolean;
}

export function rememberedMethod(key: MethodKey): AuthMethod | undefined {
  return remembered.get(text(key));
}

export function rememberMethod(key: MethodKey, method: AuthMethod): void {
  const name = text(key);
  remembered.delete(name);
  remembered.set(name, method);
  if (remembered.size <= MAX_REMEMBERED) return;
  for (const oldest of remembered.keys()) {
    remembered.delete(oldest);
    return;
  }
}

function text({ host, port, user, database, encrypted }: MethodKey): string {
  return JSON.stringify([host, port, user, database, encrypted]);
}
