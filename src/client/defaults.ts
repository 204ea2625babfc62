/**
 * What holds for every client where neither its options nor the environment say otherwise.
 *
 * @module
 */

import type { ClientConfig } from "../config/client_config.ts";
import { env } from "../config/host.ts";
import { builtins } from "../types/oids.ts";
import { types } from "../types/registry.ts";

/** node-postgres's `defaults`. */
export interface Defaults extends ClientConfig {
  /** True: dates given as parameters are sent in UTC rather than in local time. Default false. */
  parseInputDatesAsUTC?: boolean | undefined;
  /** True: `int8` and `int8[]` are parsed as numbers from now on, false: as strings again. Can only be set. */
  parseInt8?: boolean | undefined;
  /** Of no effect here, as in node-postgres's client without `rows` of its own. */
  rows?: number | undefined;
  /** Of no effect, as in node-postgres since it has no pool of its own. */
  poolSize?: number | undefined;
  /** Of no effect, likewise. */
  poolIdleTimeout?: number | undefined;
  /** Of no effect, likewise. */
  reapIntervalMillis?: number | undefined;
  /** Of no effect here, as in node-postgres: a pool has its own default. */
  max?: number | undefined;
}

const INITIAL: Readonly<Record<string, unknown>> = {
  host: "localhost",
  database: undefined,
  password: null,
  connectionString: undefined,
  port: 5432,
  rows: 0,
  binary: false,
  max: 10,
  idleTimeoutMillis: 30_000,
  client_encoding: "",
  ssl: false,
  sslnegotiation: undefined,
  application_name: undefined,
  fallback_application_name: undefined,
  options: undefined,
  parseInputDatesAsUTC: false,
  statement_timeout: false,
  lock_timeout: false,
  idle_in_transaction_session_timeout: false,
  query_timeout: false,
  connect_timeout: 0,
  keepalives: 1,
  keepalives_idle: 0,
};

/** What a program has set `defaults.user` to. */
let userSaid: string | undefined;

/** The parsers that `parseInt8` replaces, once it has. */
let parsersOfInt8: readonly (readonly [oid: number, parser: (text: string) => unknown])[] | undefined;

/**
 * The defaults of every client made from now on. Change them before making clients.
 *
 * @example
 * ```ts
 * import { defaults } from "@pgduplex/pgduplex";
 * defaults.application_name = "shop";
 * ```
 */
export const defaults: Defaults = Object.defineProperties({ ...INITIAL } as Defaults, {
  user: {
    enumerable: true,
    // Asked for when it is read: on Deno the environment may be nobody's business.
    get: () => userSaid ?? env("USER"),
    set: (user: string | undefined) => userSaid = user,
  },
  parseInt8: { enumerable: true, set: parseInt8 },
});

function parseInt8(asNumber: boolean): void {
  parsersOfInt8 ??= [INT8, INT8_ARRAY].map((oid) => [oid, types.getTypeParser(oid) as (text: string) => unknown]);
  for (const [oid, parser] of parsersOfInt8) {
    const number = types.getTypeParser(oid === INT8 ? builtins.INT4 : INT4_ARRAY) as (text: string) => unknown;
    types.setTypeParser(oid, asNumber ? number : parser);
  }
}

const INT8 = builtins.INT8;
const INT4_ARRAY = 1007;
const INT8_ARRAY = 1016;

/**
 * The defaults that the program has changed. The others say nothing, so that what is unsaid can mean something else over
 * a WebSocket; and a client has no use for the idle timeout, which is meant for pools.
 */
export function changedDefaults(): Defaults {
  const changed: Defaults = userSaid === undefined ? {} : { user: userSaid };
  for (const name of Object.keys(defaults) as (keyof Defaults)[]) {
    if (name === "user" || name === "idleTimeoutMillis" || defaults[name] === INITIAL[name]) continue;
    Object.assign(changed, { [name]: defaults[name] });
  }
  return changed;
}
