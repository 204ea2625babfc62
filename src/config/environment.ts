/**
 * The environment variables of libpq (PostgreSQL documentation, "Environment Variables"), as a source of settings.
 *
 * @module
 */

import { env } from "./host.ts";
import { text } from "./readers.ts";
import { Settings, type Source } from "./settings.ts";

/** Which variable says which option. PGSERVICE and PGSERVICEFILE come before them: see service_file.ts. */
const VARIABLES: ReadonlyMap<string, string> = new Map([
  ["host", "PGHOST"],
  ["hostaddr", "PGHOSTADDR"],
  ["port", "PGPORT"],
  ["target_session_attrs", "PGTARGETSESSIONATTRS"],
  ["load_balance_hosts", "PGLOADBALANCEHOSTS"],
  ["user", "PGUSER"],
  ["database", "PGDATABASE"],
  ["password", "PGPASSWORD"],
  ["passfile", "PGPASSFILE"],
  ["sslmode", "PGSSLMODE"],
  ["sslrootcert", "PGSSLROOTCERT"],
  ["sslcert", "PGSSLCERT"],
  ["sslkey", "PGSSLKEY"],
  ["sslnegotiation", "PGSSLNEGOTIATION"],
  ["sslcrl", "PGSSLCRL"],
  ["sslcrldir", "PGSSLCRLDIR"],
  ["sslcertmode", "PGSSLCERTMODE"],
  ["requirepeer", "PGREQUIREPEER"],
  ["gssencmode", "PGGSSENCMODE"],
  ["ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"],
  ["ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"],
  ["application_name", "PGAPPNAME"],
  ["options", "PGOPTIONS"],
  ["timezone", "PGTZ"],
  ["datestyle", "PGDATESTYLE"],
  ["geqo", "PGGEQO"],
  ["binary", "PGBINARY"],
  ["replication", "PGREPLICATION"],
  ["connect_timeout", "PGCONNECT_TIMEOUT"],
  ["channel_binding", "PGCHANNELBINDING"],
  ["require_auth", "PGREQUIREAUTH"],
  ["max_protocol_version", "PGMAXPROTOCOLVERSION"],
  ["min_protocol_version", "PGMINPROTOCOLVERSION"],
]);

/** The environment as it is now. PGCLIENTENCODING is not in it: on the wire it is always UTF-8, as in node-postgres. */
export const environment: Source = {
  kind: "environment",
  describe: (option) => `the environment's ${VARIABLES.get(option)}`,
  get: (option) => {
    const variable = VARIABLES.get(option);
    return variable && env(variable);
  },
};

/** PGTZ, PGDATESTYLE and PGGEQO. Dates are read in ISO: of a date style only the order of day and month is asked for. */
export function environmentParameters(): Readonly<Record<string, string | undefined>> {
  const said = new Settings([environment]);
  const style = said.read(text, "datestyle");
  const order = /\b(?:ymd|dmy|mdy)\b/i.exec(style ?? "")?.[0] ??
    (/\b(?:euro|german)/i.test(style ?? "") ? "DMY" : /\b(?:us\b|noneuro)/i.test(style ?? "") ? "MDY" : undefined);
  return {
    timezone: said.read(text, "timezone"),
    datestyle: style && (order === undefined ? "ISO" : `ISO, ${order.toUpperCase()}`),
    geqo: said.read(text, "geqo"),
  };
}
