/**
 * The names of all options, and the warning about what looks like one of them and is none. Any other name is nobody's
 * business: connection strings carry other tools' options, and libraries hand a pool all of their own.
 *
 * @module
 */

import type { ClientConfig } from "./client_config.ts";
import { REFUSED_OPTIONS } from "./refused.ts";

/** Every option of a client; the type makes a forgotten one an error. */
const CLIENT_OPTIONS: Readonly<Record<keyof ClientConfig, true>> = {
  connectionString: true,
  host: true,
  port: true,
  target_session_attrs: true,
  load_balance_hosts: true,
  user: true,
  database: true,
  password: true,
  oauthBearerToken: true,
  passfile: true,
  service: true,
  servicefile: true,
  ssl: true,
  sslmode: true,
  uselibpqcompat: true,
  sslrootcert: true,
  sslcert: true,
  sslkey: true,
  sslpassword: true,
  sslnegotiation: true,
  ssl_min_protocol_version: true,
  ssl_max_protocol_version: true,
  rootCerts: true,
  tlsEngine: true,
  crypto: true,
  wsProxy: true,
  webSocket: true,
  openDuplex: true,
  keepAlive: true,
  keepAliveInitialDelayMillis: true,
  connectionTimeoutMillis: true,
  connect_timeout: true,
  query_timeout: true,
  idleTimeoutMillis: true,
  statement_timeout: true,
  lock_timeout: true,
  idle_in_transaction_session_timeout: true,
  application_name: true,
  fallback_application_name: true,
  options: true,
  client_encoding: true,
  replication: true,
  channelBinding: true,
  channel_binding: true,
  enableChannelBinding: true,
  requireAuth: true,
  require_auth: true,
  allowCleartextPassword: true,
  speakFirst: true,
  maxProtocolVersion: true,
  minProtocolVersion: true,
  binary: true,
  statementCache: true,
  types: true,
  pipeline: true,
  stream: true,
  Promise: true,
  scramMaxIterations: true,
};

/** Options that a pool, or node-postgres's `defaults`, passes on with those of its clients. */
const OTHER_OPTIONS = [
  "max",
  "min",
  "log",
  "allowExitOnIdle",
  "maxUses",
  "maxLifetimeSeconds",
  "Client",
  "onConnect",
  "verify",
  "rows",
  "poolSize",
  "parseInt8",
  "parseInputDatesAsUTC",
  "isDomainSocket",
  "connection",
];

/** libpq's keywords which have an effect here too, besides those that are named alike. */
const KEYWORDS = [
  "dbname",
  "hostaddr",
  "keepalives",
  "keepalives_idle",
  "max_protocol_version",
  "min_protocol_version",
];

/** node-postgres's names in a `socket:` URL. */
const SOCKET_URL_OPTIONS = ["db", "encoding"];

const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(CLIENT_OPTIONS),
  ...OTHER_OPTIONS,
  ...KEYWORDS,
  ...REFUSED_OPTIONS,
  ...SOCKET_URL_OPTIONS,
]);

/** libpq's keywords that have no effect here, and need not have any; PostgreSQL documentation, "Parameter Key Words". */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  "keepalives_interval",
  "keepalives_count",
  "tcp_user_timeout",
  "sslcompression",
  "sslsni",
  "krbsrvname",
  "gsslib",
  "gssdelegation",
]);

const MAX_WARNINGS = 100;
/** More is another word: Prisma's `socket_timeout` is three away from `lock_timeout`. */
const MAX_DISTANCE = 2;
/** What was warned of already, so that a pool's every client does not say it again. */
const warned = new Set<string>();

/**
 * Warns on the console, once per name, of options that mean nothing here and should. Says names only, never a value.
 *
 * @param asked The options of which somebody has asked what was said
 */
export function warnOfUnknownOptions(names: readonly string[], asked: ReadonlySet<string>): void {
  for (const name of names) {
    if (asked.has(name) || KNOWN.has(name) || warned.has(name) || warned.size >= MAX_WARNINGS) continue;
    const warning = warningOf(name);
    if (warning === undefined) continue;
    warned.add(name);
    console.warn(`pgduplex: ${warning}`);
  }
}

function warningOf(name: string): string | undefined {
  if (WITHOUT_EFFECT.has(name)) return `the option "${name}" of libpq is not supported and has no effect`;
  const nearest = nearestOption(name);
  return nearest && `unknown option "${name}" is ignored; did you mean "${nearest}"?`;
}

/** The known option that a mistyped one most likely means; undefined where none is near. */
export function nearestOption(name: string): string | undefined {
  const typed = comparable(name);
  let nearest: string | undefined;
  let nearestDistance = Math.min(MAX_DISTANCE, Math.max(1, Math.floor(typed.length / 3))) + 1;
  for (const known of KNOWN) {
    const meant = comparable(known);
    // The start of a long name is nearer to it than its edit distance says.
    const distance = typed.length >= 6 && meant.startsWith(typed) ? 1 : editDistance(typed, meant);
    if (distance < nearestDistance) [nearest, nearestDistance] = [known, distance];
  }
  return nearest;
}

/** Without what people vary between camelCase and snake_case. */
function comparable(name: string): string {
  return name.toLowerCase().replaceAll("_", "");
}

/** How many characters to insert, delete or replace, or neighbours to swap, to get from one string to the other. */
function editDistance(from: string, to: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const same = from[row - 1] === to[column - 1];
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        previous[column] + 1,
        current[column - 1] + 1,
        previous[column - 1] + (same ? 0 : 1),
        swapped ? beforePrevious[column - 2] + 1 : Infinity,
      );
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[to.length];
}
