/**
 * Remembers how a server authenticated us last, so that the next connect can speak first, or knows better than to.
 *
 * @module
 */

import type { AuthMethod } from "../config/options.ts";
import { setRecent } from "../recent.ts";

/** More servers than one program talks to; the least recently stored are forgotten. */
const MAX_REMEMBERED = 256;

/** A cache, and the only state of this module: pg_hba.conf decides by address, user, database and encryption. */
const remembered = new Map<string, RememberedLogin>();

/** How a login went. */
export interface RememberedLogin {
  readonly method: AuthMethod;
  /** True where it succeeds only if the server speaks first, whatever the method. */
  readonly politely: boolean;
}

/** What pg_hba.conf looks at, as far as a client knows it. */
export interface MethodKey {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  readonly encrypted: boolean;
}

export function rememberedLogin(key: MethodKey): RememberedLogin | undefined {
  return remembered.get(text(key));
}

export function rememberLogin(key: MethodKey, login: RememberedLogin): void {
  setRecent(remembered, text(key), login, MAX_REMEMBERED);
}

function text({ host, port, user, database, encrypted }: MethodKey): string {
  return JSON.stringify([host, port, user, database, encrypted]);
}
