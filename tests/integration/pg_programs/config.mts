// Options, types, defaults, errors, helpers.
import pg from "pg";
import {
  Client,
  type ClientConfig,
  type ConnectionConfig,
  type CustomTypesConfig,
  DatabaseError,
  type Defaults,
  defaults,
  escapeIdentifier,
  escapeLiteral,
  type FieldDef,
  native,
  Result,
  TypeOverrides,
  types,
} from "pg";

const config: ClientConfig = {
  user: "app",
  database: "shop",
  password: async () => "secret",
  port: 5432,
  host: "localhost",
  connectionString: "postgres://localhost",
  keepAlive: true,
  keepAliveInitialDelayMillis: 10_000,
  statement_timeout: false,
  lock_timeout: 1_000,
  idle_in_transaction_session_timeout: 1_000,
  query_timeout: 1_000,
  connectionTimeoutMillis: 1_000,
  ssl: {
    rejectUnauthorized: true,
    ca: "ca",
    cert: "cert",
    key: "key",
    servername: "db",
    checkServerIdentity: () => undefined,
  },
  enableChannelBinding: true,
  sslnegotiation: "direct",
  application_name: "shop",
  fallback_application_name: "pg",
  options: "-c geqo=off",
  client_encoding: "utf8",
  pipeline: false,
};
const connection: ConnectionConfig = { ...config, ssl: false };
console.log(new Client(connection).host, new pg.Client(config).user);

types.setTypeParser(types.builtins.INT8, (text) => Number.parseInt(text, 10));
types.setTypeParser(types.builtins.NUMERIC, "text", (text: string) => Number(text));
types.setTypeParser(20, BigInt);
pg.types.setTypeParser(pg.types.builtins.DATE, (text) => text);
const parser: (text: string) => unknown = types.getTypeParser(1082, "text");
console.log(parser("2020-01-02"), types.builtins.JSONB + 1);

const overrides = new TypeOverrides();
overrides.setTypeParser(1082, (text: string) => text);
const own: CustomTypesConfig = { getTypeParser: types.getTypeParser };
export const withTypes: ClientConfig[] = [{ types: own }, { types: overrides }, { types }];

const settings: Defaults = defaults;
defaults.parseInt8 = true;
defaults.parseInputDatesAsUTC = true;
pg.defaults.poolSize = 3;
defaults.binary = false;
defaults.ssl = true;
defaults.user = "me";
console.log(settings.port, native === null, escapeIdentifier("a") + escapeLiteral("b"));

export async function insert(client: Client): Promise<string | undefined> {
  try {
    await client.query("insert into users (email) values ($1)", ["a@example.com"]);
  } catch (error) {
    if (error instanceof DatabaseError && error.code === "23505") {
      return error.constraint ?? error.detail ?? error.table;
    }
    const { code, position, severity, schema, column, dataType, hint, where, routine, file, line, length } =
      error as DatabaseError;
    const words: (string | undefined)[] = [
      code,
      position,
      severity,
      schema,
      column,
      dataType,
      hint,
      where,
      routine,
      file,
      line,
    ];
    console.log(words, length + 1, error instanceof pg.DatabaseError);
  }
  return undefined;
}

export function describe(field: FieldDef): string {
  const { name, tableID, columnID, dataTypeID, dataTypeSize, dataTypeModifier, format } = field;
  return [name, tableID + columnID + dataTypeID + dataTypeSize + dataTypeModifier, format.length].join();
}
const result = new Result<{ n: number }>("array", types);
console.log(result.rows[0]?.n, result.fields.map(describe));
